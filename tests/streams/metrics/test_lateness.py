"""What is shown of late readings and of clocks that are off."""

import logging

import pytest

from streams.metrics.lateness import LatenessMetrics
from streams.metrics.registry import StageRegistry
from tests.support.aligning_scenarios import Sent, aligner_for, columns, log_of, meter_site

MODEL = meter_site({"id": "m1", "rated_kw": 10}, {"id": "m2", "rated_kw": 10})
AHEAD = {"direction": "ahead", "stage": "align", "slot": "0"}


def minutes(device: str, *delays_ms: int) -> list[Sent]:
    """Readings every 5 s; each minute has another delay."""
    return [
        Sent(start_ms + t, device, start_ms + t - delay_ms, 1.0)
        for start_ms, delay_ms in zip(range(60_000, 600_000, 60_000), delays_ms, strict=False)
        for t in range(0, 60_000, 5_000)
    ]


def watched(readings: list[Sent], until_ms: int) -> StageRegistry:
    """The metrics of an align that has read a log, and looked at its delays every few records."""
    registry = StageRegistry("align", 0)
    metrics, aligner = LatenessMetrics(registry), aligner_for(MODEL)
    topics = log_of(readings, until_ms).records
    for low in range(0, max(map(len, topics.values())), 5):
        for kind, records in topics.items():
            aligner.consume(kind, columns(records[low : low + 5]))
        metrics.look({0: aligner})
    return registry


def test_delays_are_a_histogram_by_kind_of_telemetry() -> None:
    """S3-12: how late data come is seen, not guessed."""
    registry = watched(minutes("m1", 300, 1_500), 200_000)
    labels = {"kind": "meter", "stage": "align", "slot": "0"}
    name = "gridloom_reading_delay_seconds"

    def up_to(bound: str) -> float | None:
        return registry.get_sample_value(f"{name}_bucket", labels | {"le": bound})

    assert [up_to(bound) for bound in ("0.2", "0.5", "1.0", "2.0", "+Inf")] == [0, 12, 12, 24, 24]
    assert registry.get_sample_value(f"{name}_sum", labels) == pytest.approx(12 * 0.3 + 12 * 1.5)
    assert registry.get_sample_value(f"{name}_count", labels) == 24


def test_a_clock_that_goes_off_and_right_again_is_told_once_each(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        watched(minutes("m1", 100, -7_000, -7_000, 100, 100), 400_000)
    assert [record.getMessage() for record in caplog.records] == [
        "1 devices' clocks are off, or their readings are slow: site-a/m1 is ahead by at least 7 s",
        "1 devices' clocks are right again: site-a/m1",
    ]


def test_the_worst_clock_is_shown_with_how_many_there_are() -> None:
    both = minutes("m1", -2_000, -2_000) + minutes("m2", -7_000, -7_000)
    registry = watched(both, 182_000)
    assert registry.get_sample_value("gridloom_clock_skew_devices", AHEAD) == 2
    assert registry.get_sample_value("gridloom_clock_skew_seconds", AHEAD) == 7.0


def test_no_skew_is_shown_as_none() -> None:
    registry = watched(minutes("m1", 100, 100), 182_000)
    assert registry.get_sample_value("gridloom_clock_skew_devices", AHEAD) == 0
    assert registry.get_sample_value("gridloom_clock_skew_seconds", AHEAD) == 0
