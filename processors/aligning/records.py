"""Kafka records as the core sees them: columns of one topic's partition, in offset order."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Records:
    """Columns with one entry per record.

    Attributes:
        offsets: Kafka offsets, rising; they may have gaps.
        append_ms: log append times [ms of wall time].
        values: the bytes; none where the record has no value.
        ticks: by place, the records that only carry time: on the data clock the replay's
            time [ms], otherwise None.
    """

    offsets: Sequence[int]
    append_ms: Sequence[int]
    values: list[bytes]
    ticks: Mapping[int, int | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offsets)

    def split(self, offset: int) -> tuple["Records", "Records"]:
        """The records before ``offset``, and those from it on."""
        at = bisect_left(self.offsets, offset)
        return self._part(0, at), self._part(at, len(self))

    def _part(self, low: int, high: int) -> "Records":
        ticks = {place - low: tick for place, tick in self.ticks.items() if low <= place < high}
        return Records(
            self.offsets[low:high], self.append_ms[low:high], self.values[low:high], ticks
        )
