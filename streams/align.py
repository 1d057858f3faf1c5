"""Align's host: moves records and windows between Kafka and the pure aligner."""

import logging
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from confluent_kafka import Message, TopicPartition

from processors.aligning.partition import Emission, PartitionAligner
from schemas.clock import PipelineClock
from schemas.messages import encode
from schemas.settings import Settings
from schemas.topics import ALIGN_STATE, SITES, TELEMETRY, telemetry_topic
from streams.aligning.arriving import BatchSize, by_partition, to_records
from streams.aligning.hosting import HostedPartition
from streams.aligning.publishing import STAGE, published
from streams.aligning.ticking import Ticker
from streams.clocks import read_clock, wall_ms
from streams.kafka import producer, read_table, require_topics
from streams.membership import GroupMember
from streams.metrics import StageMetrics
from streams.metrics.aligning import AlignMetrics
from streams.metrics.lateness import LatenessMetrics
from streams.site_registry import SiteRegistry
from streams.stages import run_until_stopped
from streams.transactions import Output, Transactions

log = logging.getLogger(__name__)

IDLE_COMMIT_MS: Final = 1_000
"""With nothing to publish, the position is written this often [ms]."""

CATCH_UP_FACTOR: Final = 5
"""With more records waiting than a step takes, transactions are rarer by this: each costs some
10 ms, in which nothing is aligned."""

_KIND_OF: Final = {spec.name: kind for kind, spec in TELEMETRY.items()}


class AlignStage:
    """Consumes telemetry, publishes windows; output, state and offsets in one transaction."""

    def __init__(self, settings: Settings, slot: int, metrics: StageMetrics) -> None:
        topics = list(_KIND_OF)
        require_topics(settings.kafka, [*topics, SITES.name, ALIGN_STATE.name])
        self._settings = settings
        self._clock: PipelineClock = read_clock(settings.kafka)
        self._sites = SiteRegistry(settings.kafka, STAGE)
        self._metrics = metrics
        self._own_metrics = AlignMetrics(metrics, self._clock, wall_ms)
        self._lateness = LatenessMetrics(metrics.registry)
        self._transactions = Transactions(settings.kafka, STAGE, slot, metrics)
        ticks = producer(settings.kafka, f"{STAGE}.ticks", linger_ms=0)
        self._ticker = Ticker(ticks, self._clock, settings.align.tick_interval_ms, metrics)
        self._hosted: dict[int, HostedPartition] = {}
        self._waiting: frozenset[tuple[str, int]] = frozenset()
        self._batch = BatchSize()
        self._last_commit_ms = self._last_snapshot_ms = 0
        metrics.health.require(self._unready)
        self._member = GroupMember(
            settings.kafka, STAGE, slot, topics, self, metrics.take_statistics
        )

    def run(self) -> None:
        """Align until the process is asked to stop."""
        log.info("pipeline clock: %s", self._clock)
        run_until_stopped(self.step, self.close, self._metrics.health.turned)

    def step(self) -> None:
        """Tick, consume what is there, and commit when it is time."""
        self._ticker.tick(wall_ms(), self._member.owned)
        wait_s = self._settings.align.commit_interval_ms / 5_000
        most, every_ms = self._batch.records, self._settings.align.commit_interval_ms
        messages = self._member.take(most, wait_s)
        self._consume(messages)
        if len(messages) == most:
            every_ms *= CATCH_UP_FACTOR
        if wall_ms() - self._last_commit_ms >= every_ms:
            self._commit(wall_ms())

    def close(self) -> None:
        """Publish what is due, write a snapshot, leave the group."""
        self._commit(wall_ms(), closing=True)
        self._member.close()
        self._sites.close()

    def take_over(self, kept: AbstractSet[int], new: AbstractSet[int]) -> None:
        """Load the state of new partitions; see :class:`streams.membership.PartitionHost`."""
        hosted = {number: self._hosted[number] for number in kept}
        self._hosted = hosted | {number: self._load(number) for number in sorted(new)}
        self._waiting = frozenset()  # an assignment takes every partition up again

    def start_of(self, committed: TopicPartition) -> int:
        """Where a topic's partition is to be read from: where its aligner stands."""
        cursors = self._hosted[committed.partition].aligner.cursors
        start = cursors[_KIND_OF[committed.topic]].next_offset
        self._warn_of_lost_records(committed, start)
        return start

    def _load(self, number: int) -> HostedPartition:
        stored = read_table(self._settings.kafka, ALIGN_STATE.name, number, f"{STAGE}.state")
        aligner = PartitionAligner(
            number,
            self._settings.kafka.partitions,
            self._clock,
            self._settings.align,
            self._sites.read,
        )
        return HostedPartition(aligner, stored)

    def _warn_of_lost_records(self, place: TopicPartition, start: int) -> None:
        """Say so where Kafka has deleted records that open windows still needed."""
        oldest, _ = self._member.consumer.get_watermark_offsets(place, timeout=10)
        if 0 < start < oldest:
            text = "%s[%d]: records %d to %d are gone (retention); windows there lack them"
            log.error(text, place.topic, place.partition, start, oldest - 1)

    def _unready(self) -> str | None:
        """Why it does not align yet; asked from another thread."""
        if not self._member.owned:
            return "it has no partitions yet"
        replaying = sum(hosted.replay is not None for hosted in list(self._hosted.values()))
        return f"{replaying} partitions are being replayed" if replaying else None

    def _consume(self, messages: list[Message]) -> None:
        timed = not self._clock.is_data_clock
        for (topic, partition), batch in by_partition(messages).items():
            records = to_records(batch, timed=timed)
            self._batch.took(records)
            self._metrics.consumed(topic, len(records))
            self._hosted[partition].consume(_KIND_OF[topic], records)

    def _commit(self, now_ms: int, *, closing: bool = False) -> None:
        """Publish what is due; not while the group rebalances, as nothing is ours then."""
        if not self._member.owned:
            return
        self._hold_back()
        aligners = {number: hosted.aligner for number, hosted in self._hosted.items()}
        watermarks = {number: each.watermark_ms() for number, each in aligners.items()}
        self._own_metrics.reached({n: ms for n, ms in watermarks.items() if ms is not None})
        self._lateness.look(aligners)
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
            self._transactions.commit(outputs, offsets, self._member.consumer)
            self._member.note_committed(offsets)
            self._count(emissions)
        self._last_commit_ms = now_ms
        self._last_snapshot_ms = now_ms if snapshot else self._last_snapshot_ms

    def _hold_back(self) -> None:
        """Back-pressure: read no further what is too far ahead of the rest of its partition."""
        most_open = self._settings.align.max_open_readings
        waiting = frozenset(
            (telemetry_topic(kind), number)
            for number, hosted in self._hosted.items()
            for kind in hosted.should_wait(most_open)
        )
        for changed, change in (
            (self._waiting - waiting, self._member.consumer.resume),
            (waiting - self._waiting, self._member.consumer.pause),
        ):
            if changed:
                change([TopicPartition(*place) for place in sorted(changed)])
        self._waiting = waiting

    def _count(self, emissions: Mapping[int, Emission]) -> None:
        """Count what was committed just now."""
        for number, emission in emissions.items():
            self._own_metrics.classified(*self._hosted[number].newly_counted())
            self._own_metrics.published(emission.windows)
