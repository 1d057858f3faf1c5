"""Align measured on a real Kafka, in small; that it works, never how fast."""

import pytest

from streams.benchmarking.align_bench import GOAL_OF_BATCHES, GOAL_OF_CONSUME, run
from streams.benchmarking.rounds import Bench
from tests.streams.benchmarking.conftest import Steps


@pytest.mark.kafka
def test_align_and_its_peers_take_every_reading_in_every_round(bench: Bench, steps: Steps) -> None:
    """A run fails where align does not window every reading exactly once."""
    result = run(bench)
    assert result.sizes["readings"] == bench.readings
    assert {figure.unit for figure in result.figures} == {"readings/s", "us CPU/reading", "MB"}
    assert len(result.figures) == 12
    assert all(figure.measured.min > 0 for figure in result.figures)
    assert [bar.goal for bar in result.bars if bar.goal] == [GOAL_OF_CONSUME, GOAL_OF_BATCHES]
    assert all(len(bar.ratio.values) == bench.rounds for bar in result.bars)
    assert len(steps.done) == steps.expected
