"""Plans compared with an independent formulation of the same problem."""

import pytest
from hypothesis import event, given, settings

from processors.planning.planner import Planner
from schemas.planning_case import PlanningCase
from schemas.planning_result import PlanningStatus
from tests.processors.planning.drawing import cases
from tests.processors.planning.holding import assert_plan_holds
from tests.processors.planning.rowwise import least_cost


@settings(max_examples=60)
@given(cases())
def test_no_plan_is_cheaper_and_every_constraint_holds(case: PlanningCase) -> None:
    """With prices of either sign, so that doing both ways at once would pay."""
    result = Planner().plan(case)
    least = least_cost(case)
    event(result.status)
    assert (result.status is PlanningStatus.BEST_EFFORT) == (least is None)
    if least is not None:
        assert result.status is PlanningStatus.OPTIMAL
        assert result.total_cost == pytest.approx(least, abs=1e-5)
        assert_plan_holds(case, result)
