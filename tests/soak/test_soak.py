"""Hours of pipeline time with a kill every half minute; only `make soak` runs it."""

import random
import time
from pathlib import Path

import pytest

from streams.demo.runner import COMMAND_PATH
from tests.support.demo_run import demo_runner

pytestmark = [pytest.mark.soak, pytest.mark.kafka, pytest.mark.timeout(3_600)]

WINDOWS = 4_000
SPEED = 20.0
KILL_EVERY_S = 30.0


def test_hours_of_kills_lose_nothing_and_apply_nothing_twice(tmp_path: Path) -> None:
    """D-4, D-5: the identity and the commands hold over a long run."""
    chance = random.Random(1)
    runner = demo_runner(tmp_path, WINDOWS, SPEED)
    with runner.pipeline:
        runner.start()
        killed_s = time.monotonic()
        for windows in range(10, WINDOWS, 10):
            runner.watch(windows)
            if time.monotonic() - killed_s > KILL_EVERY_S:
                runner.pipeline.stages.kill(chance.choice([*COMMAND_PATH, "field"]))
                killed_s = time.monotonic()
        runner.watch()
        runner.drain()
        report = runner.account().report
    assert report.accounted
    assert report.windows == WINDOWS
    assert report.duplicate_actuations == 0
    assert report.commands_confirmed == report.commands > 0
