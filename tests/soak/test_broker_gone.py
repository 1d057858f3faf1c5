"""Kafka dies in mid-run and comes back: nothing is lost, nothing is counted twice."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.demo_run import demo_runner

pytestmark = [pytest.mark.kafka, pytest.mark.soak]

AWAY_S = 3.0
WINDOWS = 75
MOST_WINDOWS = 250
"""The stages may need half a minute to come back, five minutes of pipeline time."""


def test_the_loop_goes_on_after_the_broker_was_killed(tmp_path: Path) -> None:
    """Every stage waits or starts anew; the accounting stays exact."""
    runner = demo_runner(tmp_path, windows=WINDOWS)
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
        seen = runner.watcher.seen
        while len(seen.plans) < WINDOWS and len(seen.windows) < MOST_WINDOWS:
            runner.watch(len(seen.windows))
        runner.drain()
        report = runner.account().report
    assert report.accounted
    assert report.decisions >= 0.95 * report.windows
    assert report.commands_confirmed == report.commands > 0
    assert report.duplicate_actuations == 0
