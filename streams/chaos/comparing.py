"""What was published and stored, held against an undisturbed align over the same log.

A closed loop has no twin without faults: what the boards were told changes what the meters
measure. But the telemetry log is there, and the last revision of every window is a function of
it alone.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from processors.aligning.partition import Emission, PartitionAligner
from schemas.dispatch_plan import DispatchPlan
from schemas.identity import partition_of
from schemas.messages import Decoder, encode
from schemas.settings import KafkaSettings, Settings
from schemas.site_window import MeterWindows, SiteWindow
from schemas.topics import METER_WINDOWS, PLANS, SITE_WINDOWS, TELEMETRY, TopicSpec
from schemas.units import TelemetryKind
from streams.aligning.arriving import to_records
from streams.clocks import read_clock
from streams.historians.mapping import to_point
from streams.historians.points import Measurement, SitePoint
from streams.historians.protocol import HistorianReader
from streams.kafka import read_all
from streams.site_registry import SiteRegistry

T = TypeVar("T", SiteWindow, MeterWindows)
MessageT = TypeVar("MessageT")

_WINDOW: Decoder[SiteWindow] = Decoder(SiteWindow)
_METERS: Decoder[MeterWindows] = Decoder(MeterWindows)
_PLAN: Decoder[DispatchPlan] = Decoder(DispatchPlan)


@dataclass(frozen=True, slots=True)
class Published:
    """Every committed record of a run's windows and plans."""

    windows: Sequence[SiteWindow]
    meters: Sequence[MeterWindows]
    plans: Sequence[DispatchPlan]


@dataclass(slots=True)
class Differences:
    """What is wrong, counted by kind, and in words."""

    lost: int = 0
    doubled: int = 0
    different: int = 0
    problems: list[str] = field(default_factory=list)

    def tell(self, what: str, where: Sequence[object]) -> int:
        """Put it in words where there is any; returns how many there are."""
        if where:
            self.problems.append(f"{len(where)} {what}, the first of them {where[0]}")
        return len(where)


def undisturbed(settings: Settings, site: str) -> Emission:
    """What align makes of the same telemetry log when nothing disturbs it."""
    sites = SiteRegistry(settings.kafka, "undisturbed")
    partition = partition_of(site, settings.kafka.partitions)
    clock = read_clock(settings.kafka)
    aligner = PartitionAligner(
        partition, settings.kafka.partitions, clock, settings.align, sites.find
    )
    for kind, spec in TELEMETRY.items():
        messages = list(read_all(settings.kafka, spec.name, [partition]))
        aligner.consume(TelemetryKind(kind), to_records(messages))
    sites.close()
    return aligner.emit()


def published(kafka: KafkaSettings) -> Published:
    """Read every committed window and plan."""
    return Published(
        _records(kafka, SITE_WINDOWS, _WINDOW),
        _records(kafka, METER_WINDOWS, _METERS),
        _records(kafka, PLANS, _PLAN),
    )


def _records(kafka: KafkaSettings, spec: TopicSpec, decoder: Decoder[MessageT]) -> list[MessageT]:
    messages = read_all(kafka, spec.name, range(kafka.partitions))
    return [decoder.decode(value) for each in messages if isinstance(value := each.value(), bytes)]


def last_revisions(windows: Iterable[SiteWindow]) -> dict[int, SiteWindow]:
    """The last revision of every window, by its start [ms]."""
    last: dict[int, SiteWindow] = {}
    for window in windows:
        known = last.get(window.window_start_ms)
        if known is None or window.revision > known.revision:
            last[window.window_start_ms] = window
    return last


def last_series(chunks: Iterable[MeterWindows]) -> dict[tuple[int, int], MeterWindows]:
    """The last revision of every chunk, by window start [ms] and number."""
    last: dict[tuple[int, int], MeterWindows] = {}
    for chunk in chunks:
        known = last.get((chunk.window_start_ms, chunk.chunk))
        if known is None or chunk.revision > known.revision:
            last[chunk.window_start_ms, chunk.chunk] = chunk
    return last


def unnumbered(message: T) -> T:
    """The message without its revision: how many there are depends on the timing."""
    return msgspec.structs.replace(message, revision=0)


def compare_windows(seen: Published, expected: Emission, found: Differences) -> None:
    """Whether the windows are those of an undisturbed align, each revision published once.

    Windows that only the undisturbed align has reached count as lost up to the last one seen.
    """
    last, wanted = last_revisions(seen.windows), last_revisions(expected.windows)
    end_ms = max(last, default=0)
    missing = sorted(start for start in wanted if start <= end_ms and start not in last)
    found.lost += found.tell("windows are not published", missing)
    other = [s for s in last if s not in wanted or unnumbered(last[s]) != unnumbered(wanted[s])]
    found.different += found.tell("windows differ from those of an undisturbed align", other)
    written = (_METERS.decode(encode(chunk)) for chunk in expected.meters)
    series, wanted_series = last_series(seen.meters), last_series(written)
    odd = [
        key
        for key, chunk in series.items()
        if key not in wanted_series or unnumbered(chunk) != unnumbered(wanted_series[key])
    ]
    found.different += found.tell("windows differ in their series", odd)
    halves = {(c.window_start_ms, c.revision) for c in seen.meters} ^ {
        (w.window_start_ms, w.revision) for w in seen.windows
    }
    found.lost += found.tell("revisions have either no series or no total", sorted(halves))


def compare_repeats(seen: Published, found: Differences) -> None:
    """Whether anything was published twice."""
    found.doubled += found.tell(
        "revisions are published twice",
        _repeated((window.window_start_ms, window.revision) for window in seen.windows),
    )
    found.doubled += found.tell(
        "revisions of series are published twice",
        _repeated((c.window_start_ms, c.chunk, c.revision) for c in seen.meters),
    )
    found.doubled += found.tell(
        "windows are decided about twice", _repeated(plan.window_start_ms for plan in seen.plans)
    )


def _repeated(keys: Iterable[MessageT]) -> list[MessageT]:
    """Every key as often as it comes again."""
    return [key for key, times in Counter(keys).items() for _ in range(times - 1)]


def compare_stored(
    seen: Published, historian: HistorianReader, site: str, found: Differences
) -> None:
    """Whether the historian holds the last revision of every window, once."""
    points = historian.site_windows(site, 0, 2**62)
    wanted = {start: to_point(window) for start, window in last_revisions(seen.windows).items()}
    stored: dict[int, SitePoint] = {point.window_start_ms: point for point in points}
    found.doubled += found.tell(
        "windows are stored twice", _repeated(point.window_start_ms for point in points)
    )
    found.lost += found.tell("windows are not stored", sorted(wanted.keys() - stored.keys()))
    other = [start for start, point in stored.items() if wanted.get(start) != point]
    found.different += found.tell("windows are stored otherwise than published", other)
    series = sum(len(chunk.series) for chunk in last_series(seen.meters).values())
    held = historian.count(Measurement.METER_WINDOW)
    if held != series:
        found.problems.append(f"{held} values of series are stored, not {series}")
        found.doubled += max(0, held - series)
        found.lost += max(0, series - held)
