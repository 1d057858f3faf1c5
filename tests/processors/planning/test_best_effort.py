"""What cannot hold is named, by how much, and what would make it hold."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from msgspec.structs import replace

from processors.planning.planner import Planner
from schemas.planning_case import GridConnection, PlanningCase, SharedLimit
from schemas.planning_result import PlanningResult, PlanningStatus
from tests.processors.planning.drawing import cases
from tests.processors.planning.holding import assert_plan_holds
from tests.processors.planning.homes import BATTERY, BOILER, CAR, HOME, alone, changed


def unmet_of(case: PlanningCase) -> dict[str, tuple[float, float]]:
    """By constraint: the amount, and the value at which it would hold."""
    result = Planner().plan(case)
    assert result.status is PlanningStatus.BEST_EFFORT
    return {each.constraint: (each.amount, each.holds_at) for each in result.unmet}


def test_forecasts_above_the_limit_of_the_grid_are_named_in_their_steps() -> None:
    case = alone(grid=GridConnection(max_import_kw=(2.0, 0.25, 2.0, 0.5)), loads=HOME.loads)
    (unmet,) = Planner().plan(case).unmet
    assert (unmet.constraint, unmet.subject, unmet.steps) == ("grid.max_import_kw", "grid", (1, 3))
    assert (unmet.amount, unmet.holds_at, unmet.unit) == pytest.approx((0.75, 1.0, "kW"))
    assert unmet.text == (
        "grid.max_import_kw of grid is exceeded by up to 0.75 kW in 2 steps between 1 and 3"
    )


def test_generation_without_a_way_out_exceeds_the_limit_of_export() -> None:
    plant = replace(HOME.solar[0], curtailable=False)
    case = alone(grid=GridConnection(max_export_kw=0.5), solar=(plant,))
    assert unmet_of(case) == {"grid.max_export_kw": pytest.approx((1.5, 2.0))}


def test_a_load_behind_too_small_a_fuse_is_named_by_the_fuse() -> None:
    fuse = SharedLimit(id="fuse", max_kw=0.75, members=("house",))
    assert unmet_of(alone(loads=HOME.loads, limits=(fuse,))) == {
        "limits[0].max_kw": pytest.approx((0.25, 1.0))
    }


def test_a_limit_is_held_and_service_is_cut_where_both_cannot_be() -> None:
    """DESIGN decision 6: safety before service."""
    fuse = SharedLimit(id="fuse", max_kw=1.0, members=("car",))
    assert unmet_of(alone(sessions=(CAR,), limits=(fuse,))) == {
        "sessions[0].energy_kwh": pytest.approx((2.0, 4.0))
    }


def test_the_more_important_vehicle_is_served_first() -> None:
    """Room for 8 of 12 kWh."""
    cars = (replace(CAR, id="later", priority=2), replace(CAR, id="first", priority=1))
    fuse = SharedLimit(id="fuse", max_kw=2.0, members=("first", "later"))
    assert unmet_of(alone(sessions=cars, limits=(fuse,))) == {
        "sessions[0].energy_kwh": pytest.approx((4.0, 2.0))
    }


def test_a_shortfall_with_a_price_is_a_matter_of_cost() -> None:
    """Step 0 costs 0.1 and the others more than the shortfall."""
    car = replace(CAR, max_kw=2.0, shortfall_price_per_kwh=0.15)
    result = Planner().plan(alone(sessions=(car,)))
    assert result.status is PlanningStatus.OPTIMAL
    assert result.schedules[0].power_kw == pytest.approx((2, 0, 0, 0))
    assert result.costs.shortfall == pytest.approx(4 * 0.15)


def test_a_load_without_enough_time_beside_others_is_named_in_its_own_unit() -> None:
    fuse = SharedLimit(id="fuse", max_kw=2.0, members=("boiler",))
    hours = alone(deferrables=(replace(BOILER, modulated=True, hours=4.0),), limits=(fuse,))
    assert unmet_of(hours) == {"deferrables[0].hours": pytest.approx((4.0, 8 / 3))}
    boiler = replace(BOILER, modulated=True, hours=None, energy_kwh=12.0)
    energy = alone(deferrables=(boiler,), limits=(fuse,))
    assert unmet_of(energy) == {"deferrables[0].energy_kwh": pytest.approx((4.0, 8.0))}


def test_a_battery_that_cannot_be_full_in_time_ends_as_high_as_it_can() -> None:
    battery = replace(BATTERY, max_charge_kw=0.5, min_final_soc=0.9)
    assert unmet_of(alone(batteries=(battery,))) == {
        "batteries[0].min_final_soc": pytest.approx((2.0, 0.7))
    }


def test_among_best_efforts_the_cheapest_is_taken() -> None:
    """The vehicle cannot get all; what the other wants is still charged in the cheap step."""
    never = replace(CAR, id="never", energy_kwh=100.0, departure_step=1)
    result = Planner().plan(alone(sessions=(replace(CAR, energy_kwh=3.0), never)))
    assert result.schedules[0].power_kw == pytest.approx((3, 0, 0, 0), abs=1e-6)


def test_the_home_is_optimal_and_its_fuse_has_room() -> None:
    result = Planner().plan(changed())
    assert result.status is PlanningStatus.OPTIMAL
    assert_plan_holds(HOME, result)


def with_remedies(case: PlanningCase, result: PlanningResult) -> PlanningCase:
    """The case with every constraint that does not hold at the value at which it would."""
    for each in result.unmet:
        place, field = each.constraint.split(".")
        change: dict[str, Any] = {field: each.holds_at}
        if place == "grid":
            case = replace(case, grid=replace(case.grid, **change))
            continue
        family, _, number = place.removesuffix("]").partition("[")
        devices = [*getattr(case, family)]
        devices[int(number)] = replace(devices[int(number)], **change)
        case = replace(case, **{family: tuple(devices)})
    return case


@settings(max_examples=40)
@given(cases())
def test_all_remedies_together_make_a_case_feasible(case: PlanningCase) -> None:
    result = Planner().plan(case)
    assume(result.status is PlanningStatus.BEST_EFFORT)
    mended = with_remedies(case, result)
    assert Planner().plan(mended).status is PlanningStatus.OPTIMAL
