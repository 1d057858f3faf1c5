"""How late readings come, and which devices' clocks cannot be right.

A reading's delay is the pipeline clock at its append less its own time. No reading can come
before it was measured: a negative delay is a clock that is ahead. A device whose *least* delay
of a whole minute is long has a clock that is behind, or a way that is too slow; either way its
readings are on the border of being too late.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.aligning.series import SeriesTable
from schemas.units import TelemetryKind
from schemas.windows import LATENESS_MS

PERIOD_MS: Final = 60_000
"""Time over which a device is watched before it is judged [ms] (ours)."""

AHEAD_MS: Final = 1_000
"""A clock so far ahead is reported [ms]: more than clocks on a network differ (ours)."""

BEHIND_MS: Final = LATENESS_MS // 2
"""A least delay above it is reported [ms]: half of what makes a reading too late (ours)."""

BOUNDS_MS: Final = (0, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000)
"""Upper bounds of the buckets that delays are counted in [ms]; the first is for the future."""

_NONE_MS: Final = 2**62


@dataclass(frozen=True, slots=True)
class Skew:
    """A device whose clock is off.

    Attributes:
        site, device: which.
        delay_ms: its least delay [ms]: negative where its clock is ahead by at least so much.
    """

    site: str
    device: str
    delay_ms: int

    @property
    def is_ahead(self) -> bool:
        """Whether the device lives in the future."""
        return self.delay_ms < 0


@dataclass(slots=True)
class Distribution:
    """How many readings came how late.

    Attributes:
        counts: readings in each bucket of BOUNDS_MS, and above the last.
        sum_ms: of all delays [ms].
    """

    counts: NDArray[np.int64] = field(
        default_factory=lambda: np.zeros(len(BOUNDS_MS) + 1, np.int64)
    )
    sum_ms: int = 0

    def note(self, delay_ms: NDArray[np.int64]) -> None:
        """Count delays [ms]."""
        bucket = np.searchsorted(BOUNDS_MS, delay_ms)
        self.counts += np.bincount(bucket, minlength=len(self.counts))
        self.sum_ms += int(delay_ms.sum())

    def add(self, other: "Distribution") -> None:
        """Count what another has counted."""
        self.counts += other.counts
        self.sum_ms += other.sum_ms


class Delays:
    """Delays of one partition's readings.

    Args:
        table: the partition's series.
    """

    def __init__(self, table: SeriesTable) -> None:
        self._noted: dict[TelemetryKind, Distribution] = {}
        self._table = table
        self._least_ms: NDArray[np.int64] = np.zeros(0, np.int64)
        self._since_ms: int | None = None

    def note(
        self, kind: TelemetryKind, series: NDArray[np.int64], delay_ms: NDArray[np.int64]
    ) -> None:
        """Take the delays [ms] of readings of known series."""
        if not len(series):
            return
        self._noted.setdefault(kind, Distribution()).note(delay_ms)
        more = len(self._table) - len(self._least_ms)
        self._least_ms = np.concatenate([self._least_ms, np.full(more, _NONE_MS, np.int64)])
        np.minimum.at(self._least_ms, series, delay_ms)

    def taken(self) -> dict[TelemetryKind, Distribution]:
        """What was noted since the last call, by telemetry kind."""
        noted, self._noted = self._noted, {}
        return noted

    def skewed(self, now_ms: int) -> list[Skew] | None:
        """The devices whose clocks are off, once a period; None in between.

        Args:
            now_ms: the partition's watermark [ms].
        """
        if self._since_ms is None:
            self._since_ms = now_ms
        if now_ms < self._since_ms + PERIOD_MS:
            return None
        by_device = np.full(len(self._least_ms), _NONE_MS, np.int64)
        first_of_device = self._table.columns.device[: len(by_device)]
        np.minimum.at(by_device, first_of_device, self._least_ms)
        off = (by_device < -AHEAD_MS) | ((by_device > BEHIND_MS) & (by_device < _NONE_MS))
        self._least_ms[:] = _NONE_MS
        self._since_ms = now_ms
        return [self._skew(series, int(by_device[series])) for series in np.flatnonzero(off)]

    def _skew(self, series: np.intp, delay_ms: int) -> Skew:
        site, name = self._table.name_of(int(series))
        return Skew(site, name.device, delay_ms)
