"""From step functions to windows: exact, vectorised, in integers.

A reading holds forward from its stamp: it is *measured* for its series' interval, *valid* for
its hold time, then missing; a newer reading ends it. A window's mean is weighted by time over
what is known of it. A series' window is measured (valid) when readings that are measured
(valid) cover at least half of it; otherwise it is missing. All sums are of integers, so the
result does not depend on any order.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.aligning.series import AGGREGATIONS, SeriesColumns
from processors.aligning.watermarks import UNKNOWN_MS
from schemas.units import Aggregation
from schemas.windows import WINDOW_MS

MISSING: Final = 0
VALID: Final = 1
MEASURED: Final = 2

IntArray = NDArray[np.int64]

_LONG_MS: Final = 2**62
_MAJORITY_MS: Final = -(-WINDOW_MS // 2)
_VALID, _MEASURED = 0, 1
_LAST: Final = AGGREGATIONS.index(Aggregation.LAST)
_COUNTER: Final = AGGREGATIONS.index(Aggregation.COUNTER)


@dataclass(frozen=True, slots=True)
class StepFunctions:
    """Readings of many series, sorted by (series, time), one per pair; value in fixed point."""

    series: IntArray
    time_ms: IntArray
    value: IntArray


@dataclass(frozen=True, slots=True)
class WindowMatrix:
    """Values and status of every series in consecutive windows.

    Attributes:
        first_ms: start of the first window [ms].
        value: int64 [windows, series], fixed point; meaningless where missing.
        status: int8 [windows, series]; MISSING, VALID or MEASURED.
    """

    first_ms: int
    value: IntArray
    status: NDArray[np.int8]


def resample(
    steps: StepFunctions, columns: SeriesColumns, first_ms: int, windows: int
) -> WindowMatrix:
    """Window values of all series of ``columns`` for ``windows`` windows from ``first_ms``.

    No reading of ``steps`` is later than these windows.
    """
    placed = _placed(steps, columns, first_ms, windows)
    own_ms, earlier_ms = placed.own_ms, placed.earlier_ms()
    earlier_value = placed.value.take(placed.earlier)
    # Sums are made in place, and this one needs how long is known before it is summed.
    value = placed.sums(steps.value * own_ms[_VALID], earlier_value * earlier_ms[_VALID])
    known_ms = placed.sums(own_ms[_VALID], earlier_ms[_VALID])
    measured_ms = placed.sums(own_ms[_MEASURED], earlier_ms[_MEASURED])
    value = (value + known_ms // 2) // np.maximum(known_ms, 1)
    status = _status(known_ms >= _MAJORITY_MS, measured_ms >= _MAJORITY_MS)
    _take_last(placed, columns, value, status)
    _take_counters(steps, columns, first_ms, value, status)
    return WindowMatrix(first_ms=first_ms, value=value, status=status)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Readings and the windows that they lie in.

    A window's value has two parts: of the readings in it, and of the last reading before it.
    Before the first window lies one more row, of all the time before. Where something is
    twofold, it is first for *valid* and then for *measured*.

    Attributes:
        cell: row and series of each reading as one number.
        own_ms: [2, readings], how much of its own row each reading covers.
        until_ms: [2, readings + 1], until when it holds, from the start of the first window on.
            The entry in excess is the last and stands for no reading: it never held.
        value: [readings + 1], fixed point.
        earlier: [1 + windows, series], the last reading before each row, or -1 for none.
        latest: [windows, series], the last reading before each window's end, or -1 for none.
        opens_ms: [1 + windows, 1], start of each row.
    """

    cell: IntArray
    own_ms: IntArray
    until_ms: IntArray
    value: IntArray
    earlier: IntArray
    latest: IntArray
    opens_ms: IntArray

    def earlier_ms(self) -> IntArray:
        """How much of every row the reading before it covers: [2, 1 + windows, series]."""
        left_ms: IntArray = self.until_ms.take(self.earlier, axis=1)
        left_ms -= self.opens_ms
        np.maximum(left_ms, 0, out=left_ms)
        return np.minimum(left_ms, WINDOW_MS, out=left_ms)

    def sums(self, own: IntArray, earlier: IntArray) -> IntArray:
        """By window and series, ``earlier`` and what each reading adds to it, in place."""
        np.add.at(earlier.reshape(-1), self.cell, own)
        return earlier[1:]


def _placed(steps: StepFunctions, columns: SeriesColumns, first_ms: int, windows: int) -> _Placed:
    time_ms = steps.time_ms - first_ms
    row = np.maximum(time_ms // WINDOW_MS + 1, 0)
    cell = row * len(columns) + steps.series
    latest = np.full((windows + 2, len(columns)), -1, np.int64)
    # Sorted by time within a series: the last assignment, the newest reading, stays.
    latest[1:].reshape(-1)[cell] = np.arange(len(cell))
    np.maximum.accumulate(latest, axis=0, out=latest)
    holds_ms = np.array((columns.hold_ms, columns.interval_ms)).take(steps.series, axis=1)
    holds_ms = np.minimum(holds_ms, _superseded_after(steps.series, time_ms))
    never = np.full((2, 1), UNKNOWN_MS)
    return _Placed(
        cell=cell,
        own_ms=np.minimum(holds_ms, row * WINDOW_MS - time_ms),
        until_ms=np.concatenate((time_ms + holds_ms, never), axis=1),
        value=np.append(steps.value, 0),
        earlier=latest[:-1],
        latest=latest[2:],
        opens_ms=np.arange(-WINDOW_MS, windows * WINDOW_MS, WINDOW_MS)[:, np.newaxis],
    )


def _superseded_after(series: IntArray, time_ms: IntArray) -> IntArray:
    """Time to the next reading of the same series, or very long [ms]."""
    after_ms = np.full(len(time_ms), _LONG_MS, np.int64)
    is_same = series[1:] == series[:-1]
    after_ms[:-1] = np.where(is_same, time_ms[1:] - time_ms[:-1], _LONG_MS)
    return after_ms


def _status(valid: NDArray[np.bool_], measured: NDArray[np.bool_]) -> NDArray[np.int8]:
    """MISSING, VALID or MEASURED, which are 0, 1 and 2: what is measured is also valid."""
    return np.add(valid, measured, dtype=np.int8)


def _take_last(
    placed: _Placed, columns: SeriesColumns, value: IntArray, status: NDArray[np.int8]
) -> None:
    """Overwrite LAST series with what holds at the window's end."""
    last = np.flatnonzero(columns.aggregation == _LAST)
    if not len(last):
        return
    latest = placed.latest[:, last]
    holds = placed.until_ms.take(latest, axis=1) >= placed.opens_ms[1:] + WINDOW_MS
    value[:, last] = placed.value.take(latest)
    status[:, last] = _status(holds[_VALID], holds[_MEASURED])


def _take_counters(
    steps: StepFunctions,
    columns: SeriesColumns,
    first_ms: int,
    value: IntArray,
    status: NDArray[np.int8],
) -> None:
    """Overwrite COUNTER series with the register's increase; it lands where it was read.

    The window of a counter's very first reading stays missing: its increase is unknown.
    """
    is_counter = columns.aggregation == _COUNTER
    if not is_counter.any():
        return
    value[:, is_counter] = 0
    chosen = np.flatnonzero(is_counter[steps.series])
    series, time_ms = steps.series[chosen], steps.time_ms[chosen]
    first = np.ones(len(chosen), np.bool_)
    first[1:] = series[1:] != series[:-1]
    increase = np.zeros(len(chosen), np.int64)
    increase[1:] = _increase(
        steps.value[chosen][:-1], steps.value[chosen][1:], columns.counter_max_micro[series[1:]]
    )
    window = (time_ms - first_ms) // WINDOW_MS
    inside = (window >= 0) & (window < len(value))
    counted = inside & ~first
    np.add.at(value, (window[counted], series[counted]), increase[counted])
    unknown = inside & first
    status[window[unknown], series[unknown]] = MISSING


def _increase(before: IntArray, after: IntArray, rolls_over_at: IntArray) -> IntArray:
    """Register increase between two readings, rollover and reset known.

    A falling register has rolled over where its model declares the roll-over value and the
    step up to it is less than half of it; otherwise it was reset and counts from zero.
    """
    step = after - before
    rolled = step + rolls_over_at
    is_rollover = (rolls_over_at > 0) & (rolled >= 0) & (2 * rolled < rolls_over_at)
    return np.where(step >= 0, step, np.where(is_rollover, rolled, after))
