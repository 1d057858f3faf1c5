"""What tests of the replay share: a silent progress, and a look into a real Kafka's topics."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from schemas.clock import PipelineClock
from schemas.dead_letter import DeadLetter
from schemas.messages import encode
from schemas.settings import Settings
from schemas.telemetry import Batch, Reading
from schemas.topics import CLOCK, DEAD_LETTERS, TELEMETRY
from streams.clocks import CLOCK_KEY
from streams.kafka import TICK_HEADER, ensure_topics, producer, reader

PARTITIONS: Final = 2
_PATIENCE_S: Final = 30.0

Place = tuple[str, int]
"""Topic and partition."""


class Told:
    """A progress that keeps what it is told.

    Args:
        on_advance: called with the number of readings that have been sent.
    """

    def __init__(self, on_advance: Callable[[int], None] = lambda _: None) -> None:
        self.notes: list[str] = []
        self.expected = 0
        self.sent = 0
        self._on_advance = on_advance

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)

    def start(self, readings: int) -> None:
        self.expected = readings

    def advance(self, readings: int) -> None:
        self.sent += readings
        self._on_advance(self.sent)


class TopicView:
    """Looks at the records that were written after a mark, here its making.

    Args:
        settings: of a Kafka that has the topics.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        names = [spec.name for spec in TELEMETRY.values()]
        self._places = [(name, number) for name in names for number in range(PARTITIONS)]
        self._places.append((DEAD_LETTERS.name, 0))
        self._mark: dict[Place, int] = {}
        self.mark()

    def mark(self) -> None:
        """Look only at what is written from now on."""
        consumer = reader(self.settings.kafka, "test")
        try:
            self._mark = {place: _end(consumer, place) for place in self._places}
        finally:
            consumer.close()

    def set_clock(self, clock: PipelineClock) -> None:
        """Let the pipeline run on another clock."""
        client = producer(self.settings.kafka, "test")
        client.produce(CLOCK.name, encode(clock), CLOCK_KEY)
        assert client.flush(_PATIENCE_S) == 0

    def records(self) -> dict[Place, list[Message]]:
        """All records since the mark, in the order of each partition."""
        found: dict[Place, list[Message]] = defaultdict(list)
        open_places = set(self._places)
        consumer = reader(self.settings.kafka, "test")
        consumer.assign([TopicPartition(*place, at) for place, at in self._mark.items()])
        try:
            while open_places:
                for message in consumer.consume(10_000, timeout=0.2):
                    error = message.error()
                    place = (str(message.topic()), message.partition() or 0)
                    if error is None:
                        found[place].append(message)
                    else:
                        assert error.code() == KafkaError._PARTITION_EOF, error  # noqa: SLF001  its public name
                        open_places.discard(place)
        finally:
            consumer.close()
        return dict(found)

    def readings(self) -> list[Reading]:
        """Single readings and those in batches, partition by partition."""
        return [
            reading
            for place, messages in self.records().items()
            if place[0] != DEAD_LETTERS.name
            for message in messages
            for reading in readings_in(message)
        ]

    def dead_letters(self) -> list[DeadLetter]:
        """What was refused."""
        messages = self.records().get((DEAD_LETTERS.name, 0), [])
        return [msgspec.json.decode(value_of(message), type=DeadLetter) for message in messages]


def _end(consumer: Consumer, place: Place) -> int:
    """End offset of a partition; a partition that was just made may have no leader yet."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return consumer.get_watermark_offsets(TopicPartition(*place), timeout=_PATIENCE_S)[1]
        except KafkaException:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)


def new_settings(bootstrap_servers: str) -> Settings:
    """Settings for a local Kafka."""
    kafka = {"bootstrap_servers": bootstrap_servers, "partitions": PARTITIONS}
    return Settings.model_validate({"kafka": kafka})


def with_topics(settings: Settings) -> Settings:
    """The same settings, once the topics are there."""
    ensure_topics(settings.kafka)
    return settings


def tick_of(message: Message) -> int | None:
    """Time that a tick tells [ms], or None where the record is none."""
    header = dict(message.headers() or {}).get(TICK_HEADER)
    if header is None:
        return None
    assert message.value() is None
    return int(header)


def value_of(message: Message) -> bytes:
    """A record's value."""
    value = message.value()
    assert isinstance(value, bytes)
    return value


def readings_in(message: Message) -> list[Reading]:
    """The readings of a record, none in a tick; a batch's as if they had been sent singly."""
    if tick_of(message) is not None:
        return []
    decoded: Reading | Batch = msgspec.json.decode(value_of(message), type=Reading | Batch)
    if isinstance(decoded, Reading):
        return [decoded]
    return [
        msgspec.convert(
            {"type": "reading", "site": decoded.site, "source": decoded.source}
            | msgspec.structs.asdict(item),
            Reading,
        )
        for item in decoded.readings
    ]
