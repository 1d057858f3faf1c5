"""A member of a consumer group that keeps what it has over a rebalance.

Range assignment is the one that gives partition n of every topic to the same process, and it
takes all partitions away before it hands any out. Most of them come back at once. A stage need
not load their state again: nobody else has used them, if what is committed is what this process
committed itself. So a rebalance costs the sites that stay the round trip to the broker, and
only those that move are loaded.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from typing import Protocol

from confluent_kafka import Consumer, Message, TopicPartition

from schemas.settings import KafkaSettings
from streams.kafka import group_consumer
from streams.transactions import take_batch

log = logging.getLogger(__name__)

_COMMITTED_TIMEOUT_S = 30.0


class PartitionHost(Protocol):
    """Who uses the partitions."""

    def take_over(self, kept: AbstractSet[int], new: AbstractSet[int]) -> None:
        """The partitions that are ours from now on.

        Args:
            kept: go on as they were.
            new: are to be loaded; nobody else's transaction on them is open any more.
        """
        ...

    def start_of(self, committed: TopicPartition) -> int:
        """Offset from which a topic's partition is to be read; ``committed`` is its offset."""
        ...


class GroupMember:
    """Takes batches of records of the partitions that are its own.

    Args:
        settings: where Kafka is.
        stage: whose group it is.
        slot: number of this process among its like.
        topics: equally partitioned.
        host: who uses the partitions.
        on_statistics: given librdkafka's report once a second.

    Attributes:
        owned: numbers of the partitions that are ours; none while the group rebalances.
        consumer: for transactions, which need to know of the membership.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        stage: str,
        slot: int,
        topics: Sequence[str],
        host: PartitionHost,
        on_statistics: Callable[[str], None] | None = None,
    ) -> None:
        self.owned: frozenset[int] = frozenset()
        self._host = host
        self._held: frozenset[int] = frozenset()
        self._marks: dict[tuple[str, int], tuple[int, str]] = {}
        self._starts: list[TopicPartition] = []
        self._assignments = 0
        self.consumer: Consumer = group_consumer(settings, stage, slot, on_statistics)
        self.consumer.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )

    def take(self, most: int, wait_s: float) -> list[Message]:
        """What has arrived, up to ``most`` records; waits at most ``wait_s`` for the first.

        Raises:
            BrokerError: the consumer reports an error that it cannot mend itself.
        """
        before = self._assignments
        messages = take_batch(self.consumer, most, wait_s)
        if self._assignments == before:
            return messages if self.owned else []
        if messages:  # some may be from before the assignment: read them all again
            self.consumer.assign(self._starts)
        return []

    def note_committed(self, offsets: Iterable[TopicPartition]) -> None:
        """Remember what this process has committed."""
        for entry in offsets:
            self._marks[entry.topic, entry.partition] = _mark(entry)

    def close(self) -> None:
        """Leave the group."""
        self.consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        # Waits until an earlier owner's transaction is decided, so its state is complete.
        committed = consumer.committed(partitions, timeout=_COMMITTED_TIMEOUT_S)
        numbers = frozenset(entry.partition for entry in committed)
        changed = {entry.partition for entry in committed if not self._is_as_we_left(entry)}
        kept = (self._held & numbers) - changed
        self._marks.clear()
        self.note_committed(committed)
        self._host.take_over(kept, numbers - kept)
        self._starts = [
            TopicPartition(entry.topic, entry.partition, self._host.start_of(entry))
            for entry in committed
        ]
        consumer.assign(self._starts)
        self._assignments += 1
        self.owned = self._held = numbers
        log.info("partitions %s, of which %s were kept", sorted(numbers), sorted(kept))

    def _is_as_we_left(self, entry: TopicPartition) -> bool:
        return self._marks.get((entry.topic, entry.partition)) == _mark(entry)

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        del consumer, partitions  # range assignment takes all at once
        self.owned = frozenset()

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Others may have had them meanwhile: nothing is kept."""
        self._on_revoke(consumer, partitions)
        self._held = frozenset()


def _mark(entry: TopicPartition) -> tuple[int, str]:
    """What tells one commit from the next."""
    return entry.offset, entry.metadata or ""
