"""Names that columns go by, and what the user says of a column where its name does not tell.

A column is known by a short name (``kw``), by its quantity (``voltage``, in the canonical
unit), or by quantity and unit (``active_power_w``); upper and lower case are the same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from schemas.errors import ReplayError
from schemas.units import QUANTITIES, TelemetryKind

DEVICE_NAMES: Final = ("meter_id", "device", "device_id", "station_id")
TIME_NAMES: Final = ("ts", "timestamp", "time", "ts_utc", "time_utc", "datetime")

DEVICE: Final = "device"
TIME: Final = "time"

_SHORT_NAMES: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "active_power": {
        "kW": ("kw", "p_kw", "power_kw", "load_kw"),
        "W": ("w", "p_w", "power_w", "load_w"),
        "MW": ("mw", "p_mw", "power_mw", "load_mw"),
    },
    "reactive_power": {"kvar": ("kvar", "q_kvar"), "var": ("var", "q_var")},
    "voltage": {"V": ("v", "u_v"), "kV": ("kv",)},
    "current": {"A": ("i", "a", "i_a")},
    "energy_import": {"kWh": ("energy_kwh", "import_kwh"), "Wh": ("energy_wh", "import_wh")},
    "energy_export": {"kWh": ("export_kwh",), "Wh": ("export_wh",)},
    "air_temperature": {"degC": ("temp_c", "temperature_c", "air_temperature_c")},
    "relative_humidity": {"%": ("humidity_pct", "relative_humidity_pct", "rh_pct")},
    "air_pressure": {"hPa": ("pressure_hpa",), "Pa": ("pressure_pa",)},
    "wind_speed": {"m/s": ("wind_ms", "wind_speed_ms"), "km/h": ("wind_kmh", "wind_speed_kmh")},
    "cloud_cover": {"%": ("cloud_pct", "cloud_cover_pct")},
    "global_irradiance": {"W/m2": ("ghi", "ghi_w_m2")},
    "diffuse_irradiance": {"W/m2": ("dhi", "dhi_w_m2")},
    "direct_irradiance": {"W/m2": ("dni", "dni_w_m2")},
}
_OVERRIDE: Final = re.compile(r"(?P<name>.+)=(?:(?P<role>device|time)|(?P<what>\w+):(?P<unit>.+))")


def _known_names() -> dict[str, tuple[str, str]]:
    """Column name -> quantity and unit."""
    known: dict[str, tuple[str, str]] = {}
    for name, quantity in QUANTITIES.items():
        known[name] = (name, quantity.unit)
        for unit in quantity.accepted:
            known[f"{name}_{re.sub('[^a-z0-9]+', '_', unit.lower())}"] = (name, unit)
    for name, units in _SHORT_NAMES.items():
        for unit, short_names in units.items():
            known.update(dict.fromkeys(short_names, (name, unit)))
    return known


VALUE_NAMES: Final = MappingProxyType(_known_names())
"""Column name in lower case -> quantity and unit of its values."""


@dataclass(frozen=True, slots=True)
class Override:
    """What the user says of a column: its role, or its quantity and unit."""

    role: str = ""
    quantity: str = ""
    unit: str = ""


def kind_of(quantity: str) -> TelemetryKind | None:
    """Telemetry that a quantity of a file goes to; None for any other name."""
    kinds = QUANTITIES[quantity].kinds if quantity in QUANTITIES else frozenset()
    return next((k for k in (TelemetryKind.METER, TelemetryKind.WEATHER) if k in kinds), None)


def parse_overrides(texts: Iterable[str]) -> dict[str, Override]:
    """``NAME=QUANTITY:UNIT``, ``NAME=device`` and ``NAME=time``, by column name.

    Raises:
        ReplayError: naming everything that is wrong.
    """
    overrides: dict[str, Override] = {}
    problems: list[str] = []
    for text in texts:
        found = _OVERRIDE.fullmatch(text)
        if found is None:
            problems.append(f"{text!r} is not NAME=QUANTITY:UNIT, NAME=device or NAME=time")
        elif found["role"]:
            overrides[found["name"]] = Override(role=found["role"])
        elif problem := _wrong_quantity(found["what"], found["unit"]):
            problems.append(f"{text!r}: {problem}")
        else:
            overrides[found["name"]] = Override(quantity=found["what"], unit=found["unit"])
    if problems:
        message = "columns are described wrongly"
        raise ReplayError(message, problems=problems)
    return overrides


def _wrong_quantity(quantity: str, unit: str) -> str:
    if quantity not in QUANTITIES or kind_of(quantity) is None:
        wanted = ", ".join(name for name in QUANTITIES if kind_of(name) is not None)
        return f"{quantity} is not one of {wanted}"
    accepted = QUANTITIES[quantity].accepted
    return "" if unit in accepted else f"{unit} is not one of {', '.join(accepted)}"
