"""Memory of align by meters, measured on a real Kafka, in small."""

import os

import pytest

from streams.benchmarking.align_bed import Run
from streams.benchmarking.memory import peak_memory_mb, resident_memory_mb
from streams.benchmarking.memory_bench import (
    GOAL_MB,
    QUICK_METERS,
    bytes_per_meter,
    for_many_meters,
    growth,
    run,
)
from streams.benchmarking.rounds import Bench
from tests.streams.benchmarking.conftest import Steps


def runs(peak_mb: float, steady_mb: float) -> list[Run]:
    """One run with so much memory."""
    return [Run(readings_per_s=1.0, cpu_us=1.0, peak_mb=peak_mb, steady_mb=steady_mb)]


def test_one_more_meter_costs_the_slope_between_the_least_and_the_most() -> None:
    found = {1_000: runs(100, 90), 10_000: runs(110, 95), 100_000: runs(298, 280)}
    assert bytes_per_meter(found).value == pytest.approx(2_000)


def test_ten_million_meters_are_reckoned_in_processes_of_the_largest_size() -> None:
    found = {1_000: runs(100, 90), 100_000: runs(300, 280)}
    assert for_many_meters(found).value == pytest.approx(100 * 300 / 1_000)


def test_growth_is_shown_beside_the_goal() -> None:
    """DESIGN, "Speed to reach": align memory at 100,000 meters."""
    peak, steady = growth({1_000: runs(100, 90), 100_000: runs(298, 280)})
    assert list(peak.points) == [(1_000, 100), (100_000, 298)]
    assert list(steady.points) == [(1_000, 90), (100_000, 280)]
    assert peak.at_most == GOAL_MB == 400


def test_resident_memory_is_that_of_the_process_and_not_above_its_peak() -> None:
    (now_mb,) = resident_memory_mb(os.getpid())
    assert 10 < now_mb <= peak_memory_mb()


def test_a_process_that_has_ended_has_no_memory() -> None:
    assert resident_memory_mb(2**22 + 1) == []


@pytest.mark.kafka
def test_every_size_has_its_peak_and_its_steady_state(bench: Bench, steps: Steps) -> None:
    result = run(bench)
    megabytes = [figure for figure in result.figures if figure.unit == "MB"]
    assert len(megabytes) == 2 * len(QUICK_METERS)
    assert all(figure.measured.min > 10 for figure in megabytes)
    assert len(steps.done) == steps.expected
