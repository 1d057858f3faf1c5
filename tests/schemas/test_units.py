"""Quantities and units: what is accepted, what it is worth, and which way is positive."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import units
from schemas.units import (
    MAX_RELAYS,
    MICRO,
    QUANTITIES,
    VALUE_LIMIT,
    Aggregation,
    TelemetryKind,
    quantities_of,
    relay_quantity,
)
from schemas.windows import WINDOW_MS

CONVERSIONS = [
    ("active_power", 1_500.0, "W", 1.5, "kW"),
    ("active_power", 0.25, "MW", 250.0, "kW"),
    ("reactive_power", -1_500.0, "var", -1.5, "kvar"),
    ("reactive_power", 0.25, "Mvar", 250.0, "kvar"),
    ("voltage", 0.4, "kV", 400.0, "V"),
    ("energy_import", 12.0, "Wh", 0.012, "kWh"),
    ("energy_import", 3.5, "MWh", 3_500.0, "kWh"),
    ("energy_export", 12.0, "Wh", 0.012, "kWh"),
    ("energy_export", 3.5, "MWh", 3_500.0, "kWh"),
    ("state_of_charge", 0.4, "pu", 40.0, "%"),
    ("relative_humidity", 0.85, "pu", 85.0, "%"),
    ("air_pressure", 101_325.0, "Pa", 1_013.25, "hPa"),
    ("wind_speed", 36.0, "km/h", 10.0, "m/s"),
    ("cloud_cover", 0.5, "pu", 50.0, "%"),
    ("global_irradiance", 0.8, "kW/m2", 800.0, "W/m2"),
    ("diffuse_irradiance", 0.1, "kW/m2", 100.0, "W/m2"),
    ("direct_irradiance", 0.7, "kW/m2", 700.0, "W/m2"),
]
"""Quantity, value and unit as sent; value and unit as Gridloom holds it."""


@pytest.mark.parametrize(("name", "sent", "unit", "held", "canonical"), CONVERSIONS)
def test_an_accepted_unit_is_worth_its_factor(
    name: str, sent: float, unit: str, held: float, canonical: str
) -> None:
    quantity = QUANTITIES[name]
    assert quantity.unit == canonical
    assert sent * quantity.accepted[unit] == pytest.approx(held, rel=1e-12)


def test_every_accepted_unit_but_the_canonical_one_is_converted_above() -> None:
    accepted = {(q.name, unit) for q in QUANTITIES.values() for unit in q.accepted}
    canonical = {(q.name, q.unit) for q in QUANTITIES.values()}
    assert accepted - canonical == {(name, unit) for name, _, unit, _, _ in CONVERSIONS}


@pytest.mark.parametrize("name", QUANTITIES)
def test_the_canonical_unit_is_accepted_as_it_is(name: str) -> None:
    quantity = QUANTITIES[name]
    assert quantity.name == name
    assert quantity.accepted[quantity.unit] == 1
    assert all(math.isfinite(factor) and factor > 0 for factor in quantity.accepted.values())


def test_every_kind_of_telemetry_carries_what_belongs_to_it() -> None:
    """D-3: meter, weather and relay telemetry."""
    names = {kind: {quantity.name for quantity in quantities_of(kind)} for kind in TelemetryKind}
    assert {"active_power", "energy_import", "voltage"} <= names[TelemetryKind.METER]
    assert {"air_temperature", "global_irradiance"} <= names[TelemetryKind.WEATHER]
    assert {"active_power", "state_of_charge"} <= names[TelemetryKind.ASSET]
    assert names[TelemetryKind.RELAY] == {
        relay_quantity(output) for output in range(1, MAX_RELAYS + 1)
    }
    assert not names[TelemetryKind.METER] & names[TelemetryKind.WEATHER]


def test_power_is_averaged_energy_counted_and_everything_else_is_the_last_value() -> None:
    """DESIGN "Time" 5: mean for power, counter difference for energy, last for the rest."""
    electrical = {"active_power", "reactive_power", "voltage", "current"}
    for name, quantity in QUANTITIES.items():
        if name in electrical:
            assert quantity.aggregation is Aggregation.MEAN
        elif name.startswith("energy_"):
            assert quantity.aggregation is Aggregation.COUNTER
        else:
            assert quantity.aggregation is Aggregation.LAST


def test_the_sign_convention_is_written_where_the_units_are() -> None:
    text = " ".join((units.__doc__ or "").split())
    assert "Consumption is positive, generation is negative." in text
    assert "Charging a battery is positive" in text
    assert "Import from the grid is positive." in text


@given(st.floats(-VALUE_LIMIT, VALUE_LIMIT))
def test_a_window_sum_of_any_allowed_value_fits_63_bits(value: float) -> None:
    """Fixed point times milliseconds is exact in an integer column."""
    assert abs(round(value * MICRO)) * WINDOW_MS < 2**63
