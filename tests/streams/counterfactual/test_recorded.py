"""Demand from meter files: as recorded, whole days only, relays with and without a meter."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from schemas.errors import ConfigurationError
from schemas.site_model import SiteModel, parse_site_model
from streams.counterfactual.controls import DispatchControl
from streams.counterfactual.recorded import Request, recorded_demand
from streams.counterfactual.scenario import Options, open_scenario
from streams.replay.options import ReplayOptions
from tests.streams.counterfactual.scenes import Silent, demo_model

UTC_ZONE = ZoneInfo("UTC")
MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
PER_DAY = 17_280


def depot() -> SiteModel:
    """A hall with PV, a pump with a meter of its own, and a fan without one."""
    relays = [
        {"output": 1, "load_kw": 12.0, "priority": 2, "meter": "pump"},
        {"output": 2, "load_kw": 3.0, "priority": 3},
    ]
    board = {"id": "b1", "gateway": "g1", "relays": relays}
    meters = [
        {"id": "hall", "rated_kw": 50},
        {"id": "pv", "rated_kw": 9, "role": "generation"},
        {"id": "pump", "rated_kw": 12},
    ]
    data = {"name": "depot", "capacity_kw": 50, "meters": meters, "relay_boards": [board]}
    return parse_site_model(data, "test")


def write(path: Path, hours: int, powers: dict[str, float], skip: range = range(0)) -> Path:
    """Quarter-hourly values: of hour h, each device's power plus h / 100 kW."""
    lines = ["meter_id,ts,kw"]
    for quarter in range(4 * hours):
        if quarter not in skip:
            stamp = (MIDNIGHT + timedelta(minutes=15 * quarter)).isoformat()
            lines += [f"{name},{stamp},{kw + quarter // 4 / 100:g}" for name, kw in powers.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def request(path: Path, count: int = 1, scale: float | None = 1.0) -> Request:
    return Request(
        files=[path], options=ReplayOptions(), count=count, first=None, zone=UTC_ZONE, scale=scale
    )


SITE_FILE = """
name = "depot"
capacity_kw = 50
meters = [{ id = "hall", rated_kw = 50 }]

[[relay_boards]]
id = "b1"
gateway = "g1"
relays = [{ output = 1, load_kw = 12, priority = 2, on_lease_end = "hold" }]
"""

POWERS = {"hall": 30.0, "pv": -5.0, "pump": 8.0}


def test_values_are_taken_as_recorded(tmp_path: Path) -> None:
    path = write(tmp_path / "meters.csv", 24, POWERS)
    demand = recorded_demand(depot(), request(path), pytest.fail, whole_site=True)
    assert len(demand) == PER_DAY
    hour = np.arange(PER_DAY) // 720
    assert demand.base_kw == pytest.approx(25.0 + 2 * hour / 100)
    assert demand.relays_kw[:, 0] == pytest.approx(8.0 + hour / 100)  # its own meter
    assert (demand.relays_kw[:, 1] == 3.0).all()  # its rating
    assert demand.stale_windows == 0


def test_without_a_site_every_meter_is_base_load_scaled_to_the_demos_peak(tmp_path: Path) -> None:
    path = write(tmp_path / "meters.csv", 24, POWERS)
    wanted = request(path, scale=None)
    demand = recorded_demand(demo_model(), wanted, pytest.fail, whole_site=False)
    assert demand.base_kw.max() == pytest.approx(45.0)
    assert demand.relays_kw[0].tolist() == [30.0, 20.0, 10.0, 10.0]


def test_a_day_that_is_not_known_as_a_whole_is_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "meters.csv", 49, POWERS, skip=range(20, 28))
    demand = recorded_demand(depot(), request(path), pytest.fail, whole_site=True)
    assert datetime.fromtimestamp(demand.start_ms[0] / 1000, UTC).date() == date(2026, 3, 3)
    with pytest.raises(ConfigurationError, match=r"There are 1 whole days in UTC, not 2\."):
        recorded_demand(depot(), request(path, count=2), pytest.fail, whole_site=True)


def test_a_short_gap_is_bridged_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "meters.csv", 24, POWERS, skip=range(20, 22))
    demand = recorded_demand(depot(), request(path), pytest.fail, whole_site=True)
    assert demand.stale_windows == 180  # a reading holds for two intervals, and three have passed


def test_a_meter_of_the_site_that_is_in_no_file_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "meters.csv", 24, {"hall": 30.0, "pump": 8.0})
    with pytest.raises(ConfigurationError) as caught:
        recorded_demand(depot(), request(path), pytest.fail, whole_site=True)
    assert caught.value.problems == ("pv",)


def options(**changes: object) -> Options:
    given = {"days": 1, "peak_hours": "16-21", "catch_up": 0.25, "seed": 1, **changes}
    return Options(**given)  # type: ignore[arg-type]  # what a test changes


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"peak_hours": "21-16"}, "no hours of a day"),
        ({"peak_hours": "evening"}, "no hours of a day"),
        ({"timezone": "Europe/Atlantis"}, "no time zone"),
        ({"deferred": ("board-1:9",)}, "no such outputs"),
        ({"days": 8}, "7 whole days in Europe/Berlin, not 8"),
        ({"first": date(2016, 5, 22), "days": 2}, "1 whole days in Europe/Berlin from 2016-05-22"),
        ({"site": Path("depot.toml")}, "without meter files"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        open_scenario(options(**changes), pytest.fail, Silent())


def test_a_site_without_relays_is_told_that_there_is_nothing_to_control(tmp_path: Path) -> None:
    site = tmp_path / "depot.toml"
    site.write_text('name = "depot"\ncapacity_kw = 50\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="has no relays"):
        open_scenario(options(site=site, data=(tmp_path / "none.csv",)), pytest.fail, Silent())


def test_files_with_generation_alone_need_a_scale(tmp_path: Path) -> None:
    path = write(tmp_path / "meters.csv", 24, {"pv": -5.0})
    with pytest.raises(ConfigurationError, match="only generation"):
        recorded_demand(demo_model(), request(path, scale=None), pytest.fail, whole_site=False)


def test_a_price_of_the_peak_hours_needs_a_tariff(tmp_path: Path) -> None:
    site = tmp_path / "depot.toml"
    site.write_text(SITE_FILE, encoding="utf-8")
    wanted = options(site=site, data=(tmp_path / "none.csv",), peak_price=0.5)
    with pytest.raises(ConfigurationError, match="has no tariff"):
        open_scenario(wanted, pytest.fail, Silent())


def test_a_site_file_with_its_meters_is_played_as_it_is(tmp_path: Path) -> None:
    site = tmp_path / "depot.toml"
    site.write_text(SITE_FILE, encoding="utf-8")
    file = write(tmp_path / "meters.csv", 24, {"hall": 30.0, "office": 9.0})
    notes: list[str] = []
    scenario = open_scenario(options(site=site, data=(file,)), notes.append, Silent())
    assert scenario.demand.base_kw[0] == 30.0
    assert (scenario.terms.deferred, scenario.terms.prices) == (frozenset(), None)
    assert notes == ["not of site depot, left out: office"]
    control = DispatchControl(scenario.model, since_ms=0)
    assert control.states() == {("b1", 1): True}


def test_the_demos_days_begin_at_midnight_in_germany() -> None:
    scenario = open_scenario(options(first=date(2016, 5, 18)), pytest.fail, Silent())
    first = datetime.fromtimestamp(scenario.demand.start_ms[0] / 1000, ZoneInfo("Europe/Berlin"))
    assert first == datetime(2016, 5, 18, tzinfo=ZoneInfo("Europe/Berlin"))
    assert len(scenario.demand) == PER_DAY


def test_the_same_seed_gives_the_same_demand_and_another_seed_another() -> None:
    one, same, other = (
        open_scenario(options(seed=seed), pytest.fail, Silent()).demand for seed in (1, 1, 2)
    )
    assert (one.base_kw == same.base_kw).all()
    assert not (one.base_kw == other.base_kw).any()
