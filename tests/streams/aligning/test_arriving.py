"""Messages become columns: offsets, append times, values, and what are ticks among them."""

import pytest
from confluent_kafka import Message

from streams.aligning.arriving import by_partition, to_records
from streams.kafka import TICK_HEADER

Headers = list[tuple[str, str | bytes | None]]


def message(
    offset: int,
    value: bytes | None = b"{}",
    *,
    topic: str = "t",
    partition: int = 0,
    headers: Headers | None = None,
) -> Message:
    return Message(
        topic=topic,
        partition=partition,
        offset=offset,
        value=value,
        headers=headers or [],
        timestamp=(1, 1_000 + offset),
    )


@pytest.mark.parametrize("offsets", [[7], [7, 8, 9], [7, 9, 12], [7, 8, 10]])
def test_offsets_are_those_of_the_records_with_gaps_or_without(offsets: list[int]) -> None:
    """S3-2: transactions leave marks in the log that no consumer sees."""
    records = to_records([message(offset) for offset in offsets])
    assert records.offsets.tolist() == offsets
    assert records.append_ms.tolist() == [1_000 + offset for offset in offsets]


def test_append_times_are_left_out_where_the_data_tell_the_time() -> None:
    assert to_records([message(1), message(2)], timed=False).append_ms.tolist() == [0, 0]


def test_ticks_are_empty_records_with_the_header() -> None:
    """An empty record without it, or whose header is no time, is one like any other."""
    headers: list[Headers] = [
        [(TICK_HEADER, b"")],
        [(TICK_HEADER, b"5")],
        [(TICK_HEADER, b"soon")],
        [],
    ]
    ticks = [message(at, None if at else b"", headers=each) for at, each in enumerate(headers)]
    records = to_records([*ticks, message(4), message(5, headers=headers[0])])
    assert records.values == [b""] * 4 + [b"{}"] * 2
    assert records.ticks == {0: None, 1: 5}


def test_messages_are_parted_in_their_order() -> None:
    mixed = [message(1), message(1, topic="u"), message(2), message(9, partition=1), message(3)]
    parted = by_partition(mixed)
    assert {place: [each.offset() for each in batch] for place, batch in parted.items()} == {
        ("t", 0): [1, 2, 3],
        ("u", 0): [1],
        ("t", 1): [9],
    }
