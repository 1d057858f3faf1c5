"""Store's host: windows and decisions into the historian; the write gates the commit."""

import logging
import time
from collections import Counter
from collections.abc import Sequence
from typing import Final

from confluent_kafka import Message

from schemas.dispatch_plan import DispatchPlan
from schemas.errors import MessageError
from schemas.messages import Decoder
from schemas.setpoint import Ack, Setpoint
from schemas.settings import Settings
from schemas.site_window import MeterWindows, SiteWindow
from schemas.topics import (
    ACKS,
    METER_WINDOWS,
    PLANS,
    SETPOINTS,
    SITE_WINDOWS,
    VERDICTS,
)
from schemas.verdict import Verdict
from streams.clocks import wall_ms
from streams.dead_letters import LetterWriter, letter_for
from streams.historians.mapping import StoredMessage, to_point
from streams.historians.opening import open_historian
from streams.historians.points import Point, SitePoint, measurement_of, points_in
from streams.historians.protocol import Historian, RefusedPoint
from streams.intake import Intake
from streams.kafka import require_topics
from streams.logs.lines import about_record
from streams.metrics import Hop, StageMetrics
from streams.metrics.storing import HistorianMetrics
from streams.patience import Patience
from streams.stages import StopRequest

log = logging.getLogger(__name__)

STAGE: Final = "store"

BATCH_RECORDS: Final = 1_000
"""Records of one write: with full chunks 500,000 points, a few seconds (ours)."""

WAIT_S: Final = 0.1
_SLICE_S: Final = 0.2

_SETPOINT: Decoder[StoredMessage] = Decoder(Setpoint)
_DECODERS: dict[str, Decoder[StoredMessage]] = {
    SITE_WINDOWS.name: Decoder(SiteWindow),
    METER_WINDOWS.name: Decoder(MeterWindows),
    PLANS.name: Decoder(DispatchPlan),
    VERDICTS.name: Decoder(Verdict),
    ACKS.name: Decoder(Ack),
}

Stored = tuple[Message, Point]
"""A record, and the point that it became."""


class StoreStage:
    """Writes every committed window and decision; points are idempotent, so twice is once.

    It writes in the order of the log, one batch after the other: see ``streams.intake`` for the
    batch that cannot be written yet, and ``docs/decisions/0012-influxdb-points.md``.
    """

    def __init__(self, settings: Settings, slot: int, metrics: StageMetrics) -> None:
        require_topics(settings.kafka, list(_DECODERS))
        self._settings = settings
        self._slot = slot
        self._metrics = metrics
        self._own_metrics = HistorianMetrics(metrics.registry)
        self._stop = StopRequest()
        self._letters = LetterWriter(settings.kafka, STAGE, metrics)

    def run(self) -> None:
        """Store until the process is asked to stop."""
        self._stop.listen()
        health = self._metrics.health
        opening = Patience(self._sleep, self._own_metrics.failed)
        health.require(lambda: opening.trouble)
        historian = opening.until_done(lambda: open_historian(self._settings))
        if historian is None:
            return
        log.info("%s", historian.name)
        # Gateways come and go: their setpoint topics are found by pattern.
        gateways = "^" + SETPOINTS.name.replace(".", r"\.").replace("<gateway>", ".+")
        topics, statistics = [*_DECODERS, gateways], self._metrics.take_statistics
        intake = Intake(self._settings.kafka, STAGE, self._slot, topics, statistics)
        health.require(intake.unready)
        writing = Patience(lambda pause_s: self._hold(intake, pause_s), self._own_metrics.failed)
        health.require(lambda: writing.trouble)
        while not self._stop:
            self._step(intake, historian, writing)
            health.turned()
        intake.close()
        historian.close()

    def _step(self, intake: Intake, historian: Historian, patience: Patience) -> None:
        """Take what has arrived, write it, then tell Kafka."""
        messages = intake.take(BATCH_RECORDS, WAIT_S)
        if not messages:
            return
        self._metrics.took(messages)
        stored = [each for message in messages for each in self._decoded(message)]
        points = [point for _, point in stored]

        def write() -> Sequence[RefusedPoint]:
            intake.require_awake()
            began_s = time.perf_counter()
            refused = historian.write(points)
            self._count(stored, refused, time.perf_counter() - began_s)
            return refused

        refused = patience.until_done(write)
        if refused is None:
            return  # asked to stop, or no longer ours: whoever reads it next writes it
        self._bury(stored, refused)
        self._letters.flush()
        intake.commit(messages)

    def _decoded(self, message: Message) -> list[Stored]:
        """The record with its point; none where it makes no sense and becomes a dead letter."""
        value = message.value()
        original = value if isinstance(value, bytes) else None
        decoder = _DECODERS.get(str(message.topic()), _SETPOINT)
        try:
            return [(message, to_point(decoder.decode(original)))]
        except MessageError as error:
            log.warning("dead letter: %s", error, extra=about_record(message))
            self._letters.send(letter_for(STAGE, message, (error.message, *error.problems)))
            return []

    def _bury(self, stored: Sequence[Stored], refused: Sequence[RefusedPoint]) -> None:
        """Make dead letters of the records whose points are refused for good."""
        told: Counter[str] = Counter()
        for each in refused:
            message, _ = stored[each.index]
            reasons = ("the historian refuses it", each.reason)
            self._letters.send(letter_for(STAGE, message, reasons))
            told[each.reason] += 1
        for reason, records in told.items():
            log.warning("%d records are dead letters: %s", records, reason)

    def _count(
        self, stored: Sequence[Stored], refused: Sequence[RefusedPoint], seconds: float
    ) -> None:
        """Count a write that took so long [s]."""
        lost = {each.index for each in refused}
        taken = [each for index, each in enumerate(stored) if index not in lost]
        points: Counter[str] = Counter()
        for _, point in taken:
            points[measurement_of(point)] += points_in(point)
        lost_points = sum(points_in(stored[index][1]) for index in lost)
        self._own_metrics.wrote(seconds, points, lost_points)
        windows = [message for message, point in taken if isinstance(point, SitePoint)]
        self._metrics.passed_since(Hop.WINDOW_STORED, windows, wall_ms())

    def _hold(self, intake: Intake, seconds: float) -> bool:
        """Wait with a batch in hand; False where it should be let go of."""
        until_s = time.monotonic() + seconds
        while not self._stop and (left_s := until_s - time.monotonic()) > 0:
            if not intake.hold(left_s):
                log.info("other processes of this stage have taken over")
                return False
            self._metrics.health.turned()
        return not self._stop

    def _sleep(self, seconds: float) -> bool:
        """Wait; False where the process is asked to stop."""
        until_s = time.monotonic() + seconds
        while not self._stop and (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _SLICE_S))
            self._metrics.health.turned()
        return not self._stop
