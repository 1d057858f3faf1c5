"""A case that makes no sense: one error that names every wrong field."""

from typing import Any

import pytest
from msgspec.structs import replace

from processors.planning.planner import Planner
from schemas.errors import ConfigurationError
from schemas.planning_case import (
    FixedLoad,
    Generator,
    GridConnection,
    Horizon,
    PlanningCase,
    SharedLimit,
    Solar,
)
from tests.processors.planning.homes import BATTERY, BOILER, CAR, HOME, changed

NAN = float("nan")


def problems_in(case: PlanningCase) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        Planner().plan(case)
    return list(caught.value.problems)


def test_a_case_with_everything_wrong_names_every_field_in_one_error() -> None:
    case = PlanningCase(
        horizon=Horizon(steps=4, step_s=3600.0),
        grid=GridConnection(import_price_per_kwh=(0.1, NAN, NAN), max_import_kw=-1.0),
        loads=(FixedLoad(id="house", power_kw=(1.0, 2.0)),),
        solar=(Solar(id="house", available_kw=-1.0),),
        generators=(Generator(id="g", max_kw=2.0, min_kw=3.0),),
        batteries=(replace(BATTERY, capacity_kwh=-10.0, soc=1.5),),
        sessions=(replace(CAR, arrival_step=3, departure_step=1, priority=0),),
        deferrables=(replace(BOILER, hours=9.0),),
        limits=(SharedLimit(id="fuse", max_kw=1.0, members=("nobody",)),),
    )
    named = [problem.split(": ")[0] for problem in problems_in(case)]
    assert named == [
        "grid.import_price_per_kwh",
        "grid.import_price_per_kwh[1]",
        "grid.max_import_kw",
        "loads[0].power_kw",
        "solar[0].available_kw",
        "generators[0].min_kw",
        "batteries[0].capacity_kwh",
        "batteries[0].soc",
        "sessions[0].departure_step",
        "sessions[0].priority",
        "deferrables[0].hours",
        "loads[0].id",
        "solar[0].id",
        "limits[0].members",
    ]


def _grid(**fields: Any) -> PlanningCase:  # noqa: ANN401  any field
    return changed(grid=replace(HOME.grid, **fields))


def _battery(**fields: Any) -> PlanningCase:  # noqa: ANN401  any field
    return changed(batteries=(replace(BATTERY, **fields),))


def _car(**fields: Any) -> PlanningCase:  # noqa: ANN401  any field
    return changed(sessions=(replace(CAR, **fields),))


def _boiler(**fields: Any) -> PlanningCase:  # noqa: ANN401  any field
    return changed(deferrables=(replace(BOILER, **fields),))


def _limit(**fields: Any) -> PlanningCase:  # noqa: ANN401  any field
    return changed(limits=(replace(HOME.limits[0], **fields),))


WRONG = {
    "horizon.steps: 0 is not from 1": PlanningCase(horizon=Horizon(steps=0)),
    "horizon.step_s: nan is not a finite": changed(horizon=Horizon(steps=4, step_s=NAN)),
    "grid.import_price_per_kwh: 3 values for 4 steps": _grid(import_price_per_kwh=(0.1, 0.2, 0.3)),
    "grid.export_price_per_kwh: nan": _grid(export_price_per_kwh=NAN),
    "grid.max_export_kw: -3 is not from 0": _grid(max_export_kw=-3.0),
    "grid.demand_charge_per_kw: -1": _grid(demand_charge_per_kw=-1.0),
    "grid.peak_so_far_kw: inf": _grid(peak_so_far_kw=float("inf")),
    "loads[0].power_kw[2]: nan": changed(
        loads=(FixedLoad(id="house", power_kw=(1.0, 1.0, NAN, 1.0)),)
    ),
    "batteries[0].max_charge_kw: -5": _battery(max_charge_kw=-5.0),
    "batteries[0].charge_efficiency: 0 is not": _battery(charge_efficiency=0.0),
    "batteries[0].discharge_efficiency: 1.2": _battery(discharge_efficiency=1.2),
    "batteries[0].roundtrip_efficiency: stands beside": _battery(
        charge_efficiency=0.9, roundtrip_efficiency=0.9
    ),
    "batteries[0].soc: 0.5 is not from min_soc 0.6": _battery(min_soc=0.6),
    "batteries[0].min_soc: 0.6 is above max_soc 0.5": _battery(min_soc=0.6, max_soc=0.5, soc=0.5),
    "batteries[0].min_final_soc: 0.9 is not": _battery(max_soc=0.8, min_final_soc=0.9),
    "batteries[0].self_discharge_per_h: at min_soc": _battery(
        min_soc=0.5, max_charge_kw=0.0, self_discharge_per_h=0.1
    ),
    "sessions[0].energy_kwh: nan": _car(energy_kwh=NAN),
    "sessions[0].departure_step: 9 is not from 0 to 4": _car(departure_step=9),
    "sessions[0].departure_step: 2 is not after arrival_step 2": _car(
        arrival_step=2, departure_step=2
    ),
    "sessions[0].min_kw: 8 is above max_kw 7": _car(min_kw=8.0),
    "sessions[0].min_kw: stands beside pilots_kw": _car(min_kw=1.0, pilots_kw=(2.0,)),
    "sessions[0].pilots_kw: all are above max_kw 7": _car(pilots_kw=(11.0, 22.0)),
    "sessions[0].pilots_kw[1]: 0 is not from above 0": _car(pilots_kw=(2.0, 0.0)),
    "sessions[0].shortfall_price_per_kwh: -1": _car(shortfall_price_per_kwh=-1.0),
    "deferrables[0].hours: give either": _boiler(energy_kwh=3.0),
    "deferrables[0].hours: 9 kWh cannot be drawn: its window holds 6 kWh": _boiler(
        hours=3.0, end_step=2
    ),
    "deferrables[0].end_step: 1 is not after earliest_step 3": _boiler(
        earliest_step=3, end_step=1, hours=0.0
    ),
    "deferrables[0].min_kw: only a modulated": _boiler(min_kw=1.0),
    "deferrables[0].min_kw: a modulated load without pauses": _boiler(
        modulated=True, interruptible=False
    ),
    "deferrables[0].hours: less than one step at min_kw": _boiler(
        modulated=True, min_kw=2.0, hours=0.1
    ),
    "deferrables[0].min_kw: 4 is above power_kw 3": _boiler(modulated=True, min_kw=4.0, hours=2.0),
    "limits[0].max_kw: -1 is not from 0": _limit(max_kw=-1.0),
    "limits[0].members: there are none": _limit(members=()),
    "limits[0].members: 'ghost' is neither a device nor a limit": _limit(members=("ghost",)),
    "limits[0].members: 'car' stands 2 times": _limit(members=("car", "car")),
    "limits[0].members: 'fuse' stands below itself": _limit(members=("fuse", "car")),
    "limits[0].id: it is empty": _limit(id=""),
    "limits[0].id: 'grid' is the name": _limit(id="grid"),
}


@pytest.mark.parametrize("problem", WRONG)
def test_a_wrong_field_is_named_with_its_value(problem: str) -> None:
    (found,) = problems_in(WRONG[problem])
    assert found.startswith(problem)


def test_limits_that_stand_in_a_circle_are_named_each() -> None:
    circle = (
        SharedLimit(id="a", max_kw=1.0, members=("b", "car")),
        SharedLimit(id="b", max_kw=1.0, members=("a",)),
    )
    assert [problem.split(": ")[0] for problem in problems_in(changed(limits=circle))] == [
        "limits[0].members",
        "limits[1].members",
    ]


def test_limits_may_be_nested_as_deep_and_as_wide_as_one_likes() -> None:
    """Each stands above the two below it: followed path by path that would be 2^300."""
    deep = [SharedLimit(id="0", max_kw=50.0, members=("car",))]
    for level in range(1, 301):
        below = tuple(str(each) for each in range(max(0, level - 2), level))
        deep.append(SharedLimit(id=str(level), max_kw=50.0, members=below))
    case = changed(limits=tuple(deep))
    assert case.members_of["300"] == {"car"}
    assert Planner().plan(case).unmet == ()


def test_a_name_that_stands_twice_is_named_in_both_places() -> None:
    problems = problems_in(changed(sessions=(CAR, CAR)))
    assert problems == [f"sessions[{number}].id: 'car' stands 2 times" for number in (0, 1)]


def test_a_case_that_is_only_impossible_is_no_error() -> None:
    """It gets a best effort: ``test_best_effort``."""
    assert Planner().plan(_car(energy_kwh=100.0)).unmet
