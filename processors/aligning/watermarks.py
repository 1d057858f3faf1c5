"""Watermarks: what time it was, in a topic's partition, before each of its records.

A watermark is the running maximum of the pipeline clock at the records' append times, so it
never runs backwards and no device's own clock can move it. On the data clock, time comes from
the replay's ticks alone.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.aligning.records import Records
from schemas.clock import PipelineClock

UNKNOWN_MS: Final = -(2**62)
"""Watermark before anything was read: nothing can be late for it."""


@dataclass(frozen=True, slots=True)
class Times:
    """What time it was at each record [ms of pipeline time]; int64 arrays.

    Attributes:
        before_ms: the watermark before it.
        now_ms: the clock when it was appended; UNKNOWN_MS where nothing is known yet.
    """

    before_ms: NDArray[np.int64]
    now_ms: NDArray[np.int64]


class Watermark:
    """The watermark of one topic's partition [ms of pipeline time]."""

    def __init__(self, clock: PipelineClock, value_ms: int = UNKNOWN_MS) -> None:
        self._clock = clock
        self.value_ms = value_ms

    @property
    def known_ms(self) -> int | None:
        """The watermark, or None where nothing was read yet."""
        return None if self.value_ms == UNKNOWN_MS else self.value_ms

    def advance(self, records: Records) -> Times:
        """Move over records; returns what time it was at each of them."""
        reached = np.empty(len(records) + 1, np.int64)
        reached[0] = self.value_ms
        reached[1:] = now_ms = self._now(records)
        np.maximum.accumulate(reached, out=reached)
        self.value_ms = int(reached[-1])
        before_ms = reached[:-1]
        return Times(before_ms, before_ms if self._clock.is_data_clock else now_ms)

    def _now(self, records: Records) -> NDArray[np.int64]:
        """The clock at each record, as far as the record tells."""
        if self._clock.is_data_clock:
            times = np.full(len(records), UNKNOWN_MS, np.int64)
            for place, tick_ms in records.ticks.items():
                times[place] = UNKNOWN_MS if tick_ms is None else tick_ms
            return times
        passed = records.append_ms - self._clock.append_origin_ms
        grid_ms: NDArray[np.int64] = np.rint(self._clock.speed * passed).astype(np.int64)
        grid_ms += self._clock.event_origin_ms
        return grid_ms
