"""A hot planner goes on from its last solution, and plans as well as a new one."""

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.linear_program import LinearProgram
from processors.planning import kept
from processors.planning.planner import Planner
from schemas.planning_case import FixedLoad, GridConnection, PlanningCase, SharedLimit
from schemas.planning_result import PlanningResult, PlanningStatus
from tests.processors.planning.drawing import cases, with_other_data
from tests.processors.planning.holding import assert_plan_holds
from tests.processors.planning.homes import BATTERY, CAR, HOME, alone

SOLVES = 3
PEAK_KW = 9.0


@st.composite
def sequences(draw: st.DrawFn) -> list[PlanningCase]:
    """Cases of one shape, one after the other."""
    first = draw(cases())
    return [first, *(draw(with_other_data(first)) for _ in range(SOLVES))]


def plain(load_kw: float, limit_kw: float = PEAK_KW) -> PlanningCase:
    """Nothing in it is on or off."""
    fuse = SharedLimit(id="fuse", max_kw=limit_kw, members=("car", "house"))
    battery = replace(BATTERY, charge_efficiency=0.9, discharge_efficiency=0.9)
    loads = (FixedLoad(id="house", power_kw=(load_kw, 1.0, load_kw / 2, 2.0)),)
    grid = replace(HOME.grid, max_import_kw=12.0)
    return alone(grid=grid, loads=loads, batteries=(battery,), sessions=(CAR,), limits=(fuse,))


def built_models(monkeypatch: pytest.MonkeyPatch) -> list[LinearProgram]:
    """The programs from which HiGHS gets a new model."""
    built: list[LinearProgram] = []
    original = LinearProgram.to_highs

    def build(self: LinearProgram) -> object:
        built.append(self)
        return original(self)

    monkeypatch.setattr(LinearProgram, "to_highs", build)
    return built


def assert_as_good(hot: PlanningResult, cold: PlanningResult) -> None:
    """The same status and the same cost; of plans that are equally good it may be another."""
    assert hot.status is cold.status
    assert hot.total_cost == pytest.approx(cold.total_cost, rel=1e-6, abs=1e-6)


@settings(max_examples=25)
@given(sequences())
def test_hot_plans_are_as_good_as_those_of_a_new_planner(sequence: list[PlanningCase]) -> None:
    planner = Planner(hot=True)
    for case in sequence:
        result = planner.plan(case)
        event(result.status)
        assert_as_good(result, Planner().plan(case))
        if result.status is PlanningStatus.OPTIMAL:
            assert_plan_holds(case, result)


def test_new_data_do_not_need_a_new_model(monkeypatch: pytest.MonkeyPatch) -> None:
    built = built_models(monkeypatch)
    planner = Planner(hot=True)
    for load_kw in (1.0, 2.0, 3.0, 4.0):
        planner.plan(plain(load_kw))
    assert len(built) == 1
    Planner().plan(plain(1.0))
    assert len(built) == 2


def test_prices_of_a_hot_plan_are_those_of_a_new_one() -> None:
    planner = Planner(hot=True)
    for load_kw, limit_kw in ((1.0, PEAK_KW), (2.5, 3.5), (1.5, 2.9), (1.2, PEAK_KW)):
        case = plain(load_kw, limit_kw)
        hot, cold = planner.plan(case), Planner().plan(case)
        assert hot.price_per_kwh == pytest.approx(cold.price_per_kwh)
        assert [(each.limit, each.step) for each in hot.binding] == [
            (each.limit, each.step) for each in cold.binding
        ]
        assert [each.price_per_kwh for each in hot.binding] == pytest.approx(
            [each.price_per_kwh for each in cold.binding]
        )


def test_after_a_best_effort_the_next_plan_is_as_good_as_ever() -> None:
    planner = Planner(hot=True)
    for limit_kw in (PEAK_KW, 0.5, PEAK_KW, 0.2, 0.1, PEAK_KW):
        case = plain(2.0, limit_kw)
        hot, cold = planner.plan(case), Planner().plan(case)
        assert_as_good(hot, cold)
        assert (hot.status is PlanningStatus.BEST_EFFORT) == (limit_kw < PEAK_KW)


def test_what_goes_on_to_no_clear_end_starts_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_CLEAR", ())
    built = built_models(monkeypatch)
    planner = Planner(hot=True)
    for load_kw in (1.0, 2.0):
        assert_as_good(planner.plan(plain(load_kw)), Planner().plan(plain(load_kw)))
    assert len(built) == 4


def test_a_battery_that_would_burn_energy_is_caught_by_a_hot_planner_too() -> None:
    planner = Planner(hot=True)
    battery = replace(BATTERY, charge_efficiency=0.9, discharge_efficiency=0.9)
    for price in (0.2, -1.0, 0.3, -0.5):
        grid = GridConnection(import_price_per_kwh=price, export_price_per_kwh=price)
        case = alone(grid=grid, batteries=(battery,))
        assert_as_good(planner.plan(case), Planner().plan(case))


def test_a_plan_without_reasons_is_the_same_plan() -> None:
    told, short = Planner().plan(HOME), Planner().plan(HOME, reasons=False)
    assert all(schedule.reasons for schedule in told.schedules)
    stripped = tuple(replace(schedule, reasons=()) for schedule in told.schedules)
    assert short == replace(told, schedules=stripped)
