"""Parts of a topic, from a time on or backwards from its end."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka import Message as Record

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings
from streams.kafka import READY_TIMEOUT_S, arrived, reader

T = TypeVar("T")

_BATCH: Final = 1_000
_CLIENT: Final = "explain"

Take = Callable[[str, Record], bool]
"""Takes a record of the named topic; returns whether nothing of interest can follow in it."""


def read_from(
    settings: KafkaSettings, partitions: Mapping[str, int], since_ms: int | None, take: Take
) -> None:
    """Hand every committed record to ``take``, until it is satisfied or the present end.

    Args:
        settings: where Kafka is.
        partitions: which partition of each topic to read.
        since_ms: log time to start at [ms]; None for the beginning.
        take: called topic by topic in the order of the log.

    Raises:
        BrokerError: a topic cannot be read.
    """
    if not partitions:
        return
    consumer = reader(settings, _CLIENT)
    try:
        consumer.assign(_starts(consumer, partitions, since_ms))
        left = set(partitions)
        while left:
            for record in _arrived(consumer):
                topic = str(record.topic())
                if topic in left and (record.error() is not None or take(topic, record)):
                    left.discard(topic)
                    consumer.pause([TopicPartition(topic, partitions[topic])])
    finally:
        consumer.close()


def read_backwards(
    settings: KafkaSettings, topic: str, partition: int, most: int
) -> Iterator[list[Record]]:
    """The newest ``most`` places of a partition in chunks, the newest chunk first.

    Each chunk is twice as long as the one before, and in the order of the log.

    Raises:
        BrokerError: the topic cannot be read.
    """
    consumer = reader(settings, _CLIENT)
    place = TopicPartition(topic, partition)
    try:
        low, end = _guarded(lambda: consumer.get_watermark_offsets(place, READY_TIMEOUT_S))
        low, length = max(low, end - most), _BATCH
        while end > low:
            start = max(low, end - length)
            yield _span(consumer, TopicPartition(topic, partition, start), end)
            end, length = start, 2 * length
    finally:
        consumer.close()


def value_of(record: Record) -> bytes | None:
    """A record's value as bytes."""
    value = record.value()
    return value if isinstance(value, bytes) else None


def log_ms_of(record: Record) -> int:
    """A record's stamp [ms of wall time]."""
    return record.timestamp()[1]


def _starts(
    consumer: Consumer, partitions: Mapping[str, int], since_ms: int | None
) -> list[TopicPartition]:
    """Where to begin in each topic."""
    if since_ms is None:
        return [TopicPartition(*place, OFFSET_BEGINNING) for place in partitions.items()]
    places = [TopicPartition(*place, max(since_ms, 0)) for place in partitions.items()]
    return _guarded(lambda: consumer.offsets_for_times(places, timeout=READY_TIMEOUT_S))


def _span(consumer: Consumer, start: TopicPartition, end: int) -> list[Record]:
    """The records of a partition from ``start`` to before offset ``end``."""
    found: list[Record] = []
    consumer.assign([start])
    while True:
        for record in _arrived(consumer):
            # Transactions leave places without a record, so the end need not come as one.
            if record.error() is not None or (record.offset() or 0) >= end:
                return found
            found.append(record)


def _arrived(consumer: Consumer) -> list[Record]:
    """What has arrived, ends of partitions included.

    Raises:
        BrokerError: nothing did in time, or Kafka reports an error.
    """
    records = arrived(consumer, _BATCH, READY_TIMEOUT_S)
    if not records:
        message = f"Kafka sent nothing for {READY_TIMEOUT_S:.0f} s"
        raise BrokerError(message)
    for record in records:
        error = record.error()
        if error is not None and error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
            message = f"topic {record.topic()} cannot be read: {error}"
            raise BrokerError(message)
    return records


def _guarded(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except KafkaException as error:
        message = f"Kafka does not say where its records are: {error}"
        raise BrokerError(message) from error
