"""Align's host: moves records and windows between Kafka and the pure aligner."""

import logging
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from confluent_kafka import Consumer, Message, Producer, TopicPartition

from processors.aligning.partition import Emission, PartitionAligner, Refused
from processors.aligning.records import Records
from processors.aligning.series import KINDS
from processors.aligning.snapshot import (
    Replay,
    StateRecord,
    changed_ledgers,
    position_record,
    restore,
    take_snapshot,
)
from schemas.align_state import (
    POSITION_KEY,
    AlignPosition,
    CarriedChunk,
    ReadingCounts,
    SiteLedger,
)
from schemas.clock import PipelineClock
from schemas.dead_letter import DeadLetter, as_base64
from schemas.messages import Decoder, encode
from schemas.settings import Settings
from schemas.topics import (
    ALIGN_STATE,
    DEAD_LETTERS,
    METER_WINDOWS,
    SITE_WINDOWS,
    SITES,
    TELEMETRY,
    telemetry_topic,
)
from schemas.units import TelemetryKind
from streams.clocks import read_clock, wall_ms
from streams.kafka import TICK_HEADER, group_consumer, producer, read_table, require_topics
from streams.metrics import StageMetrics
from streams.metrics.aligning import AlignMetrics
from streams.site_registry import SiteRegistry
from streams.stages import run_until_stopped
from streams.tracing import window_context
from streams.transactions import Output, Transactions, take_batch

log = logging.getLogger(__name__)

STAGE = "align"
BATCH_RECORDS = 20_000
IDLE_COMMIT_MS = 1_000
"""With nothing to publish, the position is written this often [ms]."""

_TICK_MS = re.compile(rb"[0-9]{1,15}")
_KIND_OF = {spec.name: kind for kind, spec in TELEMETRY.items()}
_POSITION: Decoder[AlignPosition] = Decoder(AlignPosition)
_LEDGER: Decoder[SiteLedger] = Decoder(SiteLedger)
_CHUNK: Decoder[CarriedChunk] = Decoder(CarriedChunk)


def to_records(messages: Sequence[Message]) -> Records:
    """Messages of one topic's partition as the core sees them."""
    values = [message.value() or b"" for message in messages]
    return Records(
        offsets=[message.offset() or 0 for message in messages],
        append_ms=[message.timestamp()[1] for message in messages],
        values=values,
        ticks=dict(_ticks(messages, values)),
    )


def _ticks(
    messages: Sequence[Message], values: Sequence[object]
) -> Iterator[tuple[int, int | None]]:
    """Places and times of ticks: they are the empty records with the header.

    One whose header is no time is an empty record like any other.
    """
    for place, value in enumerate(values):
        if not value:
            time = dict(messages[place].headers() or {}).get(TICK_HEADER)
            if time == b"":
                yield place, None
            elif isinstance(time, bytes) and _TICK_MS.fullmatch(time):
                yield place, int(time)


class HostedPartition:
    """One partition's aligner, its replay after a start, and its last snapshot."""

    def __init__(self, aligner: PartitionAligner, stored: dict[str, bytes]) -> None:
        self.aligner = aligner
        self.replay: Replay | None = None
        self._carried_before_ms: int | None = None
        if POSITION_KEY in stored:
            self._restore(stored)
        self._counted = aligner.counts

    def _restore(self, stored: dict[str, bytes]) -> None:
        position = _POSITION.decode(stored[POSITION_KEY])
        ledgers = [_LEDGER.decode(v) for k, v in stored.items() if k.startswith("site/")]
        chunks = [_CHUNK.decode(v) for k, v in stored.items() if k.startswith("chunk/")]
        self._carried_before_ms = position.carried_before_ms
        replay = restore(self.aligner, position, ledgers, chunks)
        self.replay = None if replay.finish_if_reached() else replay

    def consume(self, kind: TelemetryKind, records: Records) -> None:
        """Take records of one topic, through the replay while it lasts."""
        if self.replay is None:
            self.aligner.consume(kind, records)
        elif self.replay.consume(kind, records):
            self.replay = None
            log.info("partition %d has caught up", self.aligner.partition)

    def emit(self) -> Emission:
        """What is to be published now; nothing while replaying."""
        return Emission() if self.replay is not None else self.aligner.emit()

    def state(self, *, snapshot: bool) -> Iterator[StateRecord]:
        """The records that go with a transaction."""
        yield from changed_ledgers(self.aligner)
        if snapshot:
            yield from take_snapshot(self.aligner)
            self._carried_before_ms = self.aligner.final_before_ms
        yield position_record(self.aligner, self._carried_before_ms)

    def newly_counted(self) -> tuple[ReadingCounts, ReadingCounts]:
        """Fates of readings at the last call and now; the first time, as they were restored."""
        before, self._counted = self._counted, self.aligner.counts
        return before, self._counted

    def offsets(self) -> Iterator[TopicPartition]:
        """Committed offsets: where a restart has to begin."""
        for kind, cursor in self.aligner.cursors.items():
            yield TopicPartition(
                telemetry_topic(kind), self.aligner.partition, cursor.replay_offset
            )


class AlignStage:
    """Consumes telemetry, publishes windows; output, state and offsets in one transaction."""

    def __init__(self, settings: Settings, slot: int, metrics: StageMetrics) -> None:
        topics = [spec.name for spec in TELEMETRY.values()]
        require_topics(settings.kafka, [*topics, SITES.name, ALIGN_STATE.name])
        self._settings = settings
        self._clock: PipelineClock = read_clock(settings.kafka)
        self._sites = SiteRegistry(settings.kafka, STAGE)
        self._metrics = metrics
        self._own_metrics = AlignMetrics(metrics, self._clock, wall_ms)
        self._transactions = Transactions(settings.kafka, STAGE, slot, metrics)
        self._ticks: Producer = producer(settings.kafka, f"{STAGE}.ticks", linger_ms=0)
        self._hosted: dict[int, HostedPartition] = {}
        self._last_commit_ms = self._last_snapshot_ms = self._last_tick_ms = 0
        self._has_partitions = False
        metrics.health.require(self._unready)
        self._consumer: Consumer = group_consumer(
            settings.kafka, STAGE, slot, metrics.take_statistics
        )
        self._consumer.subscribe(
            topics, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_revoke
        )

    def run(self) -> None:
        """Align until the process is asked to stop."""
        log.info("pipeline clock: %s", self._clock)
        run_until_stopped(self.step, self.close, self._metrics.health.turned)

    def step(self) -> None:
        """Tick, consume what is there, and commit when it is time."""
        now = wall_ms()
        self._tick(now)
        wait_s = self._settings.align.commit_interval_ms / 5_000
        self._consume(take_batch(self._consumer, BATCH_RECORDS, wait_s))
        if wall_ms() - self._last_commit_ms >= self._settings.align.commit_interval_ms:
            self._commit(wall_ms())

    def close(self) -> None:
        """Publish what is due, write a snapshot, leave the group."""
        self._commit(wall_ms(), closing=True)
        self._consumer.close()
        self._sites.close()

    def _unready(self) -> str | None:
        """Why it does not align yet; asked from another thread."""
        if not self._has_partitions:
            return "it has no partitions yet"
        replaying = sum(hosted.replay is not None for hosted in list(self._hosted.values()))
        return f"{replaying} partitions are being replayed" if replaying else None

    def _tick(self, now_ms: int) -> None:
        """Let every telemetry topic of the own partitions carry the time."""
        due = now_ms - self._last_tick_ms >= self._settings.align.tick_interval_ms
        if self._clock.is_data_clock or not due:
            return
        self._last_tick_ms = now_ms
        for partition in self._hosted:
            for kind in KINDS:
                self._ticks.produce(
                    telemetry_topic(kind), partition=partition, headers={TICK_HEADER: b""}
                )
        for kind in KINDS:
            self._metrics.produced(telemetry_topic(kind), len(self._hosted))
        self._ticks.poll(0)

    def _consume(self, messages: list[Message]) -> None:
        batches: dict[tuple[str, int], list[Message]] = defaultdict(list)
        for message in messages:
            batches[message.topic(), message.partition()].append(message)  # type: ignore[index]
        for (topic, partition), batch in batches.items():
            self._metrics.consumed(topic, len(batch))
            if partition in self._hosted:
                self._hosted[partition].consume(_KIND_OF[topic], to_records(batch))

    def _commit(self, now_ms: int, *, closing: bool = False) -> None:
        self._own_metrics.reached(
            {
                number: watermark_ms
                for number, hosted in self._hosted.items()
                if (watermark_ms := hosted.aligner.watermark_ms()) is not None
            }
        )
        emissions = {number: hosted.emit() for number, hosted in self._hosted.items()}
        idle = not any(e.windows or e.refused for e in emissions.values())
        if idle and not closing and now_ms - self._last_commit_ms < IDLE_COMMIT_MS:
            return
        every_ms = self._settings.align.snapshot_interval_s * 1000
        snapshot = closing or now_ms - self._last_snapshot_ms >= every_ms
        outputs: list[Output] = []
        offsets: list[TopicPartition] = []
        for number, emission in emissions.items():
            hosted = self._hosted[number]
            outputs += published(emission, number)
            if hosted.replay is None:
                outputs += [
                    Output(ALIGN_STATE.name, record.key, encode(record.message), number)
                    for record in hosted.state(snapshot=snapshot)
                ]
                offsets += hosted.offsets()
        if outputs:
            self._transactions.commit(outputs, offsets, self._consumer)
            self._count(emissions)
        self._last_commit_ms = now_ms
        self._last_snapshot_ms = now_ms if snapshot else self._last_snapshot_ms

    def _count(self, emissions: Mapping[int, Emission]) -> None:
        """Count what was committed just now."""
        for number, emission in emissions.items():
            self._own_metrics.classified(*self._hosted[number].newly_counted())
            self._own_metrics.published(emission.windows)

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Load the state of every new partition and go to where its replay begins."""
        # Waits until an earlier owner's transaction is decided, so its state is complete.
        consumer.committed(partitions, timeout=30)
        for number in sorted({entry.partition for entry in partitions}):
            self._hosted[number] = self._host(number)
        starts = [
            TopicPartition(entry.topic, entry.partition, self._start_of(entry))
            for entry in partitions
        ]
        _warn_of_lost_records(consumer, starts)
        consumer.assign(starts)
        self._has_partitions = True
        log.info("partitions %s", sorted(self._hosted))

    def _host(self, number: int) -> HostedPartition:
        stored = read_table(self._settings.kafka, ALIGN_STATE.name, number, f"{STAGE}.state")
        aligner = PartitionAligner(
            number,
            self._settings.kafka.partitions,
            self._clock,
            self._settings.align,
            self._sites.find,
        )
        return HostedPartition(aligner, stored)

    def _start_of(self, entry: TopicPartition) -> int:
        cursors = self._hosted[entry.partition].aligner.cursors
        return cursors[_KIND_OF[entry.topic]].next_offset

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Forget revoked partitions with all that was not committed: the next owner redoes it."""
        del consumer
        self._has_partitions = False  # until the new assignment, which takes all at once
        for number in {entry.partition for entry in partitions}:
            self._hosted.pop(number, None)


def _warn_of_lost_records(consumer: Consumer, starts: list[TopicPartition]) -> None:
    """Say so where Kafka has deleted records that open windows still needed."""
    for start in starts:
        oldest, _ = consumer.get_watermark_offsets(start, timeout=10)
        if 0 < start.offset < oldest:
            text = "%s[%d]: records %d to %d are gone (retention); windows there lack them"
            log.error(text, start.topic, start.partition, start.offset, oldest - 1)


def published(emission: Emission, partition: int) -> Iterator[Output]:
    """An emission as records: per-series windows before the aggregate that announces them."""
    for meters in emission.meters:
        trace = window_context(meters.site, meters.window_start_ms, meters.revision)
        yield Output(METER_WINDOWS.name, meters.site, encode(meters), partition, trace.headers)
    for window in emission.windows:
        trace = window_context(window.site, window.window_start_ms, window.revision)
        yield Output(SITE_WINDOWS.name, window.site, encode(window), partition, trace.headers)
    for refused in emission.refused:
        letter = dead_letter(refused, partition)
        yield Output(DEAD_LETTERS.name, letter.site or "unknown", encode(letter))


def dead_letter(refused: Refused, partition: int) -> DeadLetter:
    """What align could not use, with every reason."""
    reading = refused.reading
    return DeadLetter(
        stage=STAGE,
        origin=telemetry_topic(refused.kind),
        partition=partition,
        position=reading.offset,
        item=reading.item,
        errors=reading.errors,
        original_base64=as_base64(reading.original),
        site=reading.site,
        source=reading.source,
    )
