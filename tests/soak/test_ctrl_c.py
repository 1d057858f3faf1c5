"""Ctrl-C at any time: every command ends, says so, and leaves nothing behind."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local_kafka import LocalKafka
from schemas.settings import KafkaSettings
from streams.kafka import ensure_topics
from tests.support.left_behind import still_running

pytestmark = [pytest.mark.soak, pytest.mark.kafka, pytest.mark.timeout(300)]

INTERRUPTED = 130
COMMANDS = {
    "up": ["up", "align", "store", "gate"],
    "run": ["run", "align", "gate"],
    "demo": ["demo", "--windows", "2000"],
    "chaos": ["chaos", "--seed", "3", "--minutes", "5"],
}
MOMENTS = 6
EARLIEST_S, LATEST_S = 0.5, 30.0
"""Before that Python itself is being started, and says so in its own way."""
ENDS_WITHIN_S = 90.0


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Kafka for `run`."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        ensure_topics(KafkaSettings(bootstrap_servers=kafka.bootstrap_servers))
        yield kafka.bootstrap_servers


def moments() -> list[tuple[str, float]]:
    """Every command, at moments from its first imports to full work."""
    chance = random.Random(1)
    return [
        (name, round(EARLIEST_S + LATEST_S * chance.random() ** 2, 2))
        for name in COMMANDS
        for _ in range(MOMENTS)
    ]


@pytest.mark.parametrize(("name", "after_s"), moments())
def test_ctrl_c_at_any_time_ends_a_command_and_leaves_nothing_running(
    servers: str, tmp_path: Path, name: str, after_s: float
) -> None:
    """While its modules are loaded the signal itself ends it, as it would any program."""
    home = tmp_path / "home"
    with subprocess.Popen(
        [sys.executable, "-m", "streams.cli", *COMMANDS[name]],
        env=os.environ
        | {
            "GRIDLOOM_FOLDER": str(home),
            "GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS": servers,
            "TERM": "dumb",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        time.sleep(after_s)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=ENDS_WITHIN_S)
    assert process.returncode in {0, INTERRUPTED, -signal.SIGINT}, output
    assert "Traceback" not in output
    assert still_running(home) == []
    assert list(home.glob("demo-*")) == []
