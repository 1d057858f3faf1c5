"""Sees from outside what a peer has committed, at little cost to the machine they share."""

import time
from typing import Final

import msgspec
from confluent_kafka import IsolationLevel, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]  # it does

from schemas.errors import StackError
from schemas.messages import UNREADABLE
from schemas.settings import KafkaSettings
from streams.benchmarking.peers.means import Means, WindowMean
from streams.kafka import READY_TIMEOUT_S, admin, arrived, reader

_MOST: Final = 10_000
_WAIT_S: Final = 0.05
_SHOWN: Final = 80
_MEAN: Final = msgspec.json.Decoder(WindowMean)

Ends = tuple[int, ...]
"""Offset after the last committed record, by partition."""


class Output:
    """The records of an output topic, and when each was committed.

    It asks for the ends of what is committed, and reads nothing before there is enough.

    Args:
        settings: where Kafka is.
        topic: of this run alone.
        expected: how many records there will be.
    """

    def __init__(self, settings: KafkaSettings, topic: str, expected: int) -> None:
        self.means = Means()
        self._expected = expected
        self._places = [TopicPartition(topic, number, 0) for number in range(settings.partitions)]
        self._next = [0] * settings.partitions
        self._seen: list[tuple[float, Ends]] = []
        self._admin: AdminClient = admin(settings)
        self._consumer = reader(settings, "bench", end_marks=False)
        self._consumer.assign(self._places)

    def complete(self) -> bool:
        """Look again; whether all that is expected was committed."""
        ends = self._ends()
        self._seen.append((time.monotonic(), ends))
        if sum(ends) < self._expected:
            time.sleep(_WAIT_S)
            return False
        self._read()
        return len(self.means.known) >= self._expected

    @property
    def completed_s(self) -> float:
        """When the last record that was read had been committed [s, monotonic]."""
        return next(at_s for at_s, ends in self._seen if _covers(ends, self._next))

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()

    def _ends(self) -> Ends:
        """Transactions' marks count in them, too: they are an upper bound of the records."""
        latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]  # ships without a type
        wanted = dict.fromkeys(self._places, latest)
        found = self._admin.list_offsets(
            wanted,
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=READY_TIMEOUT_S,
        )
        return tuple(found[place].result().offset for place in self._places)

    def _read(self) -> None:
        for message in arrived(self._consumer, _MOST, _WAIT_S):
            value, number, offset = message.value(), message.partition(), message.offset()
            if message.error() is None and isinstance(value, bytes):
                self.means.add(_decoded(value))
                self._next[number or 0] = (offset or 0) + 1


def _decoded(value: bytes) -> WindowMean:
    try:
        return _MEAN.decode(value)
    except UNREADABLE as error:
        message = f"a peer wrote what is no result: {value[:_SHOWN]!r}"
        raise StackError(message, problems=[str(error)]) from error


def _covers(ends: Ends, wanted: list[int]) -> bool:
    return all(end >= each for end, each in zip(ends, wanted, strict=True))
