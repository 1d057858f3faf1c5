"""The series of a partition's sites: what may be read, how it holds, and what it counts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.site_model import Role, SiteModel
from schemas.site_window import SeriesName
from schemas.units import MICRO, QUANTITIES, Aggregation, TelemetryKind, relay_quantity

KINDS: Final = tuple(TelemetryKind)
"""Telemetry kinds in the order of their numeric code."""

AGGREGATIONS: Final = tuple(Aggregation)
"""Aggregations in the order of their numeric code."""


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
    """A site within a partition: its model, its series, and their numbers ``[low, high)``."""

    model: SiteModel
    specs: tuple[SeriesSpec, ...]
    names: tuple[SeriesName, ...]
    low: int

    @property
    def high(self) -> int:
        """One past the site's last series number."""
        return self.low + len(self.specs)


class SeriesTable:
    """All series of one partition, numbered from 0; a site's series are neighbours.

    Attributes:
        sites: the sites by name.
        interval_ms, hold_ms, counter_max_micro: per series, int64.
        kind, aggregation: per series, code into ``KINDS`` and ``AGGREGATIONS``.
    """

    def __init__(self) -> None:
        self.sites: dict[str, SiteSeries] = {}
        self.interval_ms: NDArray[np.int64] = np.zeros(0, np.int64)
        self.hold_ms: NDArray[np.int64] = np.zeros(0, np.int64)
        self.counter_max_micro: NDArray[np.int64] = np.zeros(0, np.int64)
        self.kind: NDArray[np.int8] = np.zeros(0, np.int8)
        self.aggregation: NDArray[np.int8] = np.zeros(0, np.int8)
        self._scales: dict[TelemetryKind, dict[tuple[str, str, str, str], tuple[int, float]]] = {
            kind: {} for kind in KINDS
        }

    def __len__(self) -> int:
        return len(self.kind)

    def add_site(self, model: SiteModel) -> SiteSeries:
        """Number the series of a new site."""
        specs = series_of(model)
        names = tuple(SeriesName(device=s.device, quantity=s.quantity) for s in specs)
        site = SiteSeries(model=model, specs=specs, names=names, low=len(self))
        self.sites[model.name] = site
        self._append(specs)
        for number, spec in enumerate(specs, start=site.low):
            scales = self._scales[spec.kind]
            for unit, factor in QUANTITIES[spec.quantity].accepted.items():
                scales[model.name, spec.device, spec.quantity, unit] = (number, factor * MICRO)
        return site

    def _append(self, specs: tuple[SeriesSpec, ...]) -> None:
        def longer(old: NDArray[np.int64], new: list[int]) -> NDArray[np.int64]:
            return np.concatenate([old, np.array(new, old.dtype)])

        def codes(old: NDArray[np.int8], new: list[int]) -> NDArray[np.int8]:
            return np.concatenate([old, np.array(new, old.dtype)])

        self.interval_ms = longer(self.interval_ms, [s.interval_ms for s in specs])
        self.hold_ms = longer(self.hold_ms, [s.hold_ms for s in specs])
        self.counter_max_micro = longer(
            self.counter_max_micro, [s.counter_max_micro for s in specs]
        )
        self.kind = codes(self.kind, [KINDS.index(s.kind) for s in specs])
        aggregations = [AGGREGATIONS.index(QUANTITIES[s.quantity].aggregation) for s in specs]
        self.aggregation = codes(self.aggregation, aggregations)

    def scales(self, kind: TelemetryKind) -> dict[tuple[str, str, str, str], tuple[int, float]]:
        """(site, device, quantity, unit) -> series number and factor to fixed point."""
        return self._scales[kind]

    def number_of(self, site: str, device: str, quantity: str) -> int | None:
        """Number of a series by name, or None where the site does not have it."""
        quantity_known = QUANTITIES.get(quantity)
        if quantity_known is None:
            return None
        key = (site, device, quantity, quantity_known.unit)
        found = (self._scales[kind].get(key) for kind in KINDS)
        return next((entry[0] for entry in found if entry is not None), None)
