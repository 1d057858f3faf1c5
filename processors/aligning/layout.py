"""Sites side by side: which columns of a window matrix are whose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

import numpy as np
from numpy.typing import NDArray

from processors.aligning.resampling import IntArray, StepFunctions
from processors.aligning.series import SeriesColumns, SeriesTable, SiteSeries
from schemas.windows import WINDOW_MS


@dataclass(frozen=True, slots=True)
class Layout:
    """Some sites of a partition, each with at least one series.

    Attributes:
        sites: in the order of their columns.
        columns: their series.
        starts: first column of each site, and one past the last column.
        slices: the columns of each site.
        chosen: mask of their series among all of the partition; None where it is all.
    """

    sites: tuple[SiteSeries, ...]
    columns: SeriesColumns
    starts: IntArray
    slices: tuple[slice, ...]
    chosen: NDArray[np.bool_] | None = None

    def sums(self, cells: NDArray[np.int64]) -> IntArray:
        """Sums over each site's columns: [windows, columns] to [windows, sites]."""
        return np.add.reduceat(cells, self.starts[:-1], axis=1)

    def placed(self, steps: StepFunctions) -> StepFunctions:
        """Steps of the chosen series, numbered by column."""
        if self.chosen is None:
            return steps
        column = np.cumsum(self.chosen) - 1
        return StepFunctions(column[steps.series], steps.time_ms, steps.value)


def layout_of(table: SeriesTable, sites: Sequence[SiteSeries]) -> Layout:
    """These sites, or all of them, in the order of their series' numbers."""
    with_series = tuple(site for site in sites if site.names)
    starts = np.cumsum([0, *(len(site.names) for site in with_series)])
    slices = tuple(starmap(slice, pairwise(starts.tolist())))
    if starts[-1] == len(table):
        return Layout(with_series, table.columns, starts, slices)
    chosen = np.zeros(len(table), np.bool_)
    for site in with_series:
        chosen[site.low : site.high] = True
    columns = table.columns.take(np.flatnonzero(chosen))
    return Layout(with_series, columns, starts, slices, chosen)


def existing(
    steps: StepFunctions, layout: Layout, first_ms: int, windows: int, dormant_ms: int
) -> NDArray[np.bool_]:
    """Which windows a site has: from a reading on until ``dormant_ms`` after it ceases to hold.

    Args:
        steps: numbered by column.
        layout: the sites.
        first_ms: start of the first window [ms].
        windows: how many there are.
        dormant_ms: how long a site without any known value still has windows [ms].

    Returns:
        bool [windows, sites].
    """
    until = steps.time_ms + layout.columns.hold_ms[steps.series] + dormant_ms
    first = np.maximum((steps.time_ms - first_ms) // WINDOW_MS, 0)
    last = np.minimum(-((first_ms - until) // WINDOW_MS), windows)
    inside = (first < windows) & (last > first)
    site = np.searchsorted(layout.starts, steps.series[inside], side="right") - 1
    change = np.zeros((windows + 1, len(layout.sites)), np.int64)
    np.add.at(change, (first[inside], site), 1)
    np.add.at(change, (last[inside], site), -1)
    return np.cumsum(change, axis=0)[:windows] > 0


def populated(
    steps: StepFunctions, layout: Layout, first_ms: int, end_ms: int, dormant_ms: int
) -> Iterator[tuple[int, int]]:
    """Stretches between two starts of windows in which any site has any, in their order.

    The first reading of all may be stamped years ago: the time in between is not computed.
    """
    until_ms = steps.time_ms + layout.columns.hold_ms[steps.series] + dormant_ms
    begin = np.maximum(steps.time_ms - steps.time_ms % WINDOW_MS, first_ms)
    end = np.minimum(until_ms + -until_ms % WINDOW_MS, end_ms)
    inside = np.flatnonzero(begin < end)
    order = inside[np.argsort(begin[inside], kind="stable")]
    begin, reach = begin[order], np.maximum.accumulate(end[order])
    breaks = np.flatnonzero(begin[1:] > reach[:-1]) + 1
    lows, highs = begin[[0, *breaks][: len(begin)]], reach[[*(breaks - 1), -1][: len(begin)]]
    yield from zip(lows.tolist(), highs.tolist(), strict=True)
