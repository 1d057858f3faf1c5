"""Consume, compute, produce: exactly once, in Kafka transactions."""

import faulthandler
import logging
import time
from collections import Counter
from collections.abc import Sequence

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings
from streams.kafka import arrived, transactional_producer
from streams.metrics import StageMetrics
from streams.metrics.committing import TransactionMetrics
from streams.tracing import Headers

log = logging.getLogger(__name__)

_INIT_TIMEOUT_S = 30.0
_COMMIT_TIMEOUT_S = 10.0
_STUCK_S = 15.0
"""A transaction that takes longer ends the process [s]; the broker has aborted it by then."""


class Output(msgspec.Struct, frozen=True, gc=False):
    """A record to be written; ``partition`` -1 leaves the choice to the key."""

    topic: str
    key: str
    value: bytes
    partition: int = -1
    headers: Headers = ()


class Transactions:
    """Writes outputs and offsets together, or not at all.

    A process that fails in the middle, or that was replaced, must start anew from what was
    committed: every failure here is an error that ends the stage, and its supervisor starts it
    again. Whatever transaction it leaves open is aborted by that start.
    """

    def __init__(
        self, settings: KafkaSettings, stage: str, slot: int, metrics: StageMetrics
    ) -> None:
        self._metrics = metrics
        self._own_metrics = TransactionMetrics(metrics.registry)
        self._producer = transactional_producer(settings, stage, slot)
        try:
            self._producer.init_transactions(_INIT_TIMEOUT_S)
        except KafkaException as error:
            message = f"{stage} cannot start its transactions: {error}"
            raise BrokerError(message) from error

    def commit(
        self,
        outputs: Sequence[Output],
        offsets: Sequence[TopicPartition] = (),
        consumer: Consumer | None = None,
    ) -> None:
        """One transaction: the outputs, and the offsets up to which ``consumer`` was used.

        Raises:
            BrokerError: it did not happen; whoever called must forget what it computed.
        """
        client = self._producer
        began_s = time.perf_counter()
        # After a broker's restart librdkafka may wait for ever, whatever time-out it is given.
        faulthandler.dump_traceback_later(_STUCK_S, exit=True)
        try:
            client.begin_transaction()
            for output in outputs:
                self._produce(output)
            if offsets and consumer is not None:
                metadata = consumer.consumer_group_metadata()
                client.send_offsets_to_transaction([*offsets], metadata, _COMMIT_TIMEOUT_S)
            self._commit()
        except KafkaException as error:
            self._own_metrics.ended(time.perf_counter() - began_s, committed=False)
            message = f"transaction not committed: {error}"
            raise BrokerError(message) from error
        finally:
            faulthandler.cancel_dump_traceback_later()
        self._own_metrics.ended(time.perf_counter() - began_s, committed=True)
        for topic, records in Counter(output.topic for output in outputs).items():
            self._metrics.produced(topic, records)

    def _produce(self, output: Output) -> None:
        while True:
            try:
                self._producer.produce(
                    output.topic,
                    key=output.key,
                    value=output.value,
                    partition=output.partition,
                    headers=list(output.headers) or None,
                )
            except BufferError:
                self._producer.poll(0.1)
            else:
                self._producer.poll(0)
                return

    def _commit(self) -> None:
        """Commit; a commit whose outcome is open is asked for again, as Kafka wants it."""
        while True:
            try:
                self._producer.commit_transaction(_COMMIT_TIMEOUT_S)
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise
                log.warning("commit is retried: %s", error)
            else:
                return


def take_batch(consumer: Consumer, most: int, wait_s: float) -> list[Message]:
    """What has arrived, up to ``most`` records; waits at most ``wait_s`` for the first.

    Raises:
        BrokerError: the consumer reports an error that it cannot mend itself.
    """
    messages = arrived(consumer, most, wait_s)
    if any(map(Message.error, messages)):
        return [message for message in messages if _usable(message)]
    return messages


def _usable(message: Message) -> bool:
    error = message.error()
    if error is None:
        return True
    # A pattern that matches no topic yet is reported as an unknown topic.
    if error.retriable() or error.code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
        log.warning("%s", error)
        return False
    text = f"cannot read: {error}"
    raise BrokerError(text)
