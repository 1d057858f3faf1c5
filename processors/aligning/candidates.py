"""Readings on their way to being accepted."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.aligning.event_ids import EventIds


@dataclass(frozen=True, slots=True)
class Candidates:
    """Readings that may be accepted, as columns.

    Attributes:
        place: of the record; int64.
        series: number of the series, or NOT_KNOWN; int64.
        time_ms: event time [ms]; int64.
        value: fixed point, not rounded yet; float64.
        bad: whether it is refused, whatever its window; bool.
        event_id: where its identity stands in ``event_ids``; int64.
    """

    place: NDArray[np.int64]
    series: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    bad: NDArray[np.bool_]
    event_id: NDArray[np.int64]
    event_ids: EventIds

    def __len__(self) -> int:
        return len(self.place)

    def without(self, places: NDArray[np.int64]) -> "Candidates":
        """Those of other records."""
        kept = ~np.isin(self.place, places)
        return Candidates(
            self.place[kept],
            self.series[kept],
            self.time_ms[kept],
            self.value[kept],
            self.bad[kept],
            self.event_id[kept],
            self.event_ids,
        )

    @staticmethod
    def joined(parts: Sequence["Candidates"]) -> "Candidates":
        """All of them, one part after the other; at least one."""
        if len(parts) == 1:
            return parts[0]
        firsts = np.cumsum([0, *(len(part.event_ids) for part in parts[:-1])])
        numbered = zip(parts, firsts.tolist(), strict=True)
        return Candidates(
            np.concatenate([part.place for part in parts]),
            np.concatenate([part.series for part in parts]),
            np.concatenate([part.time_ms for part in parts]),
            np.concatenate([part.value for part in parts]),
            np.concatenate([part.bad for part in parts]),
            np.concatenate([part.event_id + first for part, first in numbered]),
            EventIds.joined([part.event_ids for part in parts]),
        )
