"""Identities of readings, in one block of bytes: as strings they were most of align's memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class EventIds:
    """Event ids in an order of their own.

    Attributes:
        block: all of them in UTF-8, one after the other.
        ends: where each ends in ``block``; int64.
    """

    block: bytes
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, event_ids: Iterable[str]) -> Self:
        """These."""
        encoded = [each.encode() for each in event_ids]
        return cls(b"".join(encoded), np.cumsum([len(each) for each in encoded], dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __getitem__(self, at: int) -> bytes:
        """One of them; they are in the order of their strings."""
        begin = self.ends[at - 1] if at else 0
        return self.block[begin : self.ends[at]]

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """Those of all parts, one after the other; at least one."""
        firsts = np.cumsum([0, *(len(part.block) for part in parts[:-1])]).tolist()
        ends = [part.ends + first for part, first in zip(parts, firsts, strict=True)]
        return cls(b"".join(part.block for part in parts), np.concatenate(ends))
