"""Where the committed records of a changelog end."""

from collections.abc import Iterable, Mapping
from typing import Final

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings
from streams.kafka import READY_TIMEOUT_S, reader

_FIRST_STEP: Final = 64
"""Offsets that the first look back takes in; each further one, 16 times as many."""


def committed_ends(
    settings: KafkaSettings, partitions: Iterable[tuple[str, int]]
) -> Mapping[tuple[str, int], int]:
    """Offset after the last committed *record* of every (topic, partition).

    It is below the partition's own end where markers of transactions, aborted records or open
    transactions follow. A partition without any committed record ends at its beginning.

    Raises:
        BrokerError: a partition cannot be read.
    """
    consumer = reader(settings, "changelog")
    try:
        return {place: _committed_end(consumer, *place) for place in partitions}
    finally:
        consumer.close()


def _committed_end(consumer: Consumer, topic: str, partition: int) -> int:
    low, high = consumer.get_watermark_offsets(
        TopicPartition(topic, partition), timeout=READY_TIMEOUT_S
    )
    start, step = high, _FIRST_STEP
    while start > low:
        start, step = max(low, start - step), step * 16
        last = _last_record(consumer, TopicPartition(topic, partition, start))
        if last is not None:
            return last + 1
    return int(low)


def _last_record(consumer: Consumer, start: TopicPartition) -> int | None:
    """Offset of the last committed record from ``start`` on; None where there is none."""
    last: int | None = None
    consumer.assign([start])
    while True:
        message = consumer.poll(1.0)
        if message is not None:
            if _is_end(message):
                return last
            last = message.offset()


def _is_end(message: Message) -> bool:
    error = message.error()
    if error is None:
        return False
    if error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
        return True
    text = f"changelog {message.topic()} cannot be read: {error}"
    raise BrokerError(text)
