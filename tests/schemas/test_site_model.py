"""The site model: what it holds, and that it refuses everything that makes no sense."""

import json
import os
import subprocess
import sys
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.site_model import Mode, SiteModel, parse_site_model
from tests.support.golden_messages import golden_bytes, golden_value

Parts = dict[str, Any]
SMALLEST: Parts = {"name": "depot", "capacity_kw": 100.0}
RELAY: Parts = {"output": 1, "load_kw": 30.0, "priority": 1}
METER: Parts = {"id": "hall", "rated_kw": 60.0}
HASHING = """
import sys
from schemas.site_model import SiteModel
print(SiteModel.model_validate_json(sys.stdin.buffer.read()).model_hash)
"""


def _site(**changes: object) -> SiteModel:
    return parse_site_model({**SMALLEST, **changes}, "depot.toml")


def _board(*relays: Parts, **changes: object) -> Parts:
    return {"id": "board-1", "gateway": "gw-1", "relays": list(relays), **changes}


def _problems(**changes: object) -> tuple[str, ...]:
    """What is wrong with a site that is changed so."""
    with pytest.raises(ConfigurationError, match=r"^depot\.toml is not a site model") as caught:
        _site(**changes)
    return caught.value.problems


def _problem(**changes: object) -> str:
    """The only thing that is wrong with a site that is changed so."""
    (problem,) = _problems(**changes)
    return problem


def _shuffled(value: object, random: Any) -> object:  # noqa: ANN401  Hypothesis does not type it
    """The same JSON value with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = list(value)
        random.shuffle(keys)
        return {key: _shuffled(value[key], random) for key in keys}
    if isinstance(value, list):
        return [_shuffled(part, random) for part in value]
    return value


# What it holds


def test_a_site_is_only_observed_unless_its_model_says_more() -> None:
    """DESIGN decision 9: observe first; simulated boards only."""
    site = _site()
    assert site.mode is Mode.OBSERVE
    assert site.simulated_only is True


def test_the_threshold_is_85_percent_of_the_capacity_unless_configured() -> None:
    """S1-7: SHED_THRESHOLD_RATIO 0.85 of GRID_CAPACITY_KW 100, configurable."""
    assert _site().threshold_kw == 85.0
    assert _site(capacity_kw=250.0, threshold_ratio=0.5).threshold_kw == 125.0


def test_the_loads_behind_the_relays_are_configurable() -> None:
    """S1-7: relay kW 30 (never shed), 20, 10, 10; configurable."""
    other = {"output": 2, "load_kw": 7.5, "priority": 9, "sheddable": True, "on_lease_end": "off"}
    site = _site(relay_boards=[_board({**RELAY, "sheddable": False}, other)])
    first, second = site.boards["board-1"].relays
    assert (first.load_kw, first.priority, first.sheddable) == (30.0, 1, False)
    assert (second.load_kw, second.priority, second.sheddable) == (7.5, 9, True)


def test_an_output_returns_to_on_unless_its_model_says_otherwise() -> None:
    """DESIGN decision 8: relay 1 and sheddable loads return to on."""
    (relay,) = _site(relay_boards=[_board(RELAY)]).boards["board-1"].relays
    assert relay.on_lease_end == "on"


@pytest.mark.parametrize("state", ["on", "off", "hold"])
def test_an_output_may_return_to_any_declared_state(state: str) -> None:
    """DESIGN decision 8: ``on_lease_end: on | off | hold``."""
    site = _site(relay_boards=[_board({**RELAY, "on_lease_end": state})])
    assert site.boards["board-1"].relays[0].on_lease_end == state


def test_a_reading_holds_for_twice_its_interval_unless_declared() -> None:
    """DESIGN "Time" 2: hold_s is 2 x interval_s by default."""
    meters = [
        {**METER, "interval_s": 900.0},
        {**METER, "id": "roof", "interval_s": 900.0, "hold_s": 900.0},
    ]
    assert [meter.held_s for meter in _site(meters=meters).meters] == [1800.0, 900.0]


def test_a_site_knows_the_gateways_of_all_its_devices() -> None:
    battery = {
        "id": "battery-1",
        "gateway": "gw-3",
        "capacity_kwh": 40.0,
        "max_charge_kw": 10.0,
        "max_discharge_kw": 15.0,
    }
    chargers = [{"id": "charger-1", "gateway": "gw-1", "max_kw": 22.0}]
    boards = [_board(RELAY), _board(RELAY, id="board-2", gateway="gw-2")]
    site = _site(relay_boards=boards, batteries=[battery], chargers=chargers)
    assert site.gateways == ("gw-1", "gw-2", "gw-3")


def test_a_site_model_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _site().capacity_kw = 1.0  # type: ignore[misc]


# Its hash


@given(st.randoms(use_true_random=False))
def test_the_hash_does_not_depend_on_the_order_of_the_fields(random: object) -> None:
    """DESIGN decision 7: the model hash is part of a decision's identity."""
    shuffled = parse_site_model(_shuffled(golden_value(SiteModel), random), "shuffled")
    assert shuffled.model_hash == parse_site_model(golden_value(SiteModel), "example").model_hash


def test_the_hash_does_not_depend_on_how_a_number_or_a_default_is_written() -> None:
    written_out = _site(capacity_kw=100, threshold_ratio=0.85, mode="observe", meters=[])
    assert written_out.model_hash == _site().model_hash


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_hash_is_the_same_in_every_process(seed: str) -> None:
    """DESIGN decision 7: recomputed, a decision has the same id."""
    answer = subprocess.run(
        [sys.executable, "-c", HASHING],
        input=golden_bytes(SiteModel),
        env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
    )
    model_hash = parse_site_model(golden_value(SiteModel), "example").model_hash
    assert answer.stdout.decode().strip() == model_hash


def test_the_hash_tells_models_apart_that_differ_anywhere() -> None:
    changes: list[Parts] = [
        {},
        {"name": "depot-2"},
        {"capacity_kw": 100.5},
        {"mode": "control"},
        {"meters": [METER]},
        {"meters": [{**METER, "quantities": ["active_power", "voltage"]}]},
        {"relay_boards": [_board(RELAY)]},
        {"relay_boards": [_board({**RELAY, "label": "boiler"})]},
        {"control": {"dwell_s": 31.0}},
    ]
    assert len({_site(**change).model_hash for change in changes}) == len(changes)


def test_a_model_is_read_from_its_topic_with_the_same_hash() -> None:
    model = parse_site_model(golden_value(SiteModel), "example")
    read = parse_site_model(json.loads(model.model_dump_json()), "a record")
    assert (read, read.model_hash) == (model, model.model_hash)


# What it refuses


def test_every_wrong_field_is_named_at_once() -> None:
    """Errors are collected and raised once."""
    model = deepcopy(golden_value(SiteModel))
    del model["name"]
    model["capacity_kw"] = -1
    model["threshold_ratio"] = 85
    model["meters"][1]["role"] = "producer"
    model["relay_boards"][0]["relays"][2]["priority"] = 0
    model["control"]["lease"] = 60
    with pytest.raises(ConfigurationError) as caught:
        parse_site_model(model, "depot.toml")
    assert [problem.split(": ")[0] for problem in caught.value.problems] == [
        "name",
        "capacity_kw",
        "threshold_ratio",
        "meters.1.role",
        "relay_boards.0.relays.2.priority",
        "control.lease",
    ]


def test_a_problem_names_the_value_that_was_given() -> None:
    assert _problem(threshold_ratio=85).endswith("less than or equal to 1 (got 85)")


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"capacity": 1}, "capacity"),
        ({"meters": [{**METER, "unit": "kW"}]}, "meters.0.unit"),
        ({"relay_boards": [_board(RELAY, ip="10.0.0.7")]}, "relay_boards.0.ip"),
        ({"relay_boards": [_board({**RELAY, "kw": 1})]}, "relay_boards.0.relays.0.kw"),
        ({"control": {"dwell": 1}}, "control.dwell"),
    ],
)
def test_an_unknown_key_is_refused_wherever_it_stands(changes: Parts, place: str) -> None:
    assert _problem(**changes).startswith(f"{place}: Extra inputs are not permitted")


@pytest.mark.parametrize("data", [None, [], "depot", 7])
def test_what_is_no_table_is_no_site_model(data: object) -> None:
    with pytest.raises(ConfigurationError, match="model: Input should be a valid dictionary"):
        parse_site_model(data, "depot.toml")


def test_two_devices_of_one_name_are_refused_whatever_they_are() -> None:
    meters = [METER, METER, {**METER, "id": "board-1"}]
    stations = [{"id": "mast"}, {"id": "mast"}]
    problem = _problem(meters=meters, weather_stations=stations, relay_boards=[_board(RELAY)])
    assert "device named twice: board-1, hall, mast" in problem


def test_an_output_that_stands_twice_on_a_board_is_refused() -> None:
    assert "output named twice: 1" in _problem(relay_boards=[_board(RELAY, RELAY)])


def test_a_board_without_a_relay_is_refused() -> None:
    assert "a relay board has at least one relay" in _problem(relay_boards=[_board()])


def test_relays_that_name_unknown_meters_are_refused() -> None:
    relays = [{**RELAY, "meter": "r1"}, {**RELAY, "output": 2, "meter": "r2"}]
    problem = _problem(meters=[METER], relay_boards=[_board(*relays)])
    assert "relays name meters that the site does not have: r1, r2" in problem


def test_relays_that_share_a_meter_are_refused() -> None:
    """A relay's meter sees its load alone."""
    relays = [{**RELAY, "meter": "hall"}, {**RELAY, "output": 2, "meter": "hall"}]
    problem = _problem(meters=[METER], relay_boards=[_board(*relays)])
    assert "relay meter named twice: hall" in problem


def test_everything_that_does_not_fit_together_is_named_at_once() -> None:
    relay = {**RELAY, "meter": "r1"}
    problem = _problem(meters=[METER, METER], relay_boards=[_board(relay)])
    assert "device named twice: hall" in problem
    assert "the site does not have: r1" in problem
    meter = {**METER, "hold_s": 1.0, "quantities": ["voltage", "voltage", "air_temperature"]}
    problem = _problem(meters=[meter])
    assert "hold_s 1.0 is shorter than interval_s 5.0" in problem
    assert "quantity named twice: voltage" in problem
    assert "air_temperature: not a quantity of meter telemetry" in problem


@pytest.mark.parametrize("state", ["off", "hold"])
def test_a_load_that_is_never_shed_returns_to_on(state: str) -> None:
    """S1-7: relay 1 is never shed; DESIGN decision 8: it returns to on."""
    relay = {**RELAY, "sheddable": False, "on_lease_end": state}
    problem = _problem(relay_boards=[_board(relay)])
    assert "a load that is never shed must have on_lease_end = 'on'" in problem


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("meters", METER),
        ("weather_stations", {"id": "mast"}),
        ("relay_boards", _board(RELAY)),
        ("chargers", {"id": "charger-1", "gateway": "gw-1", "max_kw": 22.0}),
    ],
)
def test_a_reading_is_valid_at_least_as_long_as_it_is_measured(part: str, value: Parts) -> None:
    """DESIGN "Time" 2: measured on [t, t + interval_s), valid until hold_s."""
    problem = _problem(**{part: [{**value, "interval_s": 60.0, "hold_s": 59.0}]})
    assert "hold_s 59.0 is shorter than interval_s 60.0" in problem
    (held,) = getattr(_site(**{part: [{**value, "interval_s": 60.0, "hold_s": 60.0}]}), part)
    assert held.held_s == 60.0


@pytest.mark.parametrize(
    ("part", "value", "kind"),
    [
        ("meters", {**METER, "quantities": ["active_power", "relay_1", "watts"]}, "meter"),
        ("weather_stations", {"id": "mast", "quantities": ["relay_1", "watts"]}, "weather"),
    ],
)
def test_quantities_that_a_device_cannot_send_are_refused(
    part: str, value: Parts, kind: str
) -> None:
    assert f"relay_1, watts: not a quantity of {kind} telemetry" in _problem(**{part: [value]})


@pytest.mark.parametrize(
    "name", ["", ".", "-depot", "de pot", "de/pot", "dépôt", "depot\n", "*", "d" * 65]
)
def test_a_name_that_is_not_safe_in_topics_and_files_is_refused(name: str) -> None:
    assert _problem(name=name).startswith("name: String should match pattern")


@pytest.mark.parametrize("number", [float("inf"), float("nan")])
@pytest.mark.parametrize(
    "key", ["hysteresis_kw", "dwell_s", "lease_s", "lookahead_s", "max_blind_s", "max_plan_age_s"]
)
def test_a_number_that_is_not_finite_is_refused(key: str, number: float) -> None:
    """TOML can write it, JSON and so the topic cannot carry it."""
    assert _problem(control={key: number}).startswith(f"control.{key}: Input should be a finite")


@pytest.mark.parametrize(
    "changes",
    [
        {"capacity_kw": 0},
        {"threshold_ratio": 0},
        {"threshold_ratio": 1.01},
        {"meters": [{**METER, "rated_kw": 0}]},
        {"meters": [{**METER, "interval_s": 0}]},
        {"meters": [{**METER, "counter_max_kwh": float("inf")}]},
        {"relay_boards": [_board({**RELAY, "output": 0})]},
        {"relay_boards": [_board({**RELAY, "output": 17})]},
        {"relay_boards": [_board({**RELAY, "priority": 10})]},
        {"relay_boards": [_board(RELAY, restore_stagger_s=601)]},
        {"control": {"restores_per_window": 0}},
        {"control": {"lease_s": 0}},
        {"control": {"dwell_s": -1}},
    ],
)
def test_a_number_out_of_its_range_is_refused(changes: Parts) -> None:
    """S1-7: configurable within what makes sense."""
    assert len(_problems(**changes)) == 1
