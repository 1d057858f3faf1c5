"""Dead letters for records that a stage, other than align, could not use; and their writer."""

from collections.abc import Iterable

from confluent_kafka import KafkaError, Message

from schemas.dead_letter import DeadLetter, as_base64
from schemas.errors import BrokerError
from schemas.messages import encode
from schemas.settings import KafkaSettings
from schemas.topics import DEAD_LETTERS
from streams.kafka import producer
from streams.metrics import StageMetrics


def letter_for(stage: str, message: Message, errors: Iterable[str], site: str = "") -> DeadLetter:
    """A record as a dead letter; it counts for no reading, which only telemetry holds."""
    value = message.value()
    return DeadLetter(
        stage=stage,
        origin=str(message.topic()),
        partition=message.partition() or 0,
        position=message.offset() or 0,
        readings=0,
        errors=tuple(errors),
        original_base64=as_base64(value if isinstance(value, bytes) else None),
        site=site,
    )


class LetterWriter:
    """Dead letters on their way, for stages that commit without transactions.

    Args:
        settings: where Kafka is.
        stage: whose letters they are.
        metrics: count them.
    """

    def __init__(self, settings: KafkaSettings, stage: str, metrics: StageMetrics) -> None:
        self._producer = producer(settings, stage)
        self._stage = stage
        self._metrics = metrics
        self._lost: list[str] = []

    def send(self, letter: DeadLetter) -> None:
        """Send one; :meth:`flush` makes sure of it."""
        self._producer.produce(
            DEAD_LETTERS.name, key=self._stage, value=encode(letter), on_delivery=self._on_delivery
        )
        self._producer.poll(0)
        self._metrics.produced(DEAD_LETTERS.name)

    def flush(self) -> None:
        """Wait until Kafka has all of them.

        Raises:
            BrokerError: it does not take one.
        """
        self._producer.flush()
        if self._lost:
            message = f"{len(self._lost)} dead letters cannot be written: {self._lost[0]}"
            raise BrokerError(message)

    def _on_delivery(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._lost.append(str(error))
