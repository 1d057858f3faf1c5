"""Instants in the words of the place that the page is for."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS: Final = (("day", 86_400), ("h", 3_600), ("min", 60))


def local(time_ms: int, zone: ZoneInfo) -> datetime:
    """An instant [ms since the epoch] where the clocks show ``zone``."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone)


def clock_text(time_ms: int, zone: ZoneInfo) -> str:
    """Time of day, to the second."""
    return f"{local(time_ms, zone):%H:%M:%S}"


def stamp_text(time_ms: int, zone: ZoneInfo) -> str:
    """Date, time of day and the name of the time, such as ``CET``."""
    return f"{local(time_ms, zone):%Y-%m-%d %H:%M:%S %Z}"


def fixed_zone(time_ms: int, zone: ZoneInfo) -> timezone:
    """The offset from UTC that holds at an instant, as a zone without clock changes.

    A chart's axis needs one: across a clock change local time runs backwards or leaps.
    """
    return timezone(local(time_ms, zone).utcoffset() or timedelta())


def axis_time(time_ms: int, times: timezone) -> datetime:
    """An instant as a chart's axis takes it: a date and time without a zone."""
    return datetime.fromtimestamp(time_ms / 1000, times).replace(tzinfo=None)


def duration_text(seconds: float) -> str:
    """A length of time in its greatest unit: ``12 s``, ``3 min``, ``5 h``, ``2 days``."""
    for unit, length_s in _UNITS:
        if seconds >= length_s:
            count = int(seconds // length_s)
            return f"{count:,} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{seconds:.0f} s"
