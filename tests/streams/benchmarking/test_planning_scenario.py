"""Planning cases of the benchmark: hard enough, of one shape, and planned as well hot as cold."""

import itertools

import pytest

from processors.planning.planner import Planner
from processors.planning.shape import shape_of
from schemas.planning_result import PlanningStatus
from streams.benchmarking.planning_scenario import planning_case, tracked

DEVICES, STEPS, SOLVES = 50, 24, 6


def test_a_case_has_so_many_devices_and_a_plan() -> None:
    case = planning_case(DEVICES, STEPS)
    devices = [each for of_kind in case.families.values() for each in of_kind]
    assert len(devices) == DEVICES + len(case.loads)
    assert {name for limit in case.limits for name in limit.members} == {
        each.id for each in devices if each not in case.loads
    }
    assert Planner().plan(case).status is PlanningStatus.OPTIMAL


def test_tracking_changes_data_and_never_the_shape() -> None:
    first = planning_case(DEVICES, STEPS)
    cases = [first, *tracked(first, SOLVES)]
    assert all(case != before for before, case in itertools.pairwise(cases))
    assert all(shape_of(case) == shape_of(first) for case in cases)
    assert [*tracked(first, SOLVES)] == cases[1:]


def test_a_hot_planner_tracks_as_well_as_new_ones() -> None:
    hot = Planner(hot=True)
    for case in tracked(planning_case(DEVICES, STEPS), SOLVES):
        found, least = hot.plan(case), Planner().plan(case)
        assert found.status is least.status
        assert found.total_cost == pytest.approx(least.total_cost, rel=1e-6)
