"""The global stop: no command leaves any more, and every load returns to its own state."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.demo.runner import DemoRunner
from streams.stop_switch import set_stop, stop_file
from tests.support.demo_run import demo_runner

pytestmark = pytest.mark.kafka

LEASE_WINDOWS = 12
STAGGER_WINDOWS = 4


def watch_until(runner: DemoRunner, reached: Callable[[], bool], windows: int) -> None:
    """Follow the run until something is seen; at most so many windows."""
    start = len(runner.watcher.seen.windows)
    for number in range(start, start + windows):
        if reached():
            return
        runner.watch(number)
    assert reached()


def open_outputs(runner: DemoRunner) -> list[int]:
    """Outputs that are off in the newest window."""
    seen = runner.watcher.seen.windows
    newest = seen[max(seen)] if seen else None
    return [relay.output for relay in newest.relays if relay.on is False] if newest else []


def test_after_a_stop_nothing_is_commanded_and_leases_lapse_until_it_is_released(
    tmp_path: Path,
) -> None:
    """DESIGN decisions 8 and 9, S1-13: by the record alone, as on another machine."""
    runner = demo_runner(tmp_path, windows=400)
    with runner.pipeline:
        runner.start()
        seen = runner.watcher.seen
        watch_until(runner, lambda: bool(open_outputs(runner)), windows=120)
        settings = runner.pipeline.settings
        set_stop(settings, stopped=True, reason="test")
        stop_file(settings).unlink()
        time.sleep(1)
        runner.watch(len(seen.windows))
        before = len(seen.setpoints)
        runner.watch(len(seen.windows) + LEASE_WINDOWS + STAGGER_WINDOWS)
        assert len(seen.setpoints) == before
        assert open_outputs(runner) == []
        assert seen.rejected > 0
        set_stop(settings, stopped=False, reason="test")
        watch_until(runner, lambda: len(seen.setpoints) > before, windows=LEASE_WINDOWS)
        runner.watcher.close()
