"""Plans compared with an independent formulation of the same problem."""

import pytest
from hypothesis import event, example, given, settings

from processors.planning.planner import Planner
from schemas.planning_case import (
    Deferrable,
    FixedLoad,
    GridConnection,
    Horizon,
    PlanningCase,
    SharedLimit,
    Solar,
)
from schemas.planning_result import PlanningStatus
from tests.processors.planning.drawing import cases
from tests.processors.planning.holding import assert_plan_holds
from tests.processors.planning.rowwise import least_cost

FALSELY_INFEASIBLE = PlanningCase(
    horizon=Horizon(steps=2),
    grid=GridConnection(
        export_price_per_kwh=(0.1, 0.0), max_import_kw=0.2, demand_charge_per_kw=0.1
    ),
    loads=(FixedLoad(id="house", power_kw=(0.0, 2.4)),),
    solar=(Solar(id="pv", available_kw=(0.0, 0.2), curtailable=False),),
)
"""HiGHS 1.15 finds no best effort for it where integers have a tolerance of 1e-9."""

BEHIND_A_SMALL_FUSE = PlanningCase(
    horizon=Horizon(steps=4),
    deferrables=(
        Deferrable(
            id="first", power_kw=1.1, hours=0.25, end_step=2, interruptible=False, priority=1
        ),
        Deferrable(
            id="second",
            power_kw=1.0,
            hours=0.25,
            end_step=2,
            modulated=True,
            min_kw=0.5,
            priority=2,
        ),
    ),
    limits=(SharedLimit(id="fuse", max_kw=1.0, members=("first", "second")),),
)
"""The same with 1e-7."""


@settings(max_examples=60)
@example(FALSELY_INFEASIBLE)
@example(BEHIND_A_SMALL_FUSE)
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
