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
from schemas.units import Aggregation
from schemas.windows import WINDOW_MS

MISSING: Final = 0
VALID: Final = 1
MEASURED: Final = 2

IntArray = NDArray[np.int64]

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
    """Window values of all series of ``columns`` for ``windows`` windows from ``first_ms``."""
    shape = (windows, len(columns))
    pieces = _pieces(steps, columns, first_ms, windows)
    value, known_ms, measured_ms = _integrate(pieces, shape)
    status = _majority(known_ms, measured_ms)
    value = (value + known_ms // 2) // np.maximum(known_ms, 1)
    _take_last(pieces, columns, value, status)
    _take_counters(steps, columns, first_ms, value, status)
    return WindowMatrix(first_ms=first_ms, value=value, status=status)


@dataclass(frozen=True, slots=True)
class _Pieces:
    """The parts into which window borders cut the readings; one entry per (reading, window)."""

    series: IntArray
    window: IntArray
    value: IntArray
    known_ms: IntArray
    measured_ms: IntArray
    reaches_end: NDArray[np.bool_]
    measured_at_end: NDArray[np.bool_]


def _pieces(steps: StepFunctions, columns: SeriesColumns, first_ms: int, windows: int) -> _Pieces:
    start = steps.time_ms
    until = _superseded_at(steps)
    valid_until = np.minimum(start + columns.hold_ms[steps.series], until)
    measured_until = np.minimum(start + columns.interval_ms[steps.series], until)
    end_ms = first_ms + windows * WINDOW_MS
    touching = np.flatnonzero((valid_until > first_ms) & (start < end_ms))
    low = (np.maximum(start[touching], first_ms) - first_ms) // WINDOW_MS
    high = (np.minimum(valid_until[touching], end_ms) - 1 - first_ms) // WINDOW_MS
    times = high - low + 1
    reading = np.repeat(touching, times)
    ordinal = np.arange(len(reading)) - np.repeat(np.cumsum(times) - times, times)
    window = np.repeat(low, times) + ordinal
    opens = first_ms + window * WINDOW_MS
    closes = opens + WINDOW_MS
    begin = np.maximum(start[reading], opens)
    return _Pieces(
        series=steps.series[reading],
        window=window,
        value=steps.value[reading],
        known_ms=np.minimum(valid_until[reading], closes) - begin,
        measured_ms=np.maximum(np.minimum(measured_until[reading], closes) - begin, 0),
        reaches_end=valid_until[reading] >= closes,
        measured_at_end=measured_until[reading] >= closes,
    )


def _superseded_at(steps: StepFunctions) -> IntArray:
    """Time of the next reading of the same series, or the far future [ms]."""
    until = np.full(len(steps.time_ms), np.iinfo(np.int64).max // 2, np.int64)
    same = steps.series[1:] == steps.series[:-1]
    until[:-1][same] = steps.time_ms[1:][same]
    return until


def _integrate(pieces: _Pieces, shape: tuple[int, int]) -> tuple[IntArray, IntArray, IntArray]:
    """Value x time, known time and measured time of every window and series."""
    cell = pieces.window * shape[1] + pieces.series
    sums = [np.zeros(shape[0] * shape[1], np.int64) for _ in range(3)]
    terms = (pieces.value * pieces.known_ms, pieces.known_ms, pieces.measured_ms)
    for total, column in zip(sums, terms, strict=True):
        np.add.at(total, cell, column)
    value, known_ms, measured_ms = (total.reshape(shape) for total in sums)
    return value, known_ms, measured_ms


def _majority(known_ms: IntArray, measured_ms: IntArray) -> NDArray[np.int8]:
    """Status by what covers at least half of the window."""
    status = np.where(2 * known_ms >= WINDOW_MS, VALID, MISSING)
    return np.where(2 * measured_ms >= WINDOW_MS, MEASURED, status).astype(np.int8)


def _take_last(
    pieces: _Pieces, columns: SeriesColumns, value: IntArray, status: NDArray[np.int8]
) -> None:
    """Overwrite LAST series with what holds at the window's end."""
    is_last = columns.aggregation == _LAST
    if not is_last.any():
        return
    status[:, is_last] = MISSING
    chosen = is_last[pieces.series] & pieces.reaches_end
    at = (pieces.window[chosen], pieces.series[chosen])
    value[at] = pieces.value[chosen]
    status[at] = np.where(pieces.measured_at_end[chosen], MEASURED, VALID)


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
