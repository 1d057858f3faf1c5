"""Batches from Kafka that are written elsewhere: held for as long as that takes, while ours.

A consumer that is not asked for records leaves its group after five minutes, and one that has
lost its partitions must not write their records any more: their new owner may be further ahead.
"""

import time
from collections.abc import Callable, Sequence
from typing import Final

from confluent_kafka import Consumer, Message, TopicPartition

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings
from streams.kafka import group_consumer
from streams.transactions import take_batch

SESSION_S: Final = 10.0
"""Silence after which Kafka gives our partitions to others [s]: ``session.timeout.ms``."""

_SLICE_S: Final = 0.2


class Intake:
    """A group member that takes one batch at a time.

    Args:
        settings: where Kafka is.
        stage: whose group it is.
        slot: number of this process among its like.
        topics: names, and patterns that begin with ``^``.
        on_statistics: given librdkafka's report once a second.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        stage: str,
        slot: int,
        topics: Sequence[str],
        on_statistics: Callable[[str], None] | None = None,
    ) -> None:
        self._owned: set[tuple[str, int]] = set()
        self._has_partitions = False
        self._losses = 0
        self._losses_before = 0
        self._holding = False
        self._heard_s = time.monotonic()
        self._consumer: Consumer = group_consumer(settings, stage, slot, on_statistics)
        self._consumer.subscribe(
            list(topics),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def take(self, most: int, wait_s: float) -> list[Message]:
        """What has arrived in partitions that are ours.

        Raises:
            BrokerError: the consumer reports an error that it cannot mend itself.
        """
        if self._holding:
            self._holding = False
            self._consumer.resume(self._consumer.assignment())
        messages = take_batch(self._consumer, most, wait_s)
        self._heard_s, self._losses_before = time.monotonic(), self._losses
        return [each for each in messages if _place(each) in self._owned]

    @property
    def is_ours(self) -> bool:
        """Whether no partition was taken away since the batch was taken."""
        return self._losses == self._losses_before

    def unready(self) -> str | None:
        """Why nothing can be taken yet; may be asked from another thread."""
        return None if self._has_partitions else "it has no partitions yet"

    def require_awake(self) -> None:
        """Make sure that this process has not slept so long that others took its place.

        Raises:
            BrokerError: it may have.
        """
        silent_s = time.monotonic() - self._heard_s
        if silent_s > SESSION_S:
            message = f"this process stood still for {silent_s:.0f} s: it starts anew"
            raise BrokerError(message, hint="was it stopped, or the machine too busy?")

    def hold(self, seconds: float) -> bool:
        """Stay in the group without taking anything, for so long or a little less.

        Returns:
            Whether the batch is still ours.

        Raises:
            BrokerError: the consumer reports an error that it cannot mend itself.
        """
        if not self._holding:
            self._holding = True
            self._consumer.pause(self._consumer.assignment())
        for early in take_batch(self._consumer, 1, min(seconds, _SLICE_S)):
            topic, partition = _place(early)
            self._consumer.seek(TopicPartition(topic, partition, early.offset() or 0))
        self._heard_s = time.monotonic()
        return self.is_ours

    def commit(self, messages: Sequence[Message]) -> None:
        """Tell Kafka that these are done with, all those before them included."""
        self._consumer.commit(offsets=_ends(messages), asynchronous=False)

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin where the last owner has committed, be it ourselves."""
        starts = consumer.committed(partitions, timeout=30)
        consumer.assign(starts)
        if self._holding:
            consumer.pause(starts)
        self._owned = {(entry.topic, entry.partition) for entry in partitions}
        self._has_partitions = True

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        del consumer, partitions  # range assignment takes all at once
        self._losses += 1
        self._owned.clear()
        self._has_partitions = False


def _place(message: Message) -> tuple[str, int]:
    return str(message.topic()), message.partition() or 0


def _ends(messages: Sequence[Message]) -> list[TopicPartition]:
    """The offsets after the last record of every partition."""
    ends = {_place(message): (message.offset() or 0) + 1 for message in messages}
    return [TopicPartition(topic, part, offset) for (topic, part), offset in ends.items()]
