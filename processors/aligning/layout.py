"""Sites side by side: which columns of a window matrix are whose."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, starmap

import numpy as np
from numpy.typing import NDArray

from processors.aligning.resampling import IntArray, StepFunctions
from processors.aligning.series import SeriesColumns, SeriesTable, SiteSeries
from processors.aligning.watermarks import UNKNOWN_MS
from schemas.windows import WINDOW_MS


@dataclass(frozen=True, slots=True)
class Layout:
    """Some sites of a partition, each with at least one series.

    Attributes:
        sites: in the order of their columns.
        columns: their series.
        starts: first column of each site, and one past the last column.
        slices: the columns of each site.
        site: place of each column's site among ``sites``.
        chosen: mask of their series among all of the partition; None where it is all.
    """

    sites: tuple[SiteSeries, ...]
    columns: SeriesColumns
    starts: IntArray
    slices: tuple[slice, ...]
    site: IntArray
    chosen: NDArray[np.bool_] | None = None

    def sums(self, cells: NDArray[np.int64] | NDArray[np.bool_]) -> IntArray:
        """Sums over each site's columns: [windows, columns] to [windows, sites]."""
        return np.add.reduceat(cells, self.starts[:-1], axis=1, dtype=np.int64)

    def placed(self, steps: StepFunctions) -> StepFunctions:
        """Steps of the chosen series, numbered by column."""
        if self.chosen is None:
            return steps
        column = np.cumsum(self.chosen) - 1
        return StepFunctions(column[steps.series], steps.time_ms, steps.value)


def layout_of(table: SeriesTable, sites: Sequence[SiteSeries]) -> Layout:
    """These sites, or all of them, in the order of their series' numbers."""
    with_series = tuple(site for site in sites if site.names)
    lengths = [len(site.names) for site in with_series]
    starts = np.cumsum([0, *lengths])
    slices = tuple(starmap(slice, pairwise(starts.tolist())))
    site_of = np.repeat(np.arange(len(with_series)), lengths)
    if starts[-1] == len(table):
        return Layout(with_series, table.columns, starts, slices, site_of)
    chosen = np.zeros(len(table), np.bool_)
    for site in with_series:
        chosen[site.low : site.high] = True
    columns = table.columns.take(np.flatnonzero(chosen))
    return Layout(with_series, columns, starts, slices, site_of, chosen)


def existing(
    steps: StepFunctions, layout: Layout, first_ms: int, windows: int, dormant_ms: int
) -> NDArray[np.bool_]:
    """Which windows a site has: from a reading on until ``dormant_ms`` after it ceases to hold.

    Args:
        steps: numbered by column; none is later than the windows.
        layout: the sites.
        first_ms: start of the first window [ms].
        windows: how many there are.
        dormant_ms: how long a site without any known value still has windows [ms].

    Returns:
        bool [windows, sites].
    """
    reaches_ms = steps.time_ms + (layout.columns.hold_ms + dormant_ms).take(steps.series)
    window = np.maximum((steps.time_ms - first_ms) // WINDOW_MS, 0)
    furthest_ms = np.full((windows, len(layout.sites)), UNKNOWN_MS)
    place = window * len(layout.sites) + layout.site.take(steps.series)
    np.maximum.at(furthest_ms.reshape(-1), place, reaches_ms)
    opens_ms = first_ms + np.arange(windows) * WINDOW_MS
    return np.maximum.accumulate(furthest_ms, axis=0) > opens_ms[:, np.newaxis]


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
