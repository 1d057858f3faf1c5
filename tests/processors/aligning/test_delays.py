"""How late readings come, and whose clock is off."""

import pytest

from processors.aligning.delays import PERIOD_MS, Delays, Skew
from schemas.clock import PipelineClock
from schemas.units import TelemetryKind
from tests.support.aligning_scenarios import (
    SITE,
    T0,
    Sent,
    aligner_for,
    feed,
    log_of,
    meter_site,
)

SITE_MODEL = meter_site(
    {"id": "m1", "rated_kw": 10},
    {"id": "m2", "rated_kw": 10, "quantities": ["active_power", "voltage"]},
)


def watched(readings: list[Sent], until_ms: int = 70_000) -> Delays:
    """The delays of an aligner that has read a log."""
    aligner = aligner_for(SITE_MODEL)
    feed(aligner, log_of(readings, until_ms))
    return aligner.delays


def every_5_s(device: str, delay_ms: int, quantity: str = "active_power") -> list[Sent]:
    unit = "V" if quantity == "voltage" else "kW"
    return [
        Sent(t, device, t - delay_ms, 1.0, quantity, unit) for t in range(30_000, 60_000, 5_000)
    ]


def skews(readings: list[Sent]) -> list[Skew]:
    delays = watched(readings)
    assert delays.skewed(T0) is None
    return delays.skewed(T0 + PERIOD_MS) or []


@pytest.mark.parametrize(
    ("delay_ms", "found"),
    [(-5_000, 1), (-1_001, 1), (-1_000, 0), (0, 0), (15_000, 0), (15_001, 1)],
)
def test_a_clock_that_is_off_is_found(delay_ms: int, found: int) -> None:
    """A reading cannot come before it was measured, and should not always come late."""
    expected = [Skew(SITE, "m1", delay_ms)] * found
    assert skews(every_5_s("m1", delay_ms) + every_5_s("m2", 100)) == expected


def test_one_late_reading_makes_no_slow_clock() -> None:
    late = Sent(55_000, "m1", 30_000, 1.0)
    assert skews([*every_5_s("m1", 100), late]) == []


def test_one_series_that_is_slow_makes_no_slow_device() -> None:
    """Voltages are often collected later than powers."""
    assert skews(every_5_s("m2", 100) + every_5_s("m2", 20_000, "voltage")) == []


def test_a_clock_so_far_off_that_nothing_counts_is_found_too() -> None:
    """Its readings are all dead letters or too late: that is when one wants to know."""
    far = skews(every_5_s("m1", -3_600_000) + every_5_s("m2", 25_000))
    assert far == [Skew(SITE, "m1", -3_600_000), Skew(SITE, "m2", 25_000)]
    assert [skew.is_ahead for skew in far] == [True, False]


def test_every_period_judges_anew() -> None:
    delays = watched(every_5_s("m1", -5_000))
    delays.skewed(T0)
    assert delays.skewed(T0 + PERIOD_MS) != []
    assert delays.skewed(T0 + PERIOD_MS + 1) is None
    assert delays.skewed(T0 + 2 * PERIOD_MS) == []


def test_delays_are_counted_once() -> None:
    delays = watched(every_5_s("m1", 300))
    noted = delays.taken()[TelemetryKind.METER]
    assert (int(noted.counts.sum()), noted.sum_ms) == (6, 1_800)
    assert delays.taken() == {}


def test_on_the_data_clock_there_are_no_delays() -> None:
    """Its time is the replay's, which says nothing of any device."""
    aligner = aligner_for(SITE_MODEL, PipelineClock(speed=0.0))
    feed(aligner, log_of(every_5_s("m1", 300), 60_000))
    assert aligner.delays.taken() == {}
