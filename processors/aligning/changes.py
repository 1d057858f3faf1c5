"""Which windows unseen readings may have changed, site by site."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.aligning.open_readings import ReadingColumns
from schemas.windows import WINDOW_MS

_NONE_MS: Final = 2**62


class Changes:
    """Per site, the earliest window that is not yet published as it would be now."""

    def __init__(self) -> None:
        self._from_ms: NDArray[np.int64] = np.zeros(0, np.int64)

    def note(self, readings: ReadingColumns, site_of: NDArray[np.int64]) -> None:
        """Readings may change the window that they lie in, and every later one.

        Args:
            readings: at least one.
            site_of: index of the site by series.
        """
        sites = site_of[readings.series]
        more = int(sites.max()) + 1 - len(self._from_ms)
        if more > 0:
            self._from_ms = np.concatenate([self._from_ms, np.full(more, _NONE_MS, np.int64)])
        np.minimum.at(self._from_ms, sites, readings.time_ms - readings.time_ms % WINDOW_MS)

    def first_ms(self) -> int | None:
        """Start of the earliest window of all [ms]."""
        first = int(self._from_ms.min(initial=_NONE_MS))
        return None if first == _NONE_MS else first

    def sites_before(self, border_ms: int) -> list[int]:
        """Sites of which a window before ``border_ms`` may have changed."""
        return np.flatnonzero(self._from_ms < border_ms).tolist()

    def published_before(self, border_ms: int) -> None:
        """Windows before ``border_ms`` are published as they are now."""
        self._from_ms[self._from_ms < border_ms] = _NONE_MS
