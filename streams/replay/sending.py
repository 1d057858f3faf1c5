"""Writing to Kafka: in order, each record once, and no failed delivery unnoticed."""

from typing import Final

from confluent_kafka import KafkaError, KafkaException, Message

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings
from schemas.topics import CLOCK, DEAD_LETTERS, SITES, TELEMETRY
from streams.kafka import existing_topics, partitions_of, producer, require_topics

_TOPICS: Final = (*TELEMETRY.values(), CLOCK, SITES, DEAD_LETTERS)
_POLL_EVERY: Final = 1_000
_WAIT_S: Final = 0.1
_ANY_PARTITION: Final = -1


def require_layout(settings: KafkaSettings) -> None:
    """Make sure that Kafka has the topics that a replay needs, with the right partitions.

    Raises:
        BrokerError: it is away, or a topic is missing or has another number of partitions.
    """
    require_topics(settings, [spec.name for spec in _TOPICS])
    there = existing_topics(settings)
    wrong = [
        f"{spec.name} has {there[spec.name]} partitions, not {partitions_of(settings, spec)}"
        for spec in _TOPICS
        if there[spec.name] != partitions_of(settings, spec)
    ]
    if wrong:
        message = "topics have another number of partitions than the settings say"
        raise BrokerError(message, problems=wrong, hint="set GRIDLOOM_KAFKA__PARTITIONS to match")


class Sender:
    """One idempotent producer, so every partition holds its records in the order of sending.

    Args:
        settings: where Kafka is.
        timeout_s: a record that Kafka has not taken for so long has failed [s].
    """

    def __init__(self, settings: KafkaSettings, timeout_s: float = 30.0) -> None:
        self._producer = producer(
            settings,
            "replay",
            message_timeout_ms=round(timeout_s * 1000),
            delivery_report_only_error=True,
        )
        self._since_poll = 0
        self._failures = 0
        self._first_failure = ""

    def send(
        self,
        topic: str,
        value: bytes | None,
        *,
        key: str | None = None,
        partition: int = _ANY_PARTITION,
        headers: dict[str, str | bytes | None] | None = None,
    ) -> None:
        """Hand a record over; waits where too many are under way.

        Raises:
            BrokerError: Kafka did not take this or an earlier record.
        """
        self._since_poll += 1
        if self._since_poll >= _POLL_EVERY:
            self.wait(0)
        while True:
            try:
                self._producer.produce(
                    topic, value, key, partition, on_delivery=self._delivered, headers=headers
                )
            except BufferError:
                self.wait(_WAIT_S)
            except KafkaException as error:
                message = f"Kafka does not take a record for {topic}: {error.args[0].str()}"
                raise BrokerError(message) from error
            else:
                return

    def wait(self, seconds: float) -> None:
        """Let at most ``seconds`` pass; shorter when a record fails.

        Raises:
            BrokerError: Kafka did not take a record.
        """
        self._since_poll = 0
        self._producer.poll(seconds)
        self._check()

    def flush(self) -> None:
        """Wait until Kafka has taken everything.

        Raises:
            BrokerError: it did not.
        """
        while self._producer.flush(_WAIT_S):
            self._check()
        self._check()

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        del message
        if error is not None:
            self._first_failure = self._first_failure or error.str()
            self._failures += 1

    def _check(self) -> None:
        if self._failures:
            self._producer.purge()
            message = f"Kafka did not take {self._failures} of the records: {self._first_failure}"
            raise BrokerError(message, hint="replay the file again: its readings keep their ids")
