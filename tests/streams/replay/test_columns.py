"""Which columns of a file are understood."""

import pytest

from schemas.errors import ReplayError
from schemas.units import QUANTITIES, TelemetryKind
from streams.replay.column_names import VALUE_NAMES, kind_of, parse_overrides
from streams.replay.columns import Layout, recognise


def layout_of(
    *header: str,
    columns: tuple[str, ...] = (),
    quantities: tuple[str, ...] = (),
    device_given: bool = False,
) -> Layout:
    return recognise(header, parse_overrides(columns), quantities, device_given=device_given)


def sent(layout: Layout) -> list[tuple[str, str, str]]:
    return [(value.name, value.quantity, value.unit) for value in layout.values]


def test_every_known_name_stands_for_a_unit_that_its_quantity_accepts() -> None:
    for quantity, unit in VALUE_NAMES.values():
        assert unit in QUANTITIES[quantity].accepted


@pytest.mark.parametrize(
    ("name", "quantity", "unit"),
    [
        ("kw", "active_power", "kW"),
        ("load_w", "active_power", "W"),
        ("kvar", "reactive_power", "kvar"),
        ("v", "voltage", "V"),
        ("i", "current", "A"),
        ("energy_kwh", "energy_import", "kWh"),
        ("energy_export_mwh", "energy_export", "MWh"),
        ("active_power", "active_power", "kW"),
        ("temp_c", "air_temperature", "degC"),
        ("wind_speed_km_h", "wind_speed", "km/h"),
        ("global_irradiance_w_m2", "global_irradiance", "W/m2"),
    ],
)
def test_a_column_is_known_by_its_name(name: str, quantity: str, unit: str) -> None:
    layout = layout_of("device", "ts", name, quantities=(quantity,))
    assert sent(layout) == [(name, quantity, unit)]


def test_upper_and_lower_case_are_the_same() -> None:
    layout = layout_of("Meter_ID", "Timestamp", "kW")
    assert (layout.device, layout.time, layout.values[0].index) == (0, 1, 2)


def test_a_meter_file_sends_active_power_unless_more_is_asked_for() -> None:
    header = ("meter_id", "ts", "kw", "kvar", "v")
    assert sent(layout_of(*header)) == [("kw", "active_power", "kW")]
    more = layout_of(*header, quantities=("voltage", "active_power"))
    assert sent(more) == [("kw", "active_power", "kW"), ("v", "voltage", "V")]


def test_a_weather_file_sends_all_that_is_known() -> None:
    layout = layout_of("device", "time", "temp_c", "holiday", "rh_pct")
    assert layout.kind is TelemetryKind.WEATHER
    assert [value.quantity for value in layout.values] == ["air_temperature", "relative_humidity"]


def test_a_weather_column_in_a_meter_file_is_sent_only_when_asked_for() -> None:
    header = ("device", "ts", "load_mw", "temp_c")
    assert layout_of(*header).kind is TelemetryKind.METER
    weather = layout_of(*header, quantities=("air_temperature",))
    assert weather.kind is TelemetryKind.WEATHER
    assert sent(weather) == [("temp_c", "air_temperature", "degC")]


def test_a_wish_that_concerns_meters_leaves_a_weather_file_as_it_is() -> None:
    layout = layout_of("device", "ts", "temp_c", quantities=("voltage",))
    assert sent(layout) == [("temp_c", "air_temperature", "degC")]


def test_a_wish_that_the_file_cannot_fulfil_is_refused() -> None:
    with pytest.raises(ReplayError, match="no voltage: choose from active_power"):
        layout_of("device", "ts", "kw", quantities=("voltage",))


def test_a_meter_file_without_active_power_asks_what_to_send() -> None:
    with pytest.raises(ReplayError, match="no active_power: choose from reactive_power, voltage"):
        layout_of("device", "ts", "v", "kvar")


def test_a_wrong_header_names_the_columns_found_and_all_that_are_wanted() -> None:
    with pytest.raises(ReplayError) as caught:
        layout_of("when", "who", "what")
    assert "found: when, who, what" in caught.value.message
    problems = "\n".join(caught.value.problems)
    for wanted in ("time column: name it ts,", "device column: name it meter_id,", "kw, load_w"):
        assert wanted in problems


def test_a_very_wide_header_is_not_shown_as_a_whole() -> None:
    with pytest.raises(ReplayError) as caught:
        layout_of(*(f"c{number}" for number in range(1000)))
    assert caught.value.message.endswith("c19, ...")


def test_a_file_without_a_device_column_needs_the_device() -> None:
    assert layout_of("ts", "kw", device_given=True).device is None
    with pytest.raises(ReplayError, match="--device NAME"):
        layout_of("ts", "kw")


def test_the_users_word_on_a_column_is_the_last() -> None:
    header = ("Zähler", "Zeit", "P", "kw")
    columns = ("Zähler=device", "Zeit=time", "P=active_power:W")
    layout = layout_of(*header, columns=columns)
    assert (layout.device, layout.time) == (0, 1)
    assert sent(layout) == [("P", "active_power", "W")]


def test_what_the_user_describes_is_sent() -> None:
    layout = layout_of("device", "ts", "kw", "U1", columns=("U1=voltage:V",))
    assert {value.quantity for value in layout.values} == {"active_power", "voltage"}


def test_a_choice_between_columns_is_the_users() -> None:
    header = ("device", "ts", "time", "kw", "load_w")
    with pytest.raises(ReplayError) as caught:
        layout_of(*header)
    assert caught.value.problems == (
        "several time columns, ts, time: choose with --column NAME=time",
        "several active_power columns, kw, load_w: choose with --column NAME=active_power:UNIT",
    )
    settled = layout_of(*header, columns=("ts=time", "load_w=active_power:W"))
    assert (settled.time, settled.values[0].name) == (1, "load_w")


def test_a_file_goes_to_one_topic() -> None:
    with pytest.raises(ReplayError, match="both meter and weather values"):
        layout_of("device", "ts", "kw", "temp_c", quantities=("active_power", "air_temperature"))


def test_everything_wrong_with_descriptions_is_named_at_once() -> None:
    with pytest.raises(ReplayError) as caught:
        parse_overrides(("P", "P=power:kW", "P=voltage:kW", "relay=relay_1:on", "P=active_power:W"))
    assert len(caught.value.problems) == 4
    assert "kW is not one of V, kV" in caught.value.problems[2]


def test_relay_and_asset_states_are_not_replayed_from_files() -> None:
    assert kind_of("relay_1") is None
    assert kind_of("state_of_charge") is None
    with pytest.raises(ReplayError, match="no value column"):
        layout_of("device", "ts", "relay_1", "state_of_charge")
