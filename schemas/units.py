"""Quantities, their units, and the sign convention: written once, here.

Sign convention
    Consumption is positive, generation is negative. Charging a battery is positive (it
    consumes), discharging is negative. Import from the grid is positive.

Units
    A message carries a value *with* its unit; inside Gridloom a quantity has one canonical
    unit, and every name says it: ``_kw``, ``_kwh``, ``_kvar``, ``_v``, ``_s``, ``_ms``, ``_pu``.

Fixed point
    Aligned values are held as integers of one millionth of the canonical unit (1 mW for kW),
    so that sums do not depend on the order of addition and windows are reproducible to the byte.
"""

from enum import StrEnum
from types import MappingProxyType
from typing import Final

import msgspec

MICRO: Final = 1_000_000
"""Fixed-point scale: one canonical unit is this many integer steps."""

VALUE_LIMIT: Final = 1e9
"""Largest magnitude [canonical unit] that a reading may have: keeps window sums within 63 bits."""


class TelemetryKind(StrEnum):
    """What a telemetry topic carries; the topic's name is ``telemetry.<kind>``."""

    METER = "meter"
    WEATHER = "weather"
    RELAY = "relay"
    ASSET = "asset"


class Aggregation(StrEnum):
    """How the readings of a quantity become the value of a window."""

    MEAN = "mean"
    """Time-weighted mean over the window (power, voltage)."""
    LAST = "last"
    """Last valid value at the window's end (weather, relay state, state of charge)."""
    COUNTER = "counter"
    """Increase of a register within the window (energy)."""


class Quantity(msgspec.Struct, frozen=True, kw_only=True):
    """A measurable quantity: canonical unit, accepted units, and how it is windowed."""

    name: str
    unit: str
    accepted: dict[str, float]
    """Factor from an accepted unit to the canonical one."""
    aggregation: Aggregation
    kinds: frozenset[TelemetryKind]


_METERED = frozenset({TelemetryKind.METER, TelemetryKind.ASSET})
_WEATHER = frozenset({TelemetryKind.WEATHER})
_RELAY = frozenset({TelemetryKind.RELAY})
_ASSET = frozenset({TelemetryKind.ASSET})

MAX_RELAYS: Final = 16
"""Outputs that one relay board may have."""


def relay_quantity(output: int) -> str:
    """Name of the quantity that tells whether ``output`` (1-based) of a board is on."""
    return f"relay_{output}"


def _quantity(
    name: str,
    accepted: dict[str, float],
    aggregation: Aggregation,
    kinds: frozenset[TelemetryKind],
) -> Quantity:
    """A quantity whose canonical unit is the first accepted one."""
    unit = next(iter(accepted))
    return Quantity(name=name, unit=unit, accepted=accepted, aggregation=aggregation, kinds=kinds)


_ALL: Final = (
    _quantity("active_power", {"kW": 1, "W": 1e-3, "MW": 1e3}, Aggregation.MEAN, _METERED),
    _quantity("reactive_power", {"kvar": 1, "var": 1e-3, "Mvar": 1e3}, Aggregation.MEAN, _METERED),
    _quantity("voltage", {"V": 1, "kV": 1e3}, Aggregation.MEAN, _METERED),
    _quantity("current", {"A": 1}, Aggregation.MEAN, _METERED),
    _quantity("energy_import", {"kWh": 1, "Wh": 1e-3, "MWh": 1e3}, Aggregation.COUNTER, _METERED),
    _quantity("energy_export", {"kWh": 1, "Wh": 1e-3, "MWh": 1e3}, Aggregation.COUNTER, _METERED),
    _quantity("state_of_charge", {"%": 1, "pu": 100}, Aggregation.LAST, _ASSET),
    _quantity("air_temperature", {"degC": 1}, Aggregation.LAST, _WEATHER),
    _quantity("relative_humidity", {"%": 1, "pu": 100}, Aggregation.LAST, _WEATHER),
    _quantity("air_pressure", {"hPa": 1, "Pa": 1e-2}, Aggregation.LAST, _WEATHER),
    _quantity("wind_speed", {"m/s": 1, "km/h": 1 / 3.6}, Aggregation.LAST, _WEATHER),
    _quantity("cloud_cover", {"%": 1, "pu": 100}, Aggregation.LAST, _WEATHER),
    _quantity("global_irradiance", {"W/m2": 1, "kW/m2": 1e3}, Aggregation.LAST, _WEATHER),
    _quantity("diffuse_irradiance", {"W/m2": 1, "kW/m2": 1e3}, Aggregation.LAST, _WEATHER),
    _quantity("direct_irradiance", {"W/m2": 1, "kW/m2": 1e3}, Aggregation.LAST, _WEATHER),
    *(
        _quantity(relay_quantity(output), {"on": 1}, Aggregation.LAST, _RELAY)
        for output in range(1, MAX_RELAYS + 1)
    ),
)

QUANTITIES: Final = MappingProxyType({quantity.name: quantity for quantity in _ALL})
"""Every known quantity by name."""


def quantities_of(kind: TelemetryKind) -> tuple[Quantity, ...]:
    """The quantities that the telemetry topic of ``kind`` may carry."""
    return tuple(quantity for quantity in _ALL if kind in quantity.kinds)
