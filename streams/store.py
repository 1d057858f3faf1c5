"""Store's host: windows and decisions into the historian; the write gates the commit."""

import logging
import time

from confluent_kafka import Consumer, Message, TopicPartition

from schemas.dispatch_plan import DispatchPlan
from schemas.errors import MessageError
from schemas.messages import Decoder, encode
from schemas.setpoint import Ack, Setpoint
from schemas.settings import Settings
from schemas.site_window import MeterWindows, SiteWindow
from schemas.topics import (
    ACKS,
    DEAD_LETTERS,
    METER_WINDOWS,
    PLANS,
    SETPOINTS,
    SITE_WINDOWS,
    VERDICTS,
)
from schemas.verdict import Verdict
from streams.dead_letters import letter_for
from streams.historians.mapping import StoredMessage, to_point
from streams.historians.points import Point
from streams.historians.protocol import Historian, HistorianAwayError
from streams.historians.sqlite import SqliteHistorian
from streams.kafka import group_consumer, producer, require_topics
from streams.stages import StopRequest
from streams.transactions import take_batch

log = logging.getLogger(__name__)

STAGE = "store"
BATCH_RECORDS = 5_000
WAIT_S = 0.1
SLOWEST_RETRY_S = 10.0

_SETPOINT: Decoder[StoredMessage] = Decoder(Setpoint)
_DECODERS: dict[str, Decoder[StoredMessage]] = {
    SITE_WINDOWS.name: Decoder(SiteWindow),
    METER_WINDOWS.name: Decoder(MeterWindows),
    PLANS.name: Decoder(DispatchPlan),
    VERDICTS.name: Decoder(Verdict),
    ACKS.name: Decoder(Ack),
}


class StoreStage:
    """Writes every committed window and decision; points are idempotent, so twice is once."""

    def __init__(self, settings: Settings, slot: int = 0) -> None:
        require_topics(settings.kafka, list(_DECODERS))
        self._historian: Historian = SqliteHistorian(settings.historian_path)
        self._producer = producer(settings.kafka, STAGE)
        self._stop = StopRequest()
        self._consumer: Consumer = group_consumer(settings.kafka, STAGE, slot)
        # Gateways come and go: their setpoint topics are found by pattern.
        gateways = "^" + SETPOINTS.name.replace(".", r"\.").replace("<gateway>", ".+")
        self._consumer.subscribe([*_DECODERS, gateways])

    def run(self) -> None:
        """Store until the process is asked to stop."""
        self._stop.listen()
        while not self._stop:
            self.step()
        self.close()

    def step(self) -> None:
        """Take what has arrived, write it, then tell Kafka."""
        messages = take_batch(self._consumer, BATCH_RECORDS, WAIT_S)
        if not messages:
            return
        points = [point for message in messages for point in self._points(message)]
        self._producer.flush()
        if self._write(points):
            self._consumer.commit(offsets=_ends(messages), asynchronous=False)

    def _points(self, message: Message) -> list[Point]:
        """The record's point; none where it cannot be stored and becomes a dead letter."""
        value = message.value()
        original = value if isinstance(value, bytes) else None
        decoder = _DECODERS.get(str(message.topic()), _SETPOINT)
        try:
            return [to_point(decoder.decode(original))]
        except MessageError as error:
            log.warning("dead letter: %s", error)
            letter = letter_for(STAGE, message, (error.message, *error.problems))
            self._producer.produce(DEAD_LETTERS.name, key=STAGE, value=encode(letter))
            return []

    def _write(self, points: list[Point]) -> bool:
        """Write, for as long as it takes; False where the stage is to stop before that."""
        pause_s = 0.1
        while True:
            try:
                self._historian.write(points)
            except HistorianAwayError as error:
                log.warning("%s; tried again in %.1f s", error, pause_s)
                if self._stop:
                    return False
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, SLOWEST_RETRY_S)
            else:
                return True

    def close(self) -> None:
        """Leave the group and let go of the historian."""
        self._consumer.close()
        self._historian.close()


def _ends(messages: list[Message]) -> list[TopicPartition]:
    """The offsets after the last record of every partition."""
    ends: dict[tuple[str, int], int] = {}
    for message in messages:
        ends[str(message.topic()), message.partition() or 0] = (message.offset() or 0) + 1
    return [TopicPartition(topic, part, offset) for (topic, part), offset in ends.items()]
