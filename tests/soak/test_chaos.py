"""Every kind of fault at random, seed by seed; only `make soak` runs it."""

from pathlib import Path

import pytest

from streams.chaos.plan import make_plan
from streams.chaos.runner import ChaosRunner, run_chaos
from tests.support.demo_run import SilentView, demo_runner

pytestmark = [pytest.mark.soak, pytest.mark.kafka, pytest.mark.timeout(1_200)]

SEEDS = range(1, 21)
SECONDS = 90.0
SPEED = 10.0


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_doubled_or_different_whatever_is_done_to_it(
    tmp_path: Path, seed: int
) -> None:
    """The loop ends as an undisturbed align over the same log does, and catches up by itself."""
    runner = demo_runner(tmp_path, windows=round(SECONDS * SPEED / 5), speed=SPEED)
    assert isinstance(runner.view, SilentView)
    chaos = ChaosRunner(runner, make_plan(seed, SECONDS), SECONDS, runner.view)
    report = run_chaos(chaos, seed)
    assert report.problems == ()
    assert (report.lost, report.doubled, report.different) == (0, 0, 0)
    assert report.duplicate_actuations == 0
    assert report.catch_up_s is not None
    assert len(report.faults) > 15
    assert report.readings.replayed > 10_000
