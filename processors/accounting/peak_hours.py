"""When energy is dear: hours of the day that a tariff calls its peak, where the site is."""

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

_QUARTER_MS: Final = 900_000
"""No zone's clock is off by less than this [ms]."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS: Final = 24


class PeakHours(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of every day, ``[first, end)``, 0 to 24 o'clock of the site's own time.

    Raises:
        ValueError: there is no hour between them.
    """

    first: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.first < self.end <= _HOURS:
            message = f"{self} are no hours of a day: 16-21 is 16:00 to 21:00"
            raise ValueError(message)

    def __str__(self) -> str:
        return f"{self.first}-{self.end}"

    def hold(self, times_ms: NDArray[np.int64], zone: ZoneInfo) -> NDArray[np.bool_]:
        """Whether each instant [ms since the epoch] lies in the peak hours; shape as given."""
        quarters, place = np.unique(times_ms // _QUARTER_MS, return_inverse=True)
        hours = [_hour(int(quarter) * _QUARTER_MS, zone) for quarter in quarters]
        within = np.array([self.first <= hour < self.end for hour in hours], dtype=np.bool_)
        return within[place]


def _hour(time_ms: int, zone: ZoneInfo) -> int:
    """The hour that a clock shows, 0 to 23."""
    return (_EPOCH + timedelta(milliseconds=time_ms)).astimezone(zone).hour
