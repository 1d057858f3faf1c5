"""A stage that keeps crashing, on real processes: the others go on, and somebody is told."""

import http.client
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.supervisor import TOO_OFTEN
from schemas.clock import PipelineClock
from schemas.settings import Settings
from streams.local_pipeline import LocalPipeline
from streams.metrics import SUPERVISOR, free_base_port, port_of

pytestmark = pytest.mark.kafka

PATIENCE_S = 60.0
DATA_CLOCK = PipelineClock(speed=0.0)
"""Gate refuses to start on it; align does its work."""


class Crashing:
    """A pipeline of align, and of a gate that cannot start."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.said: list[str] = []
        self.pipeline = LocalPipeline(settings, folder, report=self.said.append)

    def poll_until_told(self) -> None:
        """Supervise until somebody is told that the gate keeps crashing."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not any("keeps crashing" in text for text in self.said):
            self.pipeline.stages.poll()
            assert time.monotonic() < deadline_s, self.said
            time.sleep(0.05)

    def ask(self, path: str) -> tuple[int, str]:
        """What the supervising process answers."""
        port = port_of(self.pipeline.settings, SUPERVISOR)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", path)
        response = connection.getresponse()
        answer = response.status, response.read().decode()
        connection.close()
        return answer


@pytest.fixture
def crashing(tmp_path: Path) -> Iterator[Crashing]:
    settings = Settings.model_validate({"metrics": {"port": free_base_port()}})
    made = Crashing(settings, tmp_path)
    with made.pipeline as pipeline:
        pipeline.up(DATA_CLOCK)
        pipeline.stages.start(["align"])
        pipeline.stages.wait_until_ready(["align"])
        yield made


def test_a_stage_that_keeps_crashing_backs_off_alerts_and_takes_no_other_down(
    crashing: Crashing,
) -> None:
    """Issue 5, build 4."""
    stages = crashing.pipeline.stages
    align = stages.pids["align"]
    assert crashing.ask("/readyz")[0] in {200, 503}
    stages.start(["gate"])
    crashing.poll_until_told()
    quiet, loud = crashing.said[:-1], crashing.said[-1]
    assert [text for text in quiet if text.startswith("gate ended with status 1")]
    assert f"gate keeps crashing: {TOO_OFTEN} times in 2 min" in loud
    assert str(crashing.pipeline.folder / "logs" / "gate.log") in loud
    status, told = crashing.ask("/readyz")
    assert status == 503
    assert "gate keeps crashing" in told
    text = crashing.ask("/metrics")[1]
    counted = 'gridloom_supervised_crashes_total{child="%s",slot="0",stage="supervisor"} %.1f'
    assert counted % ("gate", TOO_OFTEN) in text
    assert counted % ("align", 0) in text
    assert stages.pids["align"] == align
    stages.wait_until_ready(["align"])
