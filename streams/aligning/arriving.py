"""From Kafka's messages to the columns that the aligner takes."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from confluent_kafka import Message

from processors.aligning.records import Records
from streams.kafka import TICK_HEADER

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


def to_records(messages: Sequence[Message]) -> Records:
    """Messages of one topic's partition as the core sees them."""
    values = [message.value() or b"" for message in messages]
    return Records.of(
        offsets=map(Message.offset, messages),  # type: ignore[arg-type]  # a record has one
        append_ms=(append_ms for _, append_ms in map(Message.timestamp, messages)),
        values=values,
        ticks=dict(_ticks(messages, values)) if b"" in values else {},
    )


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
