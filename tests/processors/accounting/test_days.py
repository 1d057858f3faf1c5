"""Calendar days by local time, clock changes included."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.accounting.days import day_of

HOUR_MS = 3_600_000
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # changes its clocks at midnight and at 01:00
    "America/Santiago",  # changes its clocks at midnight
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # by half an hour
)


def ms(text: str) -> int:
    """An instant in ISO 8601 as [ms since the epoch]."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@given(
    time_ms=st.integers(1_420_070_400_000, 2_082_758_400_000),  # 2015 to 2035
    zone=st.sampled_from(ZONES),
)
def test_days_adjoin_and_each_instant_is_in_the_day_of_its_date(time_ms: int, zone: str) -> None:
    """S1-12: "today" is the day of the site, whatever its clocks do."""
    local = ZoneInfo(zone)
    day = day_of(time_ms, local)
    assert time_ms in day
    assert day_of(day.start_ms, local) == day == day_of(day.end_ms - 1, local)
    assert day_of(day.end_ms, local).start_ms == day.end_ms
    assert 23 * HOUR_MS <= day.end_ms - day.start_ms <= 25 * HOUR_MS


@pytest.mark.parametrize(
    ("zone", "moment", "start", "hours"),
    [
        ("Europe/Berlin", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", 23),
        ("Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-25T00:00+02:00", 25),
        ("Europe/Berlin", "2026-06-01T00:00+02:00", "2026-06-01T00:00+02:00", 24),
        ("Asia/Beirut", "2026-03-29T12:00+03:00", "2026-03-29T01:00+03:00", 23),
        ("America/Havana", "2026-11-01T00:30-05:00", "2026-11-01T00:00-04:00", 25),
        ("Australia/Lord_Howe", "2026-04-05T12:00+10:30", "2026-04-05T00:00+11:00", 24.5),
    ],
)
def test_a_day_is_shorter_or_longer_where_clocks_change(
    zone: str, moment: str, start: str, hours: float
) -> None:
    """S1-12: local midnight, also where 00:00 is left out or comes twice."""
    day = day_of(ms(moment), ZoneInfo(zone))
    assert day.start_ms == ms(start)
    assert day.end_ms - day.start_ms == hours * HOUR_MS
