"""A site model becomes a case: what is taken from where, what is refused, and a plan of it."""

import dataclasses
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from msgspec.structs import replace

from processors.planning.checking import check_case
from processors.planning.planner import Planner
from processors.planning.site_case import case_of_site
from processors.planning.site_outlook import Outlook
from schemas.errors import ConfigurationError
from schemas.planning_case import Horizon
from schemas.site_model import SiteModel
from schemas.site_now import BatteryNow, SiteNow
from tests.processors.planning.depots import (
    HORIZON,
    MIDNIGHT,
    NOW,
    TERMS,
    at,
    depot,
    outlook,
    vehicle,
)

STEP_H = HORIZON.step_h


def problems_of(
    now: SiteNow = NOW, ahead: Outlook | None = None, model: SiteModel | None = None
) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        case_of_site(model or depot(), now, ahead or outlook(), TERMS)
    return caught.value.problems


def test_every_device_is_in_the_case_with_its_ratings_and_its_state() -> None:
    case = case_of_site(depot(), NOW, outlook(), TERMS).case
    check_case(case)
    (battery,) = case.batteries
    assert (battery.capacity_kwh, battery.max_charge_kw, battery.soc) == (40, 20, 0.5)
    assert (battery.min_final_soc, battery.roundtrip_efficiency) == (0.5, 0.9)
    assert [(s.id, s.arrival_step, s.departure_step) for s in case.sessions] == [
        ("bay-1", 72, 96),
        ("bay-2", 0, 24),
    ]
    assert [(s.energy_kwh, s.max_kw) for s in case.sessions] == [(30, 22), (60, 22)]


def test_a_site_without_vehicles_and_generation_is_planned_alike() -> None:
    case = case_of_site(depot(), replace(NOW, vehicles=()), outlook(), TERMS).case
    assert (case.sessions, case.solar) == ((), ())


def test_the_reserve_is_kept_free_of_the_capacity_and_never_makes_a_negative_limit() -> None:
    reserve_kw = np.linspace(0, 95, 96)
    case = case_of_site(depot(), NOW, outlook(reserve_kw=reserve_kw), TERMS).case
    assert case.grid.max_import_kw == pytest.approx(np.maximum(50 - reserve_kw, 0))


def test_energy_is_dear_in_the_peak_hours_of_the_sites_own_clock() -> None:
    prices = case_of_site(depot(), NOW, outlook(), TERMS).case.grid.import_price_per_kwh
    assert prices == (0.3,) * 64 + (0.5,) * 20 + (0.3,) * 12


def test_the_peak_hours_move_with_the_clocks() -> None:
    """On 29 March 2026 the clocks of Berlin skip an hour."""
    start = datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))
    horizon = Horizon(steps=96, start_ms=round(1000 * start.timestamp()))
    now = replace(NOW, vehicles=())
    prices = case_of_site(depot(), now, outlook(horizon=horizon), TERMS).case.grid
    assert prices.import_price_per_kwh == (0.3,) * 60 + (0.5,) * 20 + (0.3,) * 16


def test_without_a_price_of_their_own_the_peak_hours_cost_what_the_tariff_says() -> None:
    case = case_of_site(depot(), NOW, outlook(), dataclasses.replace(TERMS, peak_price=None)).case
    assert set(case.grid.import_price_per_kwh) == {0.3}  # type: ignore[arg-type]  # a tuple


def test_the_depots_plan_serves_everybody_within_the_limit_and_avoids_the_dear_hours() -> None:
    case = case_of_site(depot(), NOW, outlook(reserve_kw=np.full(96, 5.0)), TERMS).case
    result = Planner().plan(case)
    assert result.status == "optimal"
    assert max(result.grid_kw) <= 45 + 1e-6
    by_id = {each.device: np.array(each.power_kw) for each in result.schedules}
    assert STEP_H * by_id["bay-1"].sum() == pytest.approx(30)
    assert STEP_H * by_id["bay-2"].sum() == pytest.approx(60)
    assert not by_id["bay-1"][:84].any()  # it comes at 18 o'clock, and waits until 21
    assert not by_id["bay-2"][24:].any()
    battery = next(each for each in result.schedules if each.device == "cellar")
    assert battery.soc[-1] >= 0.5 - 1e-9
    # It is full before the dear hours, and gives all of it in them.
    assert by_id["cellar"][64:84].sum() * STEP_H == pytest.approx(-40 * 0.9**0.5)


def test_generation_is_used_before_the_grid() -> None:
    sun_kw = np.full(96, 8.0)
    case = case_of_site(depot(), replace(NOW, vehicles=()), outlook(generation_kw=sun_kw), TERMS)
    result = Planner().plan(case.case)
    assert STEP_H * sum(result.grid_kw) == pytest.approx(24 * 12, abs=5)  # and the losses


def test_a_vehicle_that_stays_longer_gets_its_share_and_is_told_of() -> None:
    now = replace(NOW, vehicles=(vehicle(departure=at(30)),))
    found = case_of_site(depot(), now, outlook(), TERMS)
    (session,) = found.case.sessions
    assert (session.departure_step, session.energy_kwh) == (96, 15)
    assert "stays longer than these hours; 15 of its 30 kWh" in found.notes[0]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"arrival": at(24), "departure": at(30)}, "arrives after these hours"),
        ({"arrival": at(18.1), "departure": at(18.4)}, "stays for no whole step of 15 min"),
    ],
)
def test_a_vehicle_without_a_whole_step_is_not_planned_and_told_of(
    fields: dict[str, datetime], told: str
) -> None:
    found = case_of_site(depot(), replace(NOW, vehicles=(vehicle(**fields),)), outlook(), TERMS)
    assert found.case.sessions == ()
    assert told in found.notes[0]


def test_vehicles_one_after_the_other_at_one_charger_have_names_of_their_own() -> None:
    vehicles = (vehicle(arrival=None, departure=at(8)), vehicle())
    case = case_of_site(depot(), replace(NOW, vehicles=vehicles), outlook(), TERMS).case
    assert [session.id for session in case.sessions] == ["bay-1/1", "bay-1/2"]
    check_case(case)


def test_a_time_without_an_offset_is_one_of_the_sites_clock() -> None:
    local = vehicle(departure=at(24).replace(tzinfo=None), arrival=at(18).replace(tzinfo=None))
    here, there = (
        case_of_site(depot(), replace(NOW, vehicles=(each,)), outlook(), TERMS).case
        for each in (local, vehicle())
    )
    assert here == there


def test_everything_that_is_wrong_is_named_at_once() -> None:
    now = SiteNow(
        batteries=(BatteryNow(id="attic", soc=0.5),),
        vehicles=(
            vehicle(charger="bay-9", energy_kwh=-1.0),
            vehicle(energy_kwh=float("nan"), min_kw=30.0),
            vehicle(charger="bay-2", arrival=at(6), departure=at(5)),
            vehicle(charger="bay-2", departure=MIDNIGHT),
        ),
    )
    ahead = outlook(base_kw=np.array([20.0, np.nan]), reserve_kw=np.full(96, -1.0))
    found = "\n".join(problems_of(now, ahead, depot(tariff=None)))
    for part in (
        "site.tariff: there is none",
        "base_kw: 2 values for 96 steps",
        "base_kw[1]: nan is not a finite number",
        "reserve_kw[0]: -1 is not from 0 to",
        "batteries[0].id: the site has no battery 'attic' (it has cellar)",
        "batteries: the state of charge is missing of cellar",
        "vehicles[0].charger: the site has no charger 'bay-9' (it has bay-1, bay-2)",
        "vehicles[1].energy_kwh: nan is not a finite number",
        "vehicles[1].min_kw: 30 is above max_kw 22",
        "vehicles[2].departure: 2026-03-02T05:00:00+01:00 is not after the arrival",
        "vehicles[3].departure: 2026-03-02T00:00:00+01:00 is not after the beginning of the plan",
    ):
        assert part in found


@pytest.mark.parametrize("soc", [-0.1, 1.2, 0.05, float("nan")])
def test_a_state_of_charge_outside_its_limits_is_refused(soc: float) -> None:
    battery = BatteryNow(id="cellar", soc=soc, min_soc=0.1)
    found = problems_of(replace(NOW, batteries=(battery,)))
    assert any(problem.startswith("batteries[0].soc") for problem in found)


def test_two_vehicles_at_one_charger_at_once_are_refused() -> None:
    vehicles = (vehicle(), vehicle(arrival=at(20)))
    assert problems_of(replace(NOW, vehicles=vehicles)) == (
        "vehicles[1]: it would be at charger 'bay-1' while vehicles[0] is",
    )


def test_a_battery_that_stands_twice_is_refused() -> None:
    twice = replace(NOW, batteries=NOW.batteries * 2)
    assert problems_of(twice)[0] == "batteries[0].id: 'cellar' stands 2 times"


def test_a_horizon_without_steps_is_refused() -> None:
    empty = outlook(horizon=replace(HORIZON, steps=0))
    assert "horizon.steps: 0 is not from 1 to 10000" in problems_of(ahead=empty)
