"""A restarted aligner goes on as if nothing had happened."""

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.aligning.partition import Emission, PartitionAligner
from processors.aligning.snapshot import (
    Replay,
    StateRecord,
    changed_ledgers,
    position_record,
    restore,
    take_snapshot,
)
from schemas.align_state import POSITION_KEY, AlignPosition, CarriedChunk, SiteLedger
from schemas.messages import Decoder, Message, encode
from schemas.units import TelemetryKind
from tests.support.aligning_scenarios import (
    Log,
    Sent,
    add,
    aligner_for,
    columns,
    feed,
    last_revisions,
    last_values,
    log_of,
    meter_site,
    sendings,
)

MODEL = meter_site(
    {"id": "m1", "rated_kw": 10},
    {"id": "m2", "rated_kw": 10, "interval_s": 10},
    {"id": "e", "rated_kw": 1, "quantities": ["energy_import"]},
)
POSITION: Decoder[AlignPosition] = Decoder(AlignPosition)
LEDGER: Decoder[SiteLedger] = Decoder(SiteLedger)
CHUNK: Decoder[CarriedChunk] = Decoder(CarriedChunk)
MessageT = TypeVar("MessageT", bound=Message)


@dataclass
class Topic:
    """The compacted state topic: what was committed, as bytes."""

    table: dict[str, bytes] = field(default_factory=dict)

    def commit(self, records: list[StateRecord]) -> None:
        for record in records:
            self.table[record.key] = encode(record.message)

    def read(self, kind: str, decoder: Decoder[MessageT]) -> list[MessageT]:
        chosen = (value for key, value in self.table.items() if key.split("/")[0] == kind)
        return [decoder.decode(value) for value in chosen]


@dataclass
class Process:
    """One align process over a log: consumes, commits, and may be killed in between."""

    log: Log
    topic: Topic
    published: Emission = field(default_factory=Emission)
    aligner: PartitionAligner = field(init=False)

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.aligner = aligner_for(MODEL)
        self.replay: Replay | None = None
        self.carried_before: int | None = None
        for position in self.topic.read(POSITION_KEY, POSITION):
            self.carried_before = position.carried_before_ms
            self.replay = restore(
                self.aligner,
                position,
                self.topic.read("site", LEDGER),
                self.topic.read("chunk", CHUNK),
            )
        self.at = {kind: cursor.next_offset for kind, cursor in self.aligner.cursors.items()}

    def step(self, sizes: dict[TelemetryKind, int], *, snapshot: bool, die: bool) -> None:
        """Consume, then commit, or die before the commit."""
        for kind, size in sizes.items():
            records = self.log.records[kind][self.at[kind] : self.at[kind] + size]
            self.at[kind] += len(records)
            if self.replay is None:
                self.aligner.consume(kind, columns(records))
            elif self.replay.consume(kind, columns(records)):
                self.replay = None
        if die:
            return self.start()
        if self.replay is not None:
            return None
        self.commit(self.aligner.emit(), snapshot=snapshot)
        return None

    def commit(self, emission: Emission, *, snapshot: bool) -> None:
        records = list(changed_ledgers(self.aligner))
        if snapshot:
            records += take_snapshot(self.aligner)
            self.carried_before = self.aligner.final_before_ms
        self.topic.commit([*records, position_record(self.aligner, self.carried_before)])
        add(self.published, emission)

    @property
    def finished(self) -> bool:
        return self.replay is None and all(
            cursor.next_offset == len(self.log.records[kind])
            for kind, cursor in self.aligner.cursors.items()
        )


readings_strategy = sendings(until_ms=90_000, most=40)


def test_a_partition_without_sites_has_a_snapshot() -> None:
    """Most partitions of a small installation have none; align must not fail there."""
    assert not list(take_snapshot(aligner_for(MODEL)))


@given(readings=readings_strategy, seed=st.integers(0, 10_000))
@settings(max_examples=120)
def test_kills_at_any_point_change_neither_last_revisions_nor_counts(
    readings: list[Sent], seed: int
) -> None:
    """DESIGN decision 3: last revisions equal those of an undisturbed run over the same log."""
    chance = random.Random(seed)
    counter = [
        Sent(t + 100, "e", t, t / 1e5, "energy_import", "kWh") for t in range(0, 90_000, 7_000)
    ]
    log = log_of([*readings, *counter], 150_000)
    calm_aligner = aligner_for(MODEL)
    calm = feed(calm_aligner, log)
    process = Process(log, Topic())
    for _ in range(2_000):
        sizes = {kind: chance.randint(0, 40) for kind in TelemetryKind}
        process.step(sizes, snapshot=chance.random() < 0.4, die=chance.random() < 0.2)
        if process.finished:
            break
    assert process.finished
    assert last_revisions(process.published) == last_revisions(calm)
    assert last_values(process.published) == last_values(calm)
    assert process.aligner.counts == calm_aligner.counts
    times = Counter((w.window_start_ms, w.revision) for w in process.published.windows)
    assert max(times.values(), default=1) == 1


def test_a_partition_without_sites_writes_its_position_alone() -> None:
    """Most partitions of a small utility are empty; their time goes on all the same."""
    aligner = aligner_for(MODEL)
    log = Log()
    log.tick(60_000)
    assert feed(aligner, log).windows == []
    assert list(take_snapshot(aligner)) == []
    assert position_record(aligner, None).key == POSITION_KEY
