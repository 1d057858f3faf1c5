"""Sites, records and a slow but obvious reference for the alignment tests."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from processors.aligning.partition import Emission, PartitionAligner
from processors.aligning.records import Records
from schemas.clock import PipelineClock
from schemas.identity import partition_of
from schemas.messages import encode
from schemas.settings import AlignSettings
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import SiteWindow
from schemas.telemetry import Batch, BatchItem, Reading
from schemas.units import MICRO, TelemetryKind
from schemas.windows import LATENESS_MS, WINDOW_MS

T0 = 1_700_000_000_000
"""A window start [ms], and the origin of the tests' clocks."""

CLOCK = PipelineClock(event_origin_ms=T0, append_origin_ms=T0, speed=1.0)
SITE = "site-a"
PARTITIONS = 4
PARTITION = partition_of(SITE, PARTITIONS)


def site_model(**changes: object) -> SiteModel:
    """Two meters of 10 kW, one of 5 kW generation, a counter, weather, and a board."""
    meters = [
        {"id": "m1", "rated_kw": 10},
        {"id": "m2", "rated_kw": 10, "interval_s": 10},
        {"id": "pv", "rated_kw": 5, "role": "generation"},
    ]
    board = {"id": "b1", "gateway": "g1", "relays": [{"output": 1, "load_kw": 3, "priority": 1}]}
    data: dict[str, object] = {
        "name": SITE,
        "capacity_kw": 100,
        "meters": meters,
        "weather_stations": [{"id": "w1", "interval_s": 10}],
        "relay_boards": [board],
    }
    return parse_site_model(data | changes, "test")


def meter_site(*meters: Mapping[str, object]) -> SiteModel:
    """A site with nothing but meters."""
    return site_model(meters=list(meters), weather_stations=[], relay_boards=[])


@dataclass(frozen=True)
class Sent:
    """A reading on its way: when it is appended [ms after T0], and what it says."""

    append_ms: int
    device: str
    time_ms: int
    value: float
    quantity: str = "active_power"
    unit: str = "kW"
    kind: TelemetryKind = TelemetryKind.METER
    event_id: str = ""

    def to_bytes(self) -> bytes:
        """As a single-reading message; the time is relative to T0."""
        return encode(
            Reading(
                event_id=self.event_id or f"{self.device}/{self.time_ms}/{self.value}",
                site=SITE,
                source="test",
                device=self.device,
                quantity=self.quantity,
                unit=self.unit,
                value=self.value,
                event_time_ms=T0 + self.time_ms,
            )
        )

    def to_item(self) -> BatchItem:
        """As an item of a batch message."""
        return BatchItem(
            event_id=self.event_id or f"{self.device}/{self.time_ms}/{self.value}",
            device=self.device,
            quantity=self.quantity,
            unit=self.unit,
            value=self.value,
            event_time_ms=T0 + self.time_ms,
        )


def as_batch(readings: Iterable[Sent]) -> bytes:
    """Readings as one batch message."""
    items = tuple(reading.to_item() for reading in readings)
    return encode(Batch(site=SITE, source="test", readings=items))


def aligner_for(
    model: SiteModel, clock: PipelineClock = CLOCK, **settings: float
) -> PartitionAligner:
    """A fresh aligner that knows one site."""
    return PartitionAligner(
        PARTITION,
        PARTITIONS,
        clock,
        AlignSettings.model_validate(settings),
        {model.name: model}.get,
    )


@dataclass(frozen=True)
class Record:
    """One record of a log; ``tick_ms``: a tick's time [ms] on the data clock."""

    offset: int
    append_ms: int
    value: bytes | None
    is_tick: bool = False
    tick_ms: int | None = None


def columns(records: Sequence[Record]) -> Records:
    """Records as align takes them."""
    return Records.of(
        offsets=[record.offset for record in records],
        append_ms=[record.append_ms for record in records],
        values=[record.value or b"" for record in records],
        ticks={at: record.tick_ms for at, record in enumerate(records) if record.is_tick},
    )


class Log:
    """A telemetry log of one partition: records and ticks per topic, in append order."""

    def __init__(self) -> None:
        self.records: dict[TelemetryKind, list[Record]] = {kind: [] for kind in TelemetryKind}

    def append(self, kind: TelemetryKind, append_ms: int, value: bytes) -> None:
        """A record appended ``append_ms`` after T0."""
        topic = self.records[kind]
        topic.append(Record(offset=len(topic), append_ms=T0 + append_ms, value=value))

    def tick(self, append_ms: int, tick_ms: int | None = None) -> None:
        """A tick in every topic; ``tick_ms`` (after T0) on the data clock."""
        for topic in self.records.values():
            topic.append(
                Record(
                    offset=len(topic),
                    append_ms=T0 + append_ms,
                    value=None,
                    is_tick=True,
                    tick_ms=None if tick_ms is None else T0 + tick_ms,
                )
            )


def log_of(readings: Iterable[Sent], until_ms: int, tick_every_ms: int = 1_000) -> Log:
    """Readings in the order of their append times, with ticks between, up to ``until_ms``."""
    log = Log()
    queue = sorted(readings, key=lambda reading: reading.append_ms)
    for now in range(0, until_ms + 1, tick_every_ms):
        while queue and queue[0].append_ms <= now:
            reading = queue.pop(0)
            log.append(reading.kind, reading.append_ms, reading.to_bytes())
        log.tick(now)
    return log


def feed(
    aligner: PartitionAligner, log: Log, batch: int | None = None, emit_every: int = 1
) -> Emission:
    """Run a whole log through an aligner in batches of ``batch`` records; all emissions."""
    total = Emission()
    longest = max(len(topic) for topic in log.records.values())
    size = batch or longest
    for step, low in enumerate(range(0, longest, size)):
        for kind, topic in log.records.items():
            aligner.consume(kind, columns(topic[low : low + size]))
        if step % emit_every == 0 or low + size >= longest:
            add(total, aligner.emit())
    return total


def add(total: Emission, more: Emission) -> None:
    """Append one emission to another."""
    total.windows += more.windows
    total.meters += more.meters
    total.refused += more.refused


def last_revisions(emission: Emission) -> dict[int, SiteWindow]:
    """The newest revision of every window by its start [ms after T0], its number zeroed."""
    newest: dict[int, SiteWindow] = {}
    for window in emission.windows:
        key = window.window_start_ms - T0
        if key not in newest or window.revision > newest[key].revision:
            newest[key] = window
    return {key: _unnumbered(window) for key, window in sorted(newest.items())}


def last_values(emission: Emission) -> dict[int, tuple[tuple[float | None, ...], str]]:
    """Values and status letters of the newest revision of every window."""
    newest: dict[int, tuple[int, tuple[float | None, ...], str]] = {}
    for chunk in emission.meters:
        key = chunk.window_start_ms - T0
        if key not in newest or chunk.revision > newest[key][0]:
            newest[key] = (chunk.revision, chunk.values, chunk.status)
    return {key: (values, status) for key, (_, values, status) in sorted(newest.items())}


def _unnumbered(window: SiteWindow) -> SiteWindow:
    fields = {name: getattr(window, name) for name in window.__struct_fields__}
    return SiteWindow(**(fields | {"revision": 0}))


def reference_mean(
    readings: Iterable[tuple[int, float]], start_ms: int, interval_ms: int, hold_ms: int
) -> tuple[float | None, str]:
    """Mean and status of one window, millisecond by millisecond: slow and obvious."""
    known = sorted(dict(readings).items())
    total, covered, measured = 0, 0, 0
    for now in range(start_ms, start_ms + WINDOW_MS):
        past = [(time, value) for time, value in known if time <= now]
        if not past or now >= past[-1][0] + hold_ms:
            continue
        time, value = past[-1]
        total += round(value * MICRO)
        covered += 1
        measured += now < time + interval_ms
    if 2 * covered < WINDOW_MS:
        return None, "x"
    mean = (total + covered // 2) // covered / MICRO
    return mean, "m" if 2 * measured >= WINDOW_MS else "v"


def is_too_late(time_ms: int, watermark_ms: int) -> bool:
    """The definition of too late, written out."""
    return time_ms - time_ms % WINDOW_MS + WINDOW_MS + LATENESS_MS <= watermark_ms


def sendings(until_ms: int, most: int) -> st.SearchStrategy[list[Sent]]:
    """Readings of two meters on a grid of 250 ms, none of them sent before its time."""

    def sent(append_ms: int, share: int, device: str, quarters: int, event_id: str) -> Sent:
        time_ms = append_ms * share // 1_000 // 250 * 250
        return Sent(append_ms, device, time_ms, quarters / 4, event_id=event_id)

    return st.lists(
        st.builds(
            sent,
            append_ms=st.integers(0, until_ms),
            share=st.integers(0, 1_000),
            device=st.sampled_from(["m1", "m2"]),
            quarters=st.integers(-4, 4),
            event_id=st.sampled_from(["", "a", "b"]),
        ),
        max_size=most,
    )
