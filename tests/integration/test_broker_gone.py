"""Kafka dies in mid-run and comes back: nothing is lost, nothing is counted twice."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.demo_run import demo_runner

pytestmark = pytest.mark.kafka

AWAY_S = 3.0


def test_the_loop_goes_on_after_the_broker_was_killed(tmp_path: Path) -> None:
    """Every stage waits or starts anew; the accounting stays exact."""
    runner = demo_runner(tmp_path, windows=75)
    with runner.pipeline:
        runner.start()
        runner.watch(25)
        kafka = runner.pipeline.kafka
        assert kafka.pid is not None
        os.kill(kafka.pid, signal.SIGKILL)
        kafka.stop()
        time.sleep(AWAY_S)
        kafka.start()
        runner.watch()
        runner.drain()
        report = runner.account().report
    assert report.accounted
    assert report.decisions >= 0.95 * report.windows
    assert report.commands_confirmed == report.commands > 0
    assert report.duplicate_actuations == 0
