"""The readings that windows which are not final still need, and what came before them."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from processors.aligning.resampling import IntArray, StepFunctions
from processors.aligning.watermarks import UNKNOWN_MS


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """Readings as columns, any order.

    Attributes:
        series: series number.
        time_ms: event time [ms].
        value: fixed point.
        offset: Kafka offset of the record that carried it.
        watermark_ms: watermark of its topic's partition before that offset [ms].
        event_id: identity; object array of str.
    """

    series: IntArray
    time_ms: IntArray
    value: IntArray
    offset: IntArray
    watermark_ms: IntArray
    event_id: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.series)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> "ReadingColumns":
        """The readings at ``which``: a mask or positions."""
        return ReadingColumns(*(getattr(self, field.name)[which] for field in fields(self)))

    def joined(self, other: "ReadingColumns") -> "ReadingColumns":
        """These readings and then the others."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return ReadingColumns(*(np.concatenate(pair) for pair in pairs))


def no_readings() -> ReadingColumns:
    """Columns of length zero."""
    none = np.zeros(0, np.int64)
    return ReadingColumns(none, none, none, none, none, np.zeros(0, np.object_))


class OpenReadings:
    """Accepted readings of the open windows, and the last one of every series before them.

    Of two readings with the same series and time the one with the greatest event id is kept,
    so the outcome does not depend on their order.
    """

    def __init__(self) -> None:
        self._open = no_readings()
        self._carried_ms: IntArray = np.zeros(0, np.int64)
        self._carried_value: IntArray = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self._open)

    def grow(self, series: int) -> None:
        """Make room for carried readings of ``series`` series."""
        more = series - len(self._carried_ms)
        self._carried_ms = np.concatenate([self._carried_ms, np.full(more, UNKNOWN_MS, np.int64)])
        self._carried_value = np.concatenate([self._carried_value, np.zeros(more, np.int64)])

    def insert(self, new: ReadingColumns) -> int:
        """Add accepted readings; returns how many of them were new (the rest: duplicates)."""
        both = self._open.joined(new)
        both = both.take(np.lexsort((both.time_ms, both.series)))
        same = (both.series[1:] == both.series[:-1]) & (both.time_ms[1:] == both.time_ms[:-1])
        if same.any():
            both = _greatest_ids(both, same)
        added = len(both) - len(self._open)
        self._open = both
        return added

    def carry_before(self, border_ms: int) -> NDArray[np.intp]:
        """Move readings before ``border_ms`` to the carried ones; returns the series changed."""
        passed = self._open.time_ms < border_ms
        gone = self._open.take(passed)
        self._open = self._open.take(~passed)
        # Sorted by time within a series: the last assignment, the newest reading, stays.
        self._carried_ms[gone.series] = gone.time_ms
        self._carried_value[gone.series] = gone.value
        return np.unique(gone.series).astype(np.intp)

    def carry(self, series: int, time_ms: int, value: int) -> None:
        """Set the carried reading of a series, as read from a snapshot."""
        self._carried_ms[series] = time_ms
        self._carried_value[series] = value

    def carried(self, series: int) -> tuple[int, int] | None:
        """Time [ms] and value (fixed point) carried for a series, or None."""
        time_ms = int(self._carried_ms[series])
        return None if time_ms == UNKNOWN_MS else (time_ms, int(self._carried_value[series]))

    def steps(self) -> StepFunctions:
        """Carried and open readings together, sorted by (series, time)."""
        known = np.flatnonzero(self._carried_ms != UNKNOWN_MS)
        series = np.concatenate([known, self._open.series])
        time_ms = np.concatenate([self._carried_ms[known], self._open.time_ms])
        value = np.concatenate([self._carried_value[known], self._open.value])
        # A carried reading is older than every open one of its series, so a stable sort by
        # series alone keeps the times in order.
        order = np.argsort(series, kind="stable")
        return StepFunctions(series=series[order], time_ms=time_ms[order], value=value[order])

    def oldest_ms(self) -> int | None:
        """Time of the oldest open reading [ms], or None."""
        return int(self._open.time_ms.min()) if len(self._open) else None

    def oldest_offset(self, of_series: NDArray[np.bool_]) -> tuple[int, int] | None:
        """Least offset among the open readings of the given series (mask by number).

        Returns:
            The offset and the watermark before it [ms], or None where there are none.
        """
        chosen = np.flatnonzero(of_series[self._open.series])
        if not len(chosen):
            return None
        first = chosen[int(np.argmin(self._open.offset[chosen]))]
        return int(self._open.offset[first]), int(self._open.watermark_ms[first])


def _greatest_ids(both: ReadingColumns, same: NDArray[np.bool_]) -> ReadingColumns:
    """Of each run of equal (series, time) only the reading with the greatest event id."""
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    ends = np.append(starts[1:], len(both))
    keep = starts.copy()
    for run in np.flatnonzero(ends - starts > 1):
        candidates = range(int(starts[run]), int(ends[run]))
        keep[run] = max(candidates, key=lambda i: (both.event_id[i], int(both.value[i])))
    return both.take(keep)
