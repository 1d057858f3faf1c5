"""Series as vectors."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from schemas.planning_case import Series

Floats = NDArray[np.float64]


def vector(series: Series, steps: int) -> Floats:
    """A series as a vector, shape (steps,)."""
    return np.array(np.broadcast_to(np.asarray(series, dtype=np.float64), (steps,)))


def rows(series: Iterable[Series], steps: int) -> Floats:
    """Several series as the rows of a matrix, shape (n, steps)."""
    return np.array([vector(each, steps) for each in series]).reshape(-1, steps)


def within(spans: Iterable[tuple[int, int]], steps: int) -> Floats:
    """1 in the steps ``first <= t < end`` of each span and 0 elsewhere, shape (n, steps)."""
    first, end = np.array([*spans], dtype=np.intp).reshape(-1, 2, 1).swapaxes(0, 1)
    at = np.arange(steps)
    return ((at >= first) & (at < end)).astype(np.float64)
