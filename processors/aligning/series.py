"""The series of a partition's sites: what may be read, how it holds, and what it counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.align_state import CHUNK_SERIES
from schemas.site_model import RelayBoard, Role, SiteModel, WeatherStation
from schemas.site_window import SeriesName, as_raw
from schemas.units import MICRO, QUANTITIES, Aggregation, TelemetryKind, relay_quantity

KINDS: Final = tuple(TelemetryKind)
"""Telemetry kinds in the order of their numeric code."""

AGGREGATIONS: Final = tuple(Aggregation)
"""Aggregations in the order of their numeric code."""

_IN_BALANCE: Final = (Role.LOAD, Role.GENERATION)


class SeriesSpec(NamedTuple):
    """One series of a site; times in ms, ratings in kW."""

    kind: TelemetryKind
    device: str
    quantity: str
    interval_ms: int
    hold_ms: int
    role: Role
    rated_kw: float = 0.0
    counter_max_micro: int = 0

    @property
    def required(self) -> bool:
        """Whether a window without it is not complete."""
        return self.role is not Role.INFORMATION


def series_of(model: SiteModel) -> tuple[SeriesSpec, ...]:
    """Every series that a site may send, in the order of its model."""
    return (*_meters(model), *_weather(model), *_relays(model), *_assets(model))


def _meters(model: SiteModel) -> Iterator[SeriesSpec]:
    for meter in model.meters:
        for quantity in meter.quantities:
            power = quantity == "active_power"
            yield SeriesSpec(
                TelemetryKind.METER,
                meter.id,
                quantity,
                round(meter.interval_s * 1000),
                round(meter.held_s * 1000),
                meter.role if power else Role.INFORMATION,
                meter.rated_kw if power else 0.0,
                round((meter.counter_max_kwh or 0) * MICRO),
            )


def _weather(model: SiteModel) -> Iterator[SeriesSpec]:
    for station in model.weather_stations:
        for quantity in station.quantities:
            yield SeriesSpec(
                TelemetryKind.WEATHER,
                station.id,
                quantity,
                round(station.interval_s * 1000),
                round(station.held_s * 1000),
                Role.SUB_METER,
            )


def _relays(model: SiteModel) -> Iterator[SeriesSpec]:
    for board in model.relay_boards:
        for relay in board.relays:
            yield SeriesSpec(
                TelemetryKind.RELAY,
                board.id,
                relay_quantity(relay.output),
                round(board.interval_s * 1000),
                round(board.held_s * 1000),
                Role.SUB_METER,
            )


def _assets(model: SiteModel) -> Iterator[SeriesSpec]:
    for asset in (*model.batteries, *model.chargers):
        for quantity in ("active_power", "state_of_charge"):
            yield SeriesSpec(
                TelemetryKind.ASSET,
                asset.id,
                quantity,
                round(asset.interval_s * 1000),
                round(asset.held_s * 1000),
                Role.INFORMATION,
            )


@dataclass(frozen=True, slots=True)
class SiteSeries:
    """A site within a partition: its series, and their numbers ``[low, high)``.

    Of the model it keeps only what windows need: with many meters a model takes much memory.

    Attributes:
        name, model_hash: of the site's model.
        boards, stations: the model's relay boards and weather stations.
        names: of the series.
        chunks: the same as JSON, for every CHUNK_SERIES of them: each window carries them anew.
        places: by (device, quantity), the place among the site's series.
        index: of the site within the partition.
    """

    name: str
    model_hash: str
    boards: tuple[RelayBoard, ...]
    stations: tuple[WeatherStation, ...]
    names: tuple[SeriesName, ...]
    chunks: tuple[msgspec.Raw, ...]
    places: dict[tuple[str, str], int]
    index: int
    low: int

    @property
    def high(self) -> int:
        """One past the site's last series number."""
        return self.low + len(self.names)


@dataclass(frozen=True, slots=True)
class SeriesColumns:
    """What windows need to know of series; one entry each, a site's are neighbours.

    Attributes:
        site: index of its site.
        device: number of its device's first series.
        interval_ms, hold_ms: how long a reading is measured, and valid [ms].
        counter_max_micro: where a register rolls over, fixed point; 0 where that is not known.
        rated_micro: rated power of what is in the balance, otherwise 0; fixed point [kW].
        kind, aggregation: codes into ``KINDS`` and ``AGGREGATIONS``.
        in_load, in_generation, in_energy: whether it counts there in the site's window.
        required: whether a window without it is not complete.
    """

    site: NDArray[np.int64]
    device: NDArray[np.int64]
    interval_ms: NDArray[np.int64]
    hold_ms: NDArray[np.int64]
    counter_max_micro: NDArray[np.int64]
    rated_micro: NDArray[np.int64]
    kind: NDArray[np.int8]
    aggregation: NDArray[np.int8]
    in_load: NDArray[np.bool_]
    in_generation: NDArray[np.bool_]
    in_energy: NDArray[np.bool_]
    required: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.site)

    def take(self, series: NDArray[np.intp]) -> "SeriesColumns":
        """Those of the given series."""
        return SeriesColumns(*(getattr(self, each.name)[series] for each in fields(self)))


def _columns_of(specs: Sequence[SeriesSpec], site: int, low: int) -> SeriesColumns:
    power = [spec.quantity == "active_power" for spec in specs]
    rated = [spec.rated_kw if spec.role in _IN_BALANCE else 0.0 for spec in specs]

    first: dict[str, int] = {}
    for number, spec in enumerate(specs, low):
        first.setdefault(spec.device, number)

    def powers(role: Role) -> NDArray[np.bool_]:
        chosen = [p and spec.role is role for p, spec in zip(power, specs, strict=True)]
        return np.array(chosen, np.bool_)

    return SeriesColumns(
        site=np.full(len(specs), site, np.int64),
        device=np.array([first[spec.device] for spec in specs], np.int64),
        interval_ms=np.array([spec.interval_ms for spec in specs], np.int64),
        hold_ms=np.array([spec.hold_ms for spec in specs], np.int64),
        counter_max_micro=np.array([spec.counter_max_micro for spec in specs], np.int64),
        rated_micro=np.array([round(kw * MICRO) for kw in rated], np.int64),
        kind=np.array([KINDS.index(spec.kind) for spec in specs], np.int8),
        aggregation=np.array(
            [AGGREGATIONS.index(QUANTITIES[spec.quantity].aggregation) for spec in specs], np.int8
        ),
        in_load=powers(Role.LOAD),
        in_generation=powers(Role.GENERATION),
        in_energy=np.array([spec.quantity == "energy_import" for spec in specs], np.bool_),
        required=np.array([spec.required for spec in specs], np.bool_),
    )


def _chunks(names: Sequence[SeriesName]) -> Iterator[msgspec.Raw]:
    for low in range(0, len(names), CHUNK_SERIES):
        yield as_raw(names[low : low + CHUNK_SERIES])


class SeriesTable:
    """All series of one partition, numbered from 0; a site's series are neighbours.

    Attributes:
        sites: the sites by name, in the order of their numbers.
    """

    def __init__(self) -> None:
        self.sites: dict[str, SiteSeries] = {}
        self._by_index: list[SiteSeries] = []
        self._length = 0
        self._new: list[SeriesColumns] = []
        self._columns = _columns_of((), 0, 0)

    def __len__(self) -> int:
        return self._length

    @property
    def columns(self) -> SeriesColumns:
        """Of all series; made anew only after sites were added."""
        if self._new:
            parts = [self._columns, *self._new]
            names = [each.name for each in fields(SeriesColumns)]
            joined = (np.concatenate([getattr(part, name) for part in parts]) for name in names)
            self._columns, self._new = SeriesColumns(*joined), []
        return self._columns

    def add_site(self, model: SiteModel) -> SiteSeries:
        """Number the series of a new site."""
        specs = series_of(model)
        names = tuple(SeriesName(device=s.device, quantity=s.quantity) for s in specs)
        site = SiteSeries(
            name=model.name,
            model_hash=model.model_hash,
            boards=model.relay_boards,
            stations=model.weather_stations,
            names=names,
            chunks=tuple(_chunks(names)),
            places={(spec.device, spec.quantity): at for at, spec in enumerate(specs)},
            index=len(self.sites),
            low=len(self),
        )
        self.sites[model.name] = site
        self._by_index.append(site)
        self._new.append(_columns_of(specs, site.index, site.low))
        self._length += len(specs)
        return site

    def number_of(
        self, site: str, device: str, quantity: str, kind: TelemetryKind | None = None
    ) -> int | None:
        """Number of a series by name, or None where the site has none, or none of that kind."""
        known = self.sites.get(site)
        place = None if known is None else known.places.get((device, quantity))
        if known is None or place is None:
            return None
        number = known.low + place
        wrong = kind is not None and KINDS[self.columns.kind[number]] is not kind
        return None if wrong else number

    def devices_with(
        self, site: str, quantity: str, kind: TelemetryKind
    ) -> Iterator[tuple[str, int]]:
        """The devices of a known site that have a quantity, with the numbers of those series."""
        known, of_kind = self.sites[site], KINDS.index(kind)
        for number, name in enumerate(known.names, known.low):
            if name.quantity == quantity and self.columns.kind[number] == of_kind:
                yield name.device, number

    def name_of(self, series: int) -> tuple[str, SeriesName]:
        """Site and name of a series, by its number."""
        site = self._by_index[int(self.columns.site[series])]
        return site.name, site.names[series - site.low]
