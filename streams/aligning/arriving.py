"""From Kafka's messages to the columns that the aligner takes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

import numpy as np
from confluent_kafka import Message
from numpy.typing import NDArray

from processors.aligning.records import Records
from streams.kafka import TICK_HEADER

_STAMP: Final = itemgetter(1)
_TICK_MS: Final = re.compile(rb"[0-9]{1,15}")

MOST_RECORDS: Final = 4_000
BATCH_BYTES: Final = 4_000_000
"""Bytes that are decoded at once: bounds the memory of a step, and keeps within caches (ours)."""


def by_partition(messages: Sequence[Message]) -> Mapping[tuple[str, int], list[Message]]:
    """Messages by topic and partition, in their order."""
    batches: dict[tuple[str, int], list[Message]] = defaultdict(list)
    for message in messages:
        batches[message.topic(), message.partition()].append(message)  # type: ignore[index]  # of a record
    return batches


def to_records(messages: Sequence[Message], *, timed: bool = True) -> Records:
    """Messages of one topic's partition as the core sees them.

    Args:
        messages: at least one, in the order of their offsets.
        timed: whether their append times matter; on the data clock they do not.
    """
    values: list[bytes] = list(map(Message.value, messages))  # type: ignore[arg-type]  # mended below
    if not all(values):
        values = [value or b"" for value in values]
    return Records(
        offsets=_offsets(messages),
        append_ms=_append_ms(messages) if timed else np.zeros(len(messages), np.int64),
        values=values,
        ticks={} if all(values) else dict(_ticks(messages, values)),
    )


def _offsets(messages: Sequence[Message]) -> NDArray[np.int64]:
    """Their offsets, which rise; they have gaps only where records were transactional."""
    first, last = (messages[at].offset() or 0 for at in (0, -1))
    if last - first == len(messages) - 1:
        return np.arange(first, last + 1, dtype=np.int64)
    return np.fromiter(map(Message.offset, messages), np.int64, len(messages))


def _append_ms(messages: Sequence[Message]) -> NDArray[np.int64]:
    """When the broker took them in [ms]."""
    return np.fromiter(map(_STAMP, map(Message.timestamp, messages)), np.int64, len(messages))


def _ticks(
    messages: Sequence[Message], values: Sequence[bytes]
) -> Iterator[tuple[int, int | None]]:
    """Places and times of ticks: they are the empty records with the header.

    One whose header is no time is an empty record like any other.
    """
    for place, value in enumerate(values):
        if not value:
            time = dict(messages[place].headers() or {}).get(TICK_HEADER)
            if time == b"":
                yield place, None
            elif isinstance(time, bytes) and _TICK_MS.fullmatch(time):
                yield place, int(time)


class BatchSize:
    """How many records to take at once, so that they come to some megabytes.

    A message may hold one reading or a thousand; the next ones are taken to be like the last.
    """

    def __init__(self) -> None:
        self.records = MOST_RECORDS

    def took(self, records: Records) -> None:
        """Learn from a batch."""
        each = sum(map(len, records.values)) / len(records)
        self.records = max(1, min(MOST_RECORDS, int(BATCH_BYTES / max(each, 1.0))))
