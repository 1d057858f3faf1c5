"""The simulated field: a plant with its meters, and relay boards behind their gateways.

One process, because in the world they share wires: what a relay switches off is gone from the
meter at once. Everything else happens over Kafka, as with real devices: telemetry out,
setpoints in, acknowledgements out.
"""

import heapq
import logging
import zlib
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from hardware.actuation_journal import ActuationJournal
from hardware.board_memory import FileMemory
from hardware.demo_site import DemoSite, demo_site
from hardware.faults import DEFAULT_SHARES, FaultInjector, FaultKind
from hardware.gateway import Gateway, Unreadable
from hardware.plant import Plant
from hardware.relay_board import RelayBoard
from hardware.simbench_slice import load_slice
from hardware.simulated_board import BoardClock, OutputKey, SimulatedBoard
from schemas.identity import partition_of
from schemas.messages import encode
from schemas.settings import Settings
from schemas.site_model import SiteModel
from schemas.topics import ACKS, DEAD_LETTERS, setpoint_topic, telemetry_topic
from schemas.units import TelemetryKind
from schemas.windows import WINDOW_MS, window_start
from streams.clocks import read_running_clock, wall_ms
from streams.dead_letters import letter_for
from streams.kafka import group_consumer, producer, require_topics
from streams.metrics import StageMetrics
from streams.site_registry import declare_site
from streams.stages import run_until_stopped
from streams.tracing import Headers, SampledReadings, context_in
from streams.transactions import take_batch

log = logging.getLogger(__name__)

STAGE = "field"
SEED = 20_160_521
"""Of the plant's noise and of the faults, so that runs can be compared."""

POLL_S = 0.02

BOARDS_FOLDER = "boards"
"""Below the stages' folder: what the boards remember, and the journal of what they switched."""


class Boards:
    """The simulated boards of a site and their gateways."""

    def __init__(self, model: SiteModel, folder: Path, now_ms: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.boards = [_simulated(model, folder, board.id, now_ms) for board in model.relay_boards]
        self.gateways = {
            name: Gateway(
                model.name,
                name,
                [board for board in self.boards if model.boards[board.device].gateway == name],
            )
            for name in model.gateways
        }

    def closed_shares(self, start_ms: int, end_ms: int) -> dict[OutputKey, float]:
        """Share [0..1] of an interval that every output of the site was on."""
        shares: dict[OutputKey, float] = {}
        for board in self.boards:
            shares |= board.closed_shares(start_ms, end_ms)
        return shares


def _simulated(model: SiteModel, folder: Path, device: str, now_ms: int) -> SimulatedBoard:
    """A board that boots now; its clock starts anywhere and runs a little off, as clocks do."""
    draw = zlib.crc32(device.encode())
    clock = BoardClock(now_ms, boot_tick_ms=draw % 1_000_000, rate=1 + (draw % 200 - 100) * 1e-6)
    memory = FileMemory(folder / f"{device}.json")
    board = RelayBoard(model.boards[device], booted_ms=clock.boot_tick_ms, memory=memory)
    return SimulatedBoard(board, clock, model.name)


class FieldStage:
    """Hosts a site's plant and boards.

    Args:
        settings: where Kafka and the boards' memories are.
        slot: number of this process among its like.
        metrics: of this process.
        site: the site and its loads; by default the demo's.
        faults: share of the readings that each fault befalls [1].
    """

    def __init__(
        self,
        settings: Settings,
        slot: int,
        metrics: StageMetrics,
        site: DemoSite | None = None,
        faults: Mapping[FaultKind, float] = DEFAULT_SHARES,
    ) -> None:
        self._metrics = metrics
        site = demo_site(load_slice()) if site is None else site
        self._model = site.model
        declare_site(settings.kafka, site.model)
        setpoints = [setpoint_topic(gateway) for gateway in self._model.gateways]
        telemetry = [telemetry_topic(kind) for kind in TelemetryKind]
        require_topics(settings.kafka, [*setpoints, *telemetry, ACKS.name])
        self._partition = partition_of(self._model.name, settings.kafka.partitions)
        self._clock = read_running_clock(settings.kafka, STAGE)
        self._producer: Producer = producer(settings.kafka, STAGE, linger_ms=0)
        self._consumer: Consumer = group_consumer(
            settings.kafka, STAGE, slot, metrics.take_statistics
        )
        self._has_partitions = False
        metrics.health.require(lambda: None if self._has_partitions else "it has no partitions yet")
        self._consumer.subscribe(setpoints, on_assign=self._on_assign)
        now_ms = self._clock.now_ms()
        folder = settings.home / BOARDS_FOLDER
        self._boards = Boards(self._model, folder, now_ms)
        self._journal = ActuationJournal(folder)
        self._window_ms = window_start(now_ms) + WINDOW_MS
        self._plant: Plant = site.plant(origin_ms=self._window_ms, seed=SEED)
        self._faults = FaultInjector(SEED, faults, site.relay_meters)
        self._traced = SampledReadings(settings.tracing.readings_one_in)
        self._due: list[tuple[int, int, int, bytes]] = []
        self._sent = 0

    def run(self) -> None:
        """Play until the process is asked to stop."""
        run_until_stopped(self.step, self.close, self._metrics.health.turned)

    def step(self) -> None:
        """Carry out setpoints, let boards and plant run, send what is due."""
        messages = take_batch(self._consumer, 100, POLL_S)
        self._metrics.took(messages)
        for message in messages:
            self._carry_out(message)
        now_ms = self._clock.now_ms()
        for board in self._boards.boards:
            report = board.poll(now_ms)
            if report is not None:
                self._send(TelemetryKind.RELAY, now_ms, encode(report))
        while now_ms >= self._window_ms + WINDOW_MS:
            self._measure(self._window_ms)
            self._window_ms += WINDOW_MS
        while self._due and self._due[0][0] <= now_ms:
            self._send(TelemetryKind.METER, *heapq.heappop(self._due)[2:])
        self._producer.poll(0)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        del consumer, partitions  # the client itself begins at what is committed
        self._has_partitions = True

    def _measure(self, start_ms: int) -> None:
        """Meters report the interval that has just ended; faults may befall their reports."""
        end_ms = start_ms + WINDOW_MS
        shares = self._boards.closed_shares(start_ms, end_ms)
        readings = self._plant.readings_for(start_ms, shares)
        for sending in self._faults.plan(readings, end_ms):
            self._sent += 1
            heapq.heappush(self._due, (sending.send_at_ms, self._sent, start_ms, sending.value))
        for reading in self._plant.weather_for(start_ms):
            self._send(TelemetryKind.WEATHER, start_ms, encode(reading))

    def _carry_out(self, message: Message) -> None:
        """One setpoint to its board; it is committed only after its answer is in Kafka."""
        gateway = self._boards.gateways[str(message.topic()).rsplit(".", 1)[-1]]
        value = message.value()
        original = value if isinstance(value, bytes) else None
        answer = gateway.handle(original, self._clock.now_ms())
        if isinstance(answer, Unreadable):
            letter = letter_for(STAGE, message, answer.errors, self._model.name)
            self._producer.produce(DEAD_LETTERS.name, key=self._model.name, value=encode(letter))
            self._metrics.produced(DEAD_LETTERS.name)
        else:
            self._journal.note(answer)
            self._answer(message, encode(answer))
        self._producer.flush()
        end = TopicPartition(
            str(message.topic()), message.partition() or 0, (message.offset() or 0) + 1
        )
        self._consumer.commit(offsets=[end], asynchronous=False)

    def _answer(self, message: Message, ack: bytes) -> None:
        """Send the answer to a setpoint; it carries on the setpoint's trace."""
        trace = context_in(message)
        span = trace and trace.child("ack")
        self._produce(ACKS.name, ack, span.headers if span else ())
        answers = [(span, ack)] if span else []
        self._metrics.spans.answers("ack", message, answers, wall_ms())

    def _send(self, kind: TelemetryKind, time_ms: int, value: bytes) -> None:
        """Send telemetry stamped ``time_ms`` [ms]; a message counts as one reading here."""
        trace = self._traced.context(self._model.name, time_ms, value)
        self._produce(telemetry_topic(kind), value, trace.headers if trace else ())
        if trace:
            self._metrics.spans.reading(trace, self._clock.clock, time_ms, wall_ms(), value)

    def _produce(self, topic: str, value: bytes, headers: Headers) -> None:
        self._producer.produce(
            topic,
            key=self._model.name,
            value=value,
            partition=self._partition,
            headers=list(headers) or None,
        )
        self._metrics.produced(topic)

    def close(self) -> None:
        """Send what is still under way, then leave."""
        while self._due:
            self._send(TelemetryKind.METER, *heapq.heappop(self._due)[2:])
        self._producer.flush()
        self._consumer.close()
