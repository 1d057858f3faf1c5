"""One partition as align hosts it: the aligner, its replay after a start, and what is committed."""

import logging
from collections.abc import Iterator, Mapping

from confluent_kafka import TopicPartition

from processors.aligning.partition import Emission, PartitionAligner
from processors.aligning.pressure import should_wait
from processors.aligning.records import Records
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
from schemas.messages import Decoder
from schemas.topics import telemetry_topic
from schemas.units import TelemetryKind

log = logging.getLogger(__name__)

_POSITION: Decoder[AlignPosition] = Decoder(AlignPosition)
_LEDGER: Decoder[SiteLedger] = Decoder(SiteLedger)
_CHUNK: Decoder[CarriedChunk] = Decoder(CarriedChunk)


class HostedPartition:
    """An aligner between the topics and its state.

    Args:
        aligner: a fresh one.
        stored: newest value by key of its partition of ``align.state``.
    """

    def __init__(self, aligner: PartitionAligner, stored: Mapping[str, bytes]) -> None:
        self.aligner = aligner
        self.replay: Replay | None = None
        self._carried_before_ms: int | None = None
        if POSITION_KEY in stored:
            self._restore(stored)
        self._counted = aligner.counts

    def _restore(self, stored: Mapping[str, bytes]) -> None:
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

    def should_wait(self, most_open: int) -> frozenset[TelemetryKind]:
        """Topics not to be read for now: too far ahead, or done with the replay before others."""
        if self.replay is not None:
            return self.replay.ahead()
        return should_wait(self.aligner, most_open)

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
        """Committed offsets: where a restart has to begin; the metadata say how far we are."""
        for kind, cursor in self.aligner.cursors.items():
            yield TopicPartition(
                telemetry_topic(kind),
                self.aligner.partition,
                cursor.replay_offset,
                str(cursor.next_offset),
            )
