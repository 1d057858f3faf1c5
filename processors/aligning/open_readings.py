"""The readings that windows which are not final still need, and what came before them."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.aligning.event_ids import EventIds
from processors.aligning.resampling import IntArray, StepFunctions
from processors.aligning.watermarks import UNKNOWN_MS
from schemas.windows import WINDOW_MS

_KEY_LIMIT: Final = 2**62


@dataclass(frozen=True, slots=True)
class ReadingColumns:
    """Readings as columns, any order; int64 arrays.

    Attributes:
        series: series number.
        time_ms: event time [ms].
        value: fixed point.
        offset: Kafka offset of the record that carried it.
        watermark_ms: watermark of its topic's partition before that offset [ms].
        event_id: where its identity stands in a list of them.
    """

    series: IntArray
    time_ms: IntArray
    value: IntArray
    offset: IntArray
    watermark_ms: IntArray
    event_id: IntArray

    def __len__(self) -> int:
        return len(self.series)

    def take(self, which: NDArray[np.bool_] | NDArray[np.intp] | slice) -> "ReadingColumns":
        """The readings at ``which``: a mask, positions or a slice."""
        return ReadingColumns(*(getattr(self, field.name)[which] for field in fields(self)))

    def joined(self, other: "ReadingColumns") -> "ReadingColumns":
        """These readings and then the others."""
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return ReadingColumns(*(np.concatenate(pair) for pair in pairs))


class _Identities:
    """The identities of open readings: whole blocks as they came, numbered through."""

    def __init__(self) -> None:
        self._blocks: list[tuple[int, int, EventIds]] = []
        self._next = 0

    def add(self, event_ids: EventIds, until_ms: int) -> int:
        """Keep identities of readings up to ``until_ms``; returns the first one's number."""
        first = self._next
        self._blocks.append((first, until_ms, event_ids))
        self._next += len(event_ids)
        return first

    def __getitem__(self, number: int) -> bytes:
        at = bisect_right(self._blocks, number, key=lambda entry: entry[0]) - 1
        first, _, event_ids = self._blocks[at]
        return event_ids[number - first]

    def forget_before(self, border_ms: int) -> None:
        """Drop the blocks of which all readings are before ``border_ms``."""
        self._blocks = [entry for entry in self._blocks if entry[1] >= border_ms]


class OpenReadings:
    """Accepted readings of the open windows, and the last one of every series before them.

    Readings lie in the window of their event time, sorted by (series, time), so that a new one
    moves no others than its window's. Of two readings with the same series and time the one
    with the greatest event id is kept: the outcome does not depend on their order.
    """

    def __init__(self) -> None:
        self._open: dict[int, ReadingColumns] = {}
        self._identities = _Identities()
        self._carried_ms: IntArray = np.zeros(0, np.int64)
        self._carried_value: IntArray = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return sum(len(readings) for readings in self._open.values())

    def grow(self, series: int) -> None:
        """Make room for carried readings of at least ``series`` series."""
        if series > len(self._carried_ms):
            more = max(series, 2 * len(self._carried_ms)) - len(self._carried_ms)
            unknown = np.full(more, UNKNOWN_MS, np.int64)
            self._carried_ms = np.concatenate([self._carried_ms, unknown])
            self._carried_value = np.concatenate([self._carried_value, np.zeros(more, np.int64)])

    def insert(self, new: ReadingColumns, event_ids: EventIds) -> int:
        """Add accepted readings; returns how many of them were new (the rest: duplicates).

        Args:
            new: at least one.
            event_ids: identities, in which ``new.event_id`` are places.
        """
        new.event_id[:] += self._identities.add(event_ids, int(new.time_ms.max()))
        new = new.take(_by_window(new))
        window = new.time_ms // WINDOW_MS
        lows = [0, *(np.flatnonzero(window[1:] != window[:-1]) + 1).tolist()]
        return sum(
            self._insert_into(int(window[low]) * WINDOW_MS, new.take(slice(low, high)))
            for low, high in zip(lows, [*lows[1:], len(new)], strict=True)
        )

    def _insert_into(self, start_ms: int, new: ReadingColumns) -> int:
        """Add sorted readings to their window; returns how many were new."""
        old = self._open.get(start_ms)
        both = new if old is None else _merged(old, new)
        same = (both.series[1:] == both.series[:-1]) & (both.time_ms[1:] == both.time_ms[:-1])
        if same.any():
            both = self._greatest_ids(both, same)
        self._open[start_ms] = both
        return len(both) - (0 if old is None else len(old))

    def _greatest_ids(self, both: ReadingColumns, same: NDArray[np.bool_]) -> ReadingColumns:
        """Of each run of equal (series, time) only the reading with the greatest event id."""
        starts = np.flatnonzero(np.concatenate([[True], ~same]))
        ends = np.append(starts[1:], len(both))
        keep = starts.copy()

        def rank(place: int) -> tuple[bytes, int]:
            return self._identities[int(both.event_id[place])], int(both.value[place])

        for run in np.flatnonzero(ends - starts > 1):
            keep[run] = max(range(int(starts[run]), int(ends[run])), key=rank)
        return both.take(keep)

    def carry_before(self, border_ms: int) -> NDArray[np.intp]:
        """Move readings before ``border_ms`` to the carried ones; returns the series changed.

        ``border_ms`` is a window's start.
        """
        changed = np.zeros(len(self._carried_ms), np.bool_)
        for start_ms in self._starts_before(border_ms):
            gone = self._open.pop(start_ms)
            changed[gone.series] = True
            self._lay_over(self._carried_ms, self._carried_value, gone)
        self._identities.forget_before(border_ms)
        return np.flatnonzero(changed)

    @staticmethod
    def _lay_over(time_ms: IntArray, value: IntArray, newer: ReadingColumns) -> None:
        """Put the last reading of each series into columns by series."""
        # Sorted by time within a series: the last assignment, the newest reading, stays.
        time_ms[newer.series] = newer.time_ms
        value[newer.series] = newer.value

    def _starts_before(self, border_ms: int) -> list[int]:
        return sorted(start_ms for start_ms in self._open if start_ms < border_ms)

    def carry(self, series: int, time_ms: int, value: int) -> None:
        """Set the carried reading of a series, as read from a snapshot; the newest one stays."""
        if time_ms > self._carried_ms[series]:
            self._carried_ms[series] = time_ms
            self._carried_value[series] = value

    def carried(self, low: int, high: int) -> Iterator[tuple[int, int, int]]:
        """Series, time [ms] and value (fixed point) carried for series ``low`` to ``high - 1``."""
        known = low + np.flatnonzero(self._carried_ms[low:high] != UNKNOWN_MS)
        columns = (known, self._carried_ms[known], self._carried_value[known])
        yield from zip(*(column.tolist() for column in columns), strict=True)

    def steps(
        self, first_ms: int, end_ms: int, chosen: NDArray[np.bool_] | None = None
    ) -> StepFunctions:
        """What windows from ``first_ms`` to ``end_ms`` need, sorted by (series, time).

        That is the last reading of each series before them, and all readings in them.

        Args:
            first_ms: start of the first window [ms].
            end_ms: end of the last one [ms].
            chosen: mask of the series that are wanted; by default all.
        """
        last_ms, last_value = self._carried_ms, self._carried_value
        earlier = self._starts_before(first_ms)
        if earlier:
            last_ms, last_value = last_ms.copy(), last_value.copy()
        for start_ms in earlier:
            self._lay_over(last_ms, last_value, self._open[start_ms])
        known = np.flatnonzero(last_ms != UNKNOWN_MS)
        if chosen is not None:
            known = known[chosen[known]]
        parts = [(known, last_ms[known], last_value[known])]
        for start_ms in self._starts_before(end_ms)[len(earlier) :]:
            inside = self._open[start_ms]
            if chosen is not None:
                inside = inside.take(chosen[inside.series])
            parts.append((inside.series, inside.time_ms, inside.value))
        series, time_ms, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        # The parts follow each other in time, so a stable sort by series keeps times in order.
        order = np.argsort(series, kind="stable")
        return StepFunctions(*(column.take(order) for column in (series, time_ms, value)))

    def oldest_offset(self, of_series: NDArray[np.bool_]) -> tuple[int, int] | None:
        """Least offset among the open readings of the given series (mask by number).

        Returns:
            The offset and the watermark before it [ms], or None where there are none.
        """
        found = []
        for readings in self._open.values():
            chosen = np.flatnonzero(of_series[readings.series])
            if len(chosen):
                first = chosen[int(np.argmin(readings.offset[chosen]))]
                found.append((int(readings.offset[first]), int(readings.watermark_ms[first])))
        return min(found, default=None)


def _by_window(readings: ReadingColumns) -> NDArray[np.intp]:
    """The order by (window, series, time)."""
    window = readings.time_ms // WINDOW_MS
    window -= window.min()
    series = int(readings.series.max()) + 1
    if int(window.max()) < _KEY_LIMIT // (series * WINDOW_MS):  # one key is faster than three
        in_window = readings.series * WINDOW_MS + readings.time_ms % WINDOW_MS
        return np.argsort(window * (series * WINDOW_MS) + in_window)
    return np.lexsort((readings.time_ms, readings.series, window))


def _merged(old: ReadingColumns, new: ReadingColumns) -> ReadingColumns:
    """Two sorted columns as one; where times are equal the old ones come first."""
    both = old.joined(new)
    # Two sorted runs: a stable sort by one key merges them in linear time.
    key = both.series * WINDOW_MS + both.time_ms % WINDOW_MS
    return both.take(np.argsort(key, kind="stable"))
