"""What align is measured with: equal meters, one reading each per window, ticks between."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.identity import partition_of, reading_id
from schemas.messages import encode
from schemas.site_model import Meter, SiteModel
from schemas.telemetry import Batch, BatchItem, Reading
from schemas.topics import TELEMETRY, telemetry_topic
from schemas.units import TelemetryKind
from schemas.windows import WINDOW_MS
from streams.kafka import TICK_HEADER
from streams.replay.playing import final_tick_ms
from streams.replay.sending import Sender

START_MS: Final = 1_700_000_000_000
"""Start of the first window [ms]."""

METERS: Final = 1_000
PER_SITE: Final = 100
"""Meters of a site: as many as a neighbourhood has (SimBench 1-LV-urban6: 111 loads)."""

SITES: Final = METERS // PER_SITE
_SOURCE: Final = "bench"
_TOPIC: Final = telemetry_topic(TelemetryKind.METER)


Headers = dict[str, str | bytes | None]


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record for Kafka; one without a value is a tick."""

    topic: str
    partition: int
    key: str | None
    value: bytes | None
    headers: Headers | None = None


@dataclass(frozen=True, slots=True)
class Workload:
    """Readings of equal meters, :data:`PER_SITE` a site, one each per window.

    Attributes:
        readings: how many; a whole number for every meter, and of batches for every site.
        batch: readings of a message. 1: single readings, meters of all sites in turn. More: a
            head-end's collection run, some windows of one site at once.
        partitions: of every telemetry topic.
        meters: how many, of all sites together.
    """

    readings: int
    batch: int
    partitions: int
    meters: int = METERS

    @property
    def sites(self) -> int:
        """Sites that the meters are at."""
        return self.meters // PER_SITE

    @property
    def windows(self) -> int:
        """Windows that the readings fill."""
        return self.readings // self.meters

    @property
    def end_ms(self) -> int:
        """Where the last reading's window ends [ms]."""
        return START_MS + self.windows * WINDOW_MS

    @property
    def last_start_ms(self) -> int:
        """Start of the last window that the readings fill [ms]."""
        return self.end_ms - WINDOW_MS

    @property
    def step(self) -> int:
        """Windows whose readings are sent between two ticks."""
        return max(1, self.batch // PER_SITE)

    def models(self) -> list[SiteModel]:
        """The sites, to be declared."""
        return [_model(site) for site in range(self.sites)]

    def send(self, sender: Sender) -> int:
        """Send everything; returns the number of records, ticks included."""
        sent = 0
        for record in self.records():
            sender.send(
                record.topic,
                record.value,
                key=record.key,
                partition=record.partition,
                headers=record.headers,
            )
            sent += 1
        sender.flush()
        return sent

    def records(self) -> Iterator[OutgoingRecord]:
        """Everything, in the order of sending: a tick, the readings of its time, and so on."""
        for first in range(0, self.windows, self.step):
            yield from self._tick(START_MS + first * WINDOW_MS)
            for site, value in self._messages(first):
                name = site_name(site)
                yield OutgoingRecord(_TOPIC, partition_of(name, self.partitions), name, value)
        yield from self._tick(final_tick_ms(self.end_ms))

    def _tick(self, time_ms: int) -> Iterator[OutgoingRecord]:
        headers: Headers = {TICK_HEADER: str(time_ms).encode()}
        for spec in TELEMETRY.values():
            for partition in range(self.partitions):
                yield OutgoingRecord(spec.name, partition, None, None, headers)

    def _messages(self, first: int) -> Iterator[tuple[int, bytes]]:
        """Messages between two ticks, with the number of their site."""
        if self.batch == 1:
            items = _items(first, self.meters)
            for meter in range(PER_SITE):
                for site in range(self.sites):
                    yield site, encode(_reading(site, items[site * PER_SITE + meter]))
            return
        windows = range(first, first + self.step)
        columns = [_items(window, self.meters) for window in windows]
        for site in range(self.sites):
            low, high = site * PER_SITE, (site + 1) * PER_SITE
            readings = tuple(item for items in columns for item in items[low:high])
            yield site, encode(Batch(site=site_name(site), source=_SOURCE, readings=readings))


def whole_readings(readings: int, batch: int) -> int:
    """The greatest number up to ``readings`` that makes whole batches of every site."""
    return readings - readings % (METERS * max(1, batch // PER_SITE))


def site_name(site: int) -> str:
    """Name of a site; ten of these spread over four partitions as 2, 3, 2 and 3."""
    return f"site-{site}"


def _meter_name(meter: int) -> str:
    return f"meter-{meter:04d}"


def _model(site: int) -> SiteModel:
    names = (_meter_name(meter) for meter in range(site * PER_SITE, (site + 1) * PER_SITE))
    meters = tuple(Meter(id=name, rated_kw=10.0) for name in names)
    return SiteModel(name=site_name(site), capacity_kw=1_000.0, meters=meters)


def _items(window: int, meters: int) -> list[BatchItem]:
    """One reading of every meter in a window, the meters in their order."""
    values = np.random.default_rng(window).uniform(0.1, 9.9, meters).round(3).tolist()
    time_ms = START_MS + window * WINDOW_MS
    names = [_meter_name(meter) for meter in range(meters)]
    return [
        BatchItem(
            event_id=reading_id(_SOURCE, name, "active_power", time_ms),
            device=name,
            quantity="active_power",
            unit="kW",
            value=value,
            event_time_ms=time_ms,
        )
        for name, value in zip(names, values, strict=True)
    ]


def _reading(site: int, item: BatchItem) -> Reading:
    return Reading(
        event_id=item.event_id,
        site=site_name(site),
        source=_SOURCE,
        device=item.device,
        quantity=item.quantity,
        unit=item.unit,
        value=item.value,
        event_time_ms=item.event_time_ms,
    )
