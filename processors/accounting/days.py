"""Calendar days where the site is: from local midnight to local midnight."""

from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar day, ``[start_ms, end_ms)`` [ms since the epoch]; 23, 24 or 25 h, mostly."""

    start_ms: int
    end_ms: int

    def __contains__(self, time_ms: int) -> bool:
        """Whether an instant [ms since the epoch] is within the day."""
        return self.start_ms <= time_ms < self.end_ms


def day_of(time_ms: int, zone: ZoneInfo) -> Day:
    """The calendar day of ``zone`` that holds ``time_ms`` [ms since the epoch].

    Where clocks are changed at midnight, the day begins when its date does: at the change where
    00:00 is left out, and at the first 00:00 where there are two.
    """
    date = (_EPOCH + time_ms * _MS).astimezone(zone).date()
    following = date + timedelta(days=1)
    # Combined per date: 24 h later is not tomorrow where clocks change in between.
    start, end = (datetime.combine(day, time(), tzinfo=zone) for day in (date, following))
    return Day(start_ms=_ms(start), end_ms=_ms(end))


def _ms(moment: datetime) -> int:
    """An instant as [ms since the epoch]."""
    return (moment - _EPOCH) // _MS
