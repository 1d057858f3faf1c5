"""Scaling out: what ten million meters need by calculation; and two processes on a real Kafka."""

import os
import time

import pytest

from streams.benchmarking.align_workload import SITES
from streams.benchmarking.cpu_time import cpu_seconds
from streams.benchmarking.rounds import Bench
from streams.benchmarking.scale_bed import Together
from streams.benchmarking.scale_bench import run
from streams.benchmarking.scale_needs import (
    METERS,
    METERS_PER_PROCESS,
    MOST_BUSY,
    MeasuredCost,
    needs_of,
)
from streams.benchmarking.scale_worker import Share
from tests.streams.benchmarking.conftest import Steps


def needs(align_cpu_us: float) -> dict[tuple[str, str], float]:
    """What ten million meters need where align takes so long for a reading."""
    cost = MeasuredCost(align_cpu_us=align_cpu_us, broker_cpu_us=1.5, bytes_in=250, bytes_out=50)
    return {(each.name, each.unit): each.value for each in needs_of(cost)}


def test_ten_million_meters_are_two_million_readings_per_second() -> None:
    found = needs(align_cpu_us=2.0)
    assert found["readings", "1/s"] == 2_000_000
    assert found["align", "cores busy"] == pytest.approx(4)
    assert found["brokers", "cores busy"] == pytest.approx(3)
    assert found["Kafka, into telemetry", "MB/s"] == found["Kafka, out to align", "MB/s"] == 500
    assert found["Kafka, windows in, and out to store", "MB/s"] == 100


@pytest.mark.parametrize(
    ("align_cpu_us", "processes"),
    [
        (2.0, METERS // METERS_PER_PROCESS),  # memory decides
        (60.0, round(2_000_000 * 60e-6 / MOST_BUSY)),  # CPU does
    ],
)
def test_processes_are_as_many_as_memory_and_cpu_both_want(
    align_cpu_us: float, processes: int
) -> None:
    found = needs(align_cpu_us)
    assert found["align", "processes"] == processes
    assert found["telemetry", "partitions"] > processes


def test_cpu_time_together_is_weighed_by_readings() -> None:
    shares = (
        Share(readings=300, began_s=0.0, ended_s=1.0, cpu_s=0.3),
        Share(readings=100, began_s=0.0, ended_s=0.5, cpu_s=0.3),
    )
    assert Together(shares, readings_per_s=400.0, broker_cpu_us=0.0).cpu_us == 1_500
    assert [share.readings_per_s for share in shares] == [300, 200]


def test_cpu_time_of_a_process_grows_while_it_works() -> None:
    before_s, until_s = cpu_seconds(os.getpid()), time.process_time() + 0.1
    while time.process_time() < until_s:
        pass
    assert cpu_seconds(os.getpid()) > before_s


def test_cpu_time_of_a_process_that_has_ended_is_not_known() -> None:
    assert cpu_seconds(2**22 + 1) == 0


@pytest.mark.soak
def test_two_processes_window_every_reading_once_between_them(bench: Bench, steps: Steps) -> None:
    """Consumer groups spread sites over processes (DESIGN decision 1)."""
    result = run(bench)
    rates = {each.name: each.measured.min for each in result.figures if each.unit == "readings/s"}
    assert all(rate > 0 for rate in rates.values())
    assert {"2 processes: slot 0 alone", "2 processes: slot 1 alone"} <= rates.keys()
    assert result.sizes["sites"] == SITES
    assert len(steps.done) == steps.expected
