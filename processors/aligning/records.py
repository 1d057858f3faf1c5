"""Kafka records as the core sees them: columns of one topic's partition, in offset order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Records:
    """Columns with one entry per record.

    Attributes:
        offsets: Kafka offsets, rising; they may have gaps; int64.
        append_ms: log append times [ms of wall time]; int64.
        values: the bytes; none where the record has no value.
        ticks: by place, the records that only carry time: on the data clock the replay's
            time [ms], otherwise None.
    """

    offsets: NDArray[np.int64]
    append_ms: NDArray[np.int64]
    values: list[bytes]
    ticks: Mapping[int, int | None] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        offsets: Iterable[int],
        append_ms: Iterable[int],
        values: list[bytes],
        ticks: Mapping[int, int | None] | None = None,
    ) -> "Records":
        """The same from plain numbers, one for each of ``values``."""
        return cls(
            np.fromiter(offsets, np.int64, len(values)),
            np.fromiter(append_ms, np.int64, len(values)),
            values,
            ticks or {},
        )

    def __len__(self) -> int:
        return len(self.offsets)

    def split(self, offset: int) -> tuple["Records", "Records"]:
        """The records before ``offset``, and those from it on."""
        at = int(np.searchsorted(self.offsets, offset))
        return self._part(0, at), self._part(at, len(self))

    def _part(self, low: int, high: int) -> "Records":
        ticks = {place - low: tick for place, tick in self.ticks.items() if low <= place < high}
        return Records(
            self.offsets[low:high], self.append_ms[low:high], self.values[low:high], ticks
        )
