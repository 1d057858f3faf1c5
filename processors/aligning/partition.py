"""Aligning one Kafka partition: the heart of the pipeline, and a pure one.

Records go in per telemetry kind, in offset order; windows come out when the watermarks say so.
The last revision of every window is a function of the consumed log alone, whatever the
batching: readings are classified by the watermark before their own offset, and sums are exact.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from processors.aligning.accepting import Judge, Judged, Place
from processors.aligning.aggregating import Aggregates
from processors.aligning.changes import Changes
from processors.aligning.decoding import RefusedReading
from processors.aligning.delays import Delays
from processors.aligning.event_ids import EventIds
from processors.aligning.layout import Layout, existing, layout_of, populated
from processors.aligning.ledger import Ledger
from processors.aligning.open_readings import OpenReadings, ReadingColumns
from processors.aligning.records import Records
from processors.aligning.resampling import resample
from processors.aligning.series import KINDS, SeriesTable, SiteSeries
from processors.aligning.watermarks import UNKNOWN_MS, Watermark
from schemas.align_state import CHUNK_SERIES, ReadingCounts
from schemas.clock import PipelineClock
from schemas.settings import AlignSettings
from schemas.site_model import SiteModel
from schemas.site_window import RawMeterWindows, SiteWindow
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
    meters: list[RawMeterWindows] = field(default_factory=list)
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
        self.delays = Delays(self.table)
        self._tells_delays = not clock.is_data_clock
        self._closed_before_ms: int | None = None
        self._changes = Changes()
        self._whole = layout_of(self.table, ())
        self._find_model = find_model
        self._refused: list[Refused] = []
        self._close_delay_ms = close_delay_ms(clock.speed)
        self._dormant_ms = round(settings.dormant_after_s * 1000)
        max_ahead_ms = round(settings.max_ahead_s * 1000)
        self._judges = {
            kind: Judge(
                Place(kind, partition, partitions), self.table, max_ahead_ms, self.know_site
            )
            for kind in KINDS
        }

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
        self.ledgers.setdefault(name, Ledger(site=name))
        return site

    def consume(self, kind: TelemetryKind, records: Records) -> None:
        """Take records of one topic, in offset order."""
        if not len(records):
            return
        cursor = self.cursors[kind]
        times = cursor.watermark.advance(records)
        cursor.next_offset = int(records.offsets[-1]) + 1
        if len(records.ticks) == len(records):
            return
        judged = self._judges[kind].judge(records, times)
        accepted = self._still_open(judged.accepted)
        new = self._insert(accepted, judged.event_ids)
        if not self.muted:
            if self._tells_delays:
                self.delays.note(kind, judged.series, judged.delay_ms)
            self._refused += [Refused(kind, reading) for reading in judged.refused]
            self.counts += _counted(len(accepted), new, judged)

    def _insert(self, accepted: ReadingColumns, event_ids: EventIds) -> int:
        """Keep readings for the windows that they change; returns how many were new."""
        if not len(accepted):
            return 0
        self._changes.note(accepted, self.table.columns.site)
        return self.readings.insert(accepted, event_ids)

    def _still_open(self, accepted: ReadingColumns) -> ReadingColumns:
        """Without readings that a snapshot already carries (met again in a replay only)."""
        if not self.muted or self.final_before_ms is None:
            return accepted
        return accepted.take(accepted.time_ms >= self.final_before_ms)

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
            self._revise(emission)
            self._close(emission, close_before)
            self._clean(close_before)
            self.finalise(window_start(watermark - LATENESS_MS))
        return emission

    def _revise(self, emission: Emission) -> None:
        """Publish closed windows anew, of the sites that late readings have changed."""
        first, closed_before = self._changes.first_ms(), self._closed_before_ms
        if first is None or closed_before is None or first >= closed_before:
            return
        sites = list(self.table.sites.values())
        changed = [sites[index] for index in self._changes.sites_before(closed_before)]
        self._publish(emission, layout_of(self.table, changed), first, closed_before)

    def _close(self, emission: Emission, close_before_ms: int) -> None:
        """Publish the windows that are due, of all sites."""
        first = self._closed_before_ms
        if first is None:
            first = self._changes.first_ms()
        if first is not None and first < close_before_ms:
            self._publish(emission, self._whole_layout(), first, close_before_ms)

    def _whole_layout(self) -> Layout:
        """All sites; made anew only after sites were added."""
        if self._whole.columns is not self.table.columns:
            self._whole = layout_of(self.table, list(self.table.sites.values()))
        return self._whole

    def _publish(self, emission: Emission, layout: Layout, first_ms: int, end_ms: int) -> None:
        """Publish what is news of some sites between two starts of windows."""
        for low_ms, high_ms in self._stretches(layout, first_ms, end_ms):
            for start_ms, windows in _spans(low_ms, high_ms, len(layout.columns)):
                self._publish_span(emission, layout, start_ms, windows)

    def _stretches(self, layout: Layout, first_ms: int, end_ms: int) -> Iterable[tuple[int, int]]:
        """Where there may be windows at all; a short time is not worth looking."""
        if end_ms - first_ms <= self._dormant_ms:
            return [(first_ms, end_ms)]
        steps = layout.placed(self.readings.steps(first_ms, end_ms, layout.chosen))
        return populated(steps, layout, first_ms, end_ms, self._dormant_ms)

    def _publish_span(
        self, emission: Emission, layout: Layout, start_ms: int, windows: int
    ) -> None:
        span_end_ms = start_ms + windows * WINDOW_MS
        steps = layout.placed(self.readings.steps(start_ms, span_end_ms, layout.chosen))
        exists = existing(steps, layout, start_ms, windows, self._dormant_ms)
        if not exists.any():
            return
        matrix = resample(steps, layout.columns, start_ms, windows)
        aggregates = Aggregates(layout, matrix)
        for window, at in zip(*(places.tolist() for places in exists.nonzero()), strict=True):
            ledger = self.ledgers[layout.sites[at].name]
            content = aggregates.content_hash(window, at)
            revision = ledger.next_revision(start_ms + window * WINDOW_MS, content)
            if revision is not None:
                emission.windows.append(aggregates.site_window(window, at, revision))
                emission.meters.extend(aggregates.meter_windows(window, at, revision))

    def _clean(self, border_ms: int) -> None:
        """Windows before ``border_ms`` are published as they are now."""
        self._closed_before_ms = border_ms
        self._changes.published_before(border_ms)

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


def _counted(accepted: int, new: int, judged: Judged) -> ReadingCounts:
    """The fates of a batch of readings."""
    return ReadingCounts(
        windowed=new,
        duplicate=accepted - new,
        too_late=judged.too_late,
        dead_lettered=len(judged.refused),
    )


def _spans(first_ms: int, end_ms: int, columns: int) -> Iterator[tuple[int, int]]:
    """(start [ms], number) of the windows to compute, none larger than MAX_CELLS."""
    most = max(1, MAX_CELLS // columns)
    for start_ms in range(first_ms, end_ms, most * WINDOW_MS):
        yield start_ms, min(most, (end_ms - start_ms) // WINDOW_MS)
