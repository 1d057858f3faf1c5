"""What a partition's aligner writes down, and how it goes on from there.

A restart loads the last snapshot, replays the topics from the snapshot's offsets with output
and counting muted until it reaches the last recorded position, and then goes on as if nothing
had happened. Readings before the snapshot's border are carried and are not taken again.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from operator import attrgetter

from processors.aligning.ledger import Ledger
from processors.aligning.partition import PartitionAligner, TopicCursor
from processors.aligning.records import Records
from processors.aligning.series import KINDS, SiteSeries
from processors.aligning.watermarks import UNKNOWN_MS
from schemas.align_state import (
    CHUNK_SERIES,
    POSITION_KEY,
    AlignPosition,
    CarriedChunk,
    CarriedReading,
    SiteLedger,
    TopicPosition,
)
from schemas.messages import Message
from schemas.units import TelemetryKind


@dataclass(frozen=True, slots=True)
class StateRecord:
    """One record for ``align.state``."""

    key: str
    message: Message


def position_record(aligner: PartitionAligner, carried_before_ms: int | None) -> StateRecord:
    """The record that goes with every transaction."""
    topics = {str(kind): _topic_position(aligner.cursors[kind]) for kind in KINDS}
    message = AlignPosition(
        topics=topics,
        final_before_ms=aligner.final_before_ms,
        carried_before_ms=carried_before_ms,
        counts=aligner.counts,
    )
    return StateRecord(POSITION_KEY, message)


def _topic_position(cursor: TopicCursor) -> TopicPosition:
    return TopicPosition(
        next_offset=cursor.next_offset,
        watermark_ms=cursor.watermark.known_ms,
        replay_offset=cursor.replay_offset,
        replay_watermark_ms=_known(cursor.replay_watermark_ms),
    )


def _known(watermark_ms: int) -> int | None:
    return None if watermark_ms == UNKNOWN_MS else watermark_ms


def changed_ledgers(aligner: PartitionAligner) -> Iterator[StateRecord]:
    """The sites' published revisions that changed since the last call."""
    for name, ledger in aligner.ledgers.items():
        if ledger.changed:
            ledger.changed = False
            yield StateRecord(f"site/{name}", ledger.to_message())


def take_snapshot(aligner: PartitionAligner) -> Iterator[StateRecord]:
    """Changed chunks of carried readings; moves the replay offsets up to the open windows."""
    for kind, cursor in aligner.cursors.items():
        of_kind = aligner.table.columns.kind == KINDS.index(kind)
        oldest = aligner.readings.oldest_offset(of_kind)
        if oldest is None:
            cursor.replay_offset = cursor.next_offset
            cursor.replay_watermark_ms = cursor.watermark.value_ms
        else:
            cursor.replay_offset, cursor.replay_watermark_ms = oldest
    for chunk in sorted(aligner.dirty_chunks):
        yield StateRecord(f"chunk/{chunk}", _chunk(aligner, chunk))
    aligner.dirty_chunks.clear()


def _chunk(aligner: PartitionAligner, chunk: int) -> CarriedChunk:
    low, high = chunk * CHUNK_SERIES, (chunk + 1) * CHUNK_SERIES
    sites = list(aligner.table.sites.values())
    first = bisect_right(sites, low, key=attrgetter("low")) - 1
    readings = [
        reading
        for site in takewhile(lambda each: each.low < high, sites[max(first, 0) :])
        for reading in _carried(aligner, site, max(low, site.low), min(high, site.high))
    ]
    return CarriedChunk(readings=tuple(readings))


def _carried(
    aligner: PartitionAligner, site: SiteSeries, low: int, high: int
) -> Iterator[CarriedReading]:
    for series, time_ms, value in aligner.readings.carried(low, high):
        name = site.names[series - site.low]
        yield CarriedReading(
            site=site.name,
            device=name.device,
            quantity=name.quantity,
            event_time_ms=time_ms,
            value_micro=value,
        )


class Replay:
    """A muted replay: every topic goes exactly to its recorded position, then all speak again.

    Records beyond a topic's position wait until the other topics have reached theirs.

    Args:
        aligner: restored and muted.
        targets: recorded position of each topic.
    """

    def __init__(self, aligner: PartitionAligner, targets: Mapping[TelemetryKind, int]) -> None:
        self._aligner = aligner
        self._targets = dict(targets)
        self._waiting: dict[TelemetryKind, list[Records]] = {kind: [] for kind in targets}

    def consume(self, kind: TelemetryKind, records: Records) -> bool:
        """Take records of one topic in offset order; True once the replay is over."""
        again, beyond = records.split(self._targets[kind])
        self._aligner.consume(kind, again)
        if len(beyond):
            self._waiting[kind].append(beyond)
        return self.finish_if_reached()

    def ahead(self) -> frozenset[TelemetryKind]:
        """Topics that have reached their position while others have not."""
        return frozenset(kind for kind in self._targets if self._reached(kind))

    def finish_if_reached(self) -> bool:
        """End the replay where every topic has reached its position; True if it did."""
        if not all(self._reached(kind) for kind in self._targets):
            return False
        self._aligner.caught_up()
        for kind, waiting in self._waiting.items():
            for records in waiting:
                self._aligner.consume(kind, records)
        return True

    def _reached(self, kind: TelemetryKind) -> bool:
        """A record beyond the position proves that nothing before it is left to come."""
        beyond = bool(self._waiting[kind])
        return beyond or self._aligner.cursors[kind].next_offset >= self._targets[kind]


_FROM_THE_START = TopicPosition(
    next_offset=0, watermark_ms=None, replay_offset=0, replay_watermark_ms=None
)
"""Of a topic that an older version did not read."""


def restore(
    aligner: PartitionAligner,
    position: AlignPosition,
    ledgers: Iterable[SiteLedger],
    chunks: Iterable[CarriedChunk],
) -> Replay:
    """Load a snapshot into a fresh aligner; it is muted until the replay has caught up.

    Returns:
        The replay; the caller seeks each topic to its cursor's ``replay_offset``.
    """
    for chunk in chunks:
        for reading in chunk.readings:
            _carry(aligner, reading)
    for message in ledgers:
        if aligner.know_site(message.site) is not None:
            aligner.ledgers[message.site] = Ledger.from_message(message)
    for kind, cursor in aligner.cursors.items():
        at = position.topics.get(str(kind), _FROM_THE_START)
        before = UNKNOWN_MS if at.replay_watermark_ms is None else at.replay_watermark_ms
        cursor.next_offset = cursor.replay_offset = at.replay_offset
        cursor.watermark.value_ms = cursor.replay_watermark_ms = before
    aligner.counts = position.counts
    aligner.final_before_ms = position.carried_before_ms
    aligner.muted = True
    ends = {kind: position.topics.get(str(kind), _FROM_THE_START) for kind in KINDS}
    return Replay(aligner, {kind: at.next_offset for kind, at in ends.items()})


def _carry(aligner: PartitionAligner, reading: CarriedReading) -> None:
    """Take one carried reading, if the site still has its series."""
    if aligner.know_site(reading.site) is None:
        return
    series = aligner.table.number_of(reading.site, reading.device, reading.quantity)
    if series is not None:
        aligner.readings.carry(series, reading.event_time_ms, reading.value_micro)
        aligner.dirty_chunks.add(series // CHUNK_SERIES)
