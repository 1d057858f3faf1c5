"""Watermarks: what time it was, in a topic's partition, before each of its records.

A watermark is the running maximum of the pipeline clock at the records' append times, so it
never runs backwards and no device's own clock can move it. On the data clock, time comes from
the replay's ticks alone.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.clock import PipelineClock

UNKNOWN_MS: Final = -(2**62)
"""Watermark before anything was read: nothing can be late for it."""


class Watermark:
    """The watermark of one topic's partition [ms of pipeline time]."""

    def __init__(self, clock: PipelineClock, value_ms: int = UNKNOWN_MS) -> None:
        self._clock = clock
        self.value_ms = value_ms

    @property
    def known_ms(self) -> int | None:
        """The watermark, or None where nothing was read yet."""
        return None if self.value_ms == UNKNOWN_MS else self.value_ms

    def advance(self, append_ms: Sequence[int], tick_ms: Sequence[int | None]) -> NDArray[np.int64]:
        """Move over records in offset order; returns the watermark *before* each of them.

        Args:
            append_ms: log append time of each record [ms of wall time].
            tick_ms: the replay's time where the record is a tick of the data clock.
        """
        times = np.empty(len(append_ms) + 1, np.int64)
        times[0] = self.value_ms
        times[1:] = self._times(append_ms, tick_ms)
        np.maximum.accumulate(times, out=times)
        self.value_ms = int(times[-1])
        return times[:-1]

    def _times(self, append_ms: Sequence[int], tick_ms: Sequence[int | None]) -> NDArray[np.int64]:
        if self._clock.is_data_clock:
            return np.array([UNKNOWN_MS if t is None else t for t in tick_ms], np.int64)
        passed = np.array(append_ms, np.int64) - self._clock.append_origin_ms
        grid_ms: NDArray[np.int64] = np.rint(self._clock.speed * passed).astype(np.int64)
        grid_ms += self._clock.event_origin_ms
        return grid_ms
