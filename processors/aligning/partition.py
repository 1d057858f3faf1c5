"""Aligning one Kafka partition: the heart of the pipeline, and a pure one.

Records go in per telemetry kind, in offset order; windows come out when the watermarks say so.
The last revision of every window is a function of the consumed log alone, whatever the
batching: readings are classified by the watermark before their own offset, and sums are exact.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from processors.aligning.accepting import Place, accept
from processors.aligning.aggregating import SiteAggregate
from processors.aligning.decoding import Record, RefusedReading, Row, decode
from processors.aligning.ledger import Ledger, content_hash
from processors.aligning.open_readings import OpenReadings, ReadingColumns
from processors.aligning.resampling import StepFunctions, WindowMatrix, resample
from processors.aligning.series import KINDS, SeriesTable, SiteSeries
from processors.aligning.watermarks import UNKNOWN_MS, Watermark
from schemas.align_state import CHUNK_SERIES, ReadingCounts
from schemas.clock import PipelineClock
from schemas.identity import partition_of
from schemas.settings import AlignSettings
from schemas.site_model import SiteModel
from schemas.site_window import MeterWindows, SiteWindow
from schemas.units import TelemetryKind
from schemas.windows import LATENESS_MS, WINDOW_MS, close_delay_ms, window_start

MAX_CELLS = 2_000_000
"""Windows x series that are computed at once: bounds the memory of a catch-up."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A dead letter to be, and the topic kind that it came from."""

    kind: TelemetryKind
    reading: RefusedReading


@dataclass(slots=True)
class Emission:
    """What a step publishes, in order."""

    windows: list[SiteWindow] = field(default_factory=list)
    meters: list[MeterWindows] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(slots=True)
class TopicCursor:
    """How far one topic of the partition was consumed, and where a restart would begin.

    ``replay_offset`` and the watermark before it are those of the last snapshot.
    """

    watermark: Watermark
    next_offset: int = 0
    replay_offset: int = 0
    replay_watermark_ms: int = UNKNOWN_MS


class PartitionAligner:
    """State and rules of one partition.

    Args:
        partition, partitions: which one of how many.
        clock: the pipeline clock.
        settings: bounds.
        find_model: asked once for every site name that is not known yet.
    """

    def __init__(
        self,
        partition: int,
        partitions: int,
        clock: PipelineClock,
        settings: AlignSettings,
        find_model: Callable[[str], SiteModel | None],
    ) -> None:
        self.partition = partition
        self.table = SeriesTable()
        self.readings = OpenReadings()
        self.ledgers: dict[str, Ledger] = {}
        self.counts = ReadingCounts()
        self.cursors = {kind: TopicCursor(Watermark(clock)) for kind in KINDS}
        self.final_before_ms: int | None = None
        self.dirty_chunks: set[int] = set()
        self.muted = False
        self._closed_before_ms: int | None = None
        self._partitions = partitions
        self._clock = clock
        self._settings = settings
        self._find_model = find_model
        self._aggregates: dict[str, SiteAggregate] = {}
        self._refused: list[Refused] = []
        self._close_delay_ms = close_delay_ms(clock.speed)

    def know_site(self, name: str) -> SiteSeries | None:
        """The site's series, registering its model if there is one."""
        known = self.table.sites.get(name)
        if known is not None:
            return known
        model = self._find_model(name)
        if model is None:
            return None
        site = self.table.add_site(model)
        self.readings.grow(len(self.table))
        self._aggregates[name] = SiteAggregate(site)
        self.ledgers.setdefault(name, Ledger(site=name))
        return site

    def consume(self, kind: TelemetryKind, records: Sequence[Record]) -> None:
        """Take records of one topic, in offset order."""
        if not records:
            return
        cursor = self.cursors[kind]
        before = cursor.watermark.advance(
            [record.append_ms for record in records], [record.tick_ms for record in records]
        )
        cursor.next_offset = records[-1].offset + 1
        rows, unreadable = decode(records)
        for site in {row[2] for row in rows} - self.table.sites.keys():
            # A site has windows in its own partition only; elsewhere it stays unknown.
            if partition_of(site, self._partitions) == self.partition:
                self.know_site(site)
        self._judge(kind, rows, unreadable, before, self._now(before, records))

    def _now(self, before: NDArray[np.int64], records: Sequence[Record]) -> NDArray[np.int64]:
        """Pipeline time at which each record was appended [ms]."""
        if self._clock.is_data_clock:
            return before
        return np.array([self._clock.at(record.append_ms) for record in records], np.int64)

    def _judge(
        self,
        kind: TelemetryKind,
        rows: list[Row],
        unreadable: list[RefusedReading],
        watermark_ms: NDArray[np.int64],
        now_ms: NDArray[np.int64],
    ) -> None:
        outcome = accept(
            rows,
            place=Place(kind, self.partition, self._partitions),
            table=self.table,
            watermark_ms=watermark_ms,
            now_ms=now_ms,
            max_ahead_ms=round(self._settings.max_ahead_s * 1000),
        )
        accepted = self._still_open(outcome.accepted)
        new = self.readings.insert(accepted) if len(accepted) else 0
        self._mark_dirty(accepted)
        if self.muted:
            return
        refused = unreadable + outcome.refused
        self._refused += [Refused(kind, reading) for reading in refused]
        self.counts += ReadingCounts(
            windowed=new,
            duplicate=len(accepted) - new,
            too_late=outcome.too_late,
            dead_lettered=len(refused),
        )

    def _still_open(self, accepted: ReadingColumns) -> ReadingColumns:
        """Without readings that a snapshot already carries (met again in a replay only)."""
        if not self.muted or self.final_before_ms is None:
            return accepted
        return accepted.take(accepted.time_ms >= self.final_before_ms)

    def _mark_dirty(self, accepted: ReadingColumns) -> None:
        if not len(accepted):
            return
        for name, site in self.table.sites.items():
            times = accepted.time_ms[(accepted.series >= site.low) & (accepted.series < site.high)]
            if len(times):
                self.ledgers[name].mark_dirty(window_start(int(times.min())))

    def watermark_ms(self) -> int | None:
        """The least watermark of all telemetry topics [ms]; None while one is unread."""
        least = min(cursor.watermark.value_ms for cursor in self.cursors.values())
        return None if least == UNKNOWN_MS else least

    def emit(self) -> Emission:
        """Publish every window that is due or has changed, then let final ones go."""
        emission = Emission(refused=self._refused)
        self._refused = []
        watermark = self.watermark_ms()
        if watermark is not None and len(self.table):
            close_before = window_start(watermark - self._close_delay_ms)
            for start_ms, windows in self._spans(close_before):
                self._publish(emission, start_ms, windows)
            self._clean(close_before)
            self.finalise(window_start(watermark - LATENESS_MS))
        return emission

    def _spans(self, close_before_ms: int) -> Iterator[tuple[int, int]]:
        """(start [ms], number) of the windows to compute, none larger than MAX_CELLS."""
        start = self._first_due()
        most = max(1, MAX_CELLS // len(self.table))
        while start is not None and start < close_before_ms:
            windows = min(most, (close_before_ms - start) // WINDOW_MS)
            yield start, windows
            start += windows * WINDOW_MS

    def _first_due(self) -> int | None:
        """Start of the earliest window that may be news [ms]."""
        dirty = [ledger.dirty_from_ms for ledger in self.ledgers.values()]
        due = [ms for ms in (*dirty, self._closed_before_ms) if ms is not None]
        return min(due, default=None)

    def _publish(self, emission: Emission, start_ms: int, windows: int) -> None:
        steps = self.readings.steps()
        exists = {
            name: existing(steps, self.table, site, start_ms, windows, self._dormant_ms)
            for name, site in self.table.sites.items()
        }
        if not any(mask.any() for mask in exists.values()):
            return
        matrix = resample(steps, self.table, start_ms, windows)
        for window in range(windows):
            for name, site in self.table.sites.items():
                if exists[name][window]:
                    self._publish_window(emission, site, matrix, window)

    @property
    def _dormant_ms(self) -> int:
        return round(self._settings.dormant_after_s * 1000)

    def _clean(self, border_ms: int) -> None:
        """Windows before ``border_ms`` are published as they are now."""
        self._closed_before_ms = border_ms
        for ledger in self.ledgers.values():
            if ledger.dirty_from_ms is not None and ledger.dirty_from_ms < border_ms:
                ledger.dirty_from_ms = None

    def _publish_window(
        self, emission: Emission, site: SiteSeries, matrix: WindowMatrix, window: int
    ) -> None:
        start_ms = matrix.first_ms + window * WINDOW_MS
        value = matrix.value[window, site.low : site.high]
        status = matrix.status[window, site.low : site.high]
        name = site.model.name
        revision = self.ledgers[name].next_revision(start_ms, content_hash(value, status))
        if revision is None:
            return
        aggregate = self._aggregates[name]
        emission.windows.append(aggregate.site_window(start_ms, revision, value, status))
        emission.meters.extend(aggregate.meter_windows(start_ms, revision, value, status))

    def finalise(self, border_ms: int) -> None:
        """Windows before ``border_ms`` are final: carry their last readings, forget the rest."""
        if self.final_before_ms is not None and border_ms <= self.final_before_ms:
            return
        self.final_before_ms = border_ms
        changed = self.readings.carry_before(border_ms)
        self.dirty_chunks.update((changed // CHUNK_SERIES).tolist())
        for ledger in self.ledgers.values():
            ledger.forget_before(border_ms)

    def caught_up(self) -> None:
        """A muted replay has reached the recorded position: all of this was published."""
        self.muted = False
        watermark = self.watermark_ms()
        if watermark is not None:
            self._clean(window_start(watermark - self._close_delay_ms))
            self.finalise(window_start(watermark - LATENESS_MS))


def existing(
    steps: StepFunctions,
    table: SeriesTable,
    site: SiteSeries,
    first_ms: int,
    windows: int,
    dormant_ms: int,
) -> NDArray[np.bool_]:
    """Which windows a site has: from a reading on until ``dormant_ms`` after it ceases to hold.

    Returns:
        bool [windows].
    """
    low, high = np.searchsorted(steps.series, (site.low, site.high))
    begin = steps.time_ms[low:high]
    until = begin + table.hold_ms[steps.series[low:high]] + dormant_ms
    first = np.maximum((begin - first_ms) // WINDOW_MS, 0)
    last = np.minimum(-((first_ms - until) // WINDOW_MS), windows)
    inside = (first < windows) & (last > first)
    change = np.zeros(windows + 1, np.int64)
    np.add.at(change, first[inside], 1)
    np.add.at(change, last[inside], -1)
    return np.cumsum(change)[:windows] > 0
