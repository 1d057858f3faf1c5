"""Whether a point makes sense, before any database is asked."""

from typing import Final, assert_never

from schemas.site_window import SeriesStatus
from schemas.windows import WINDOW_MS
from streams.historians.points import EventPoint, MeterPoints, Point, SitePoint

GREATEST: Final = 2**63 - 1
"""Greatest integer that both databases hold."""

_LETTERS: Final = frozenset(SeriesStatus)


def problems_of(point: Point) -> list[str]:
    """Everything that is wrong with ``point``; empty where nothing is."""
    match point:
        case SitePoint():
            numbers = {"revision": point.revision}
            return _off_grid(point.window_start_ms) + _out_of_range(numbers)
        case MeterPoints():
            numbers = {"revision": point.revision}
            return _off_grid(point.window_start_ms) + _out_of_range(numbers) + _uneven(point)
        case EventPoint():
            numbers = {"seq": point.seq, "at_ms": point.at_ms or 0}
            return _off_grid(point.window_start_ms) + _out_of_range(numbers)
        case _:
            assert_never(point)


def _off_grid(window_start_ms: int) -> list[str]:
    """A problem where the time is no start of a window."""
    if window_start_ms % WINDOW_MS:
        return [f"window_start_ms: {window_start_ms} is not a multiple of {WINDOW_MS}"]
    return _out_of_range({"window_start_ms": window_start_ms})


def _out_of_range(numbers: dict[str, int]) -> list[str]:
    """A problem for every number that is negative or does not fit."""
    return [
        f"{name}: {number} is not within 0..2^63-1"
        for name, number in numbers.items()
        if not 0 <= number <= GREATEST
    ]


def _uneven(points: MeterPoints) -> list[str]:
    """What is wrong with the columns of a chunk."""
    series, values, status = points.series, points.values, points.status
    if not len(series) == len(values) == len(status):
        return [f"{len(series)} series, {len(values)} values, {len(status)} statuses"]
    problems = [f"status: {letter!r} is unknown" for letter in sorted(set(status) - _LETTERS)]
    missing = SeriesStatus.MISSING.value
    pairs = zip(values, status, strict=True)
    if any((value is None) is not (letter == missing) for value, letter in pairs):
        problems.append("values: None is allowed where, and only where, the status is missing")
    return problems
