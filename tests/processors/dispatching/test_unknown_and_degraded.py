"""What dispatch does when it does not know enough: unknown, degraded, blind, failed."""

import cvxpy as cp
import pytest
from msgspec.structs import replace

from processors.dispatching.dispatcher import Dispatcher
from processors.dispatching.staging import Stage, StagedSolver
from schemas.dispatch_plan import PlanStatus, ReasonCode
from schemas.site_window import Completeness
from tests.processors.dispatching.scenarios import (
    ALL_ON,
    decide,
    depot,
    output,
    planned,
    window_of,
)

DEPOT = depot()
DISPATCHER = Dispatcher(DEPOT)


def test_unknown_outputs_are_left_alone_with_an_alert() -> None:
    """S1-D8: an unreadable status sheds nothing; it is no "all on"."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 120.0, (None, None, None, None)))
    assert plan.targets == ()
    assert planned(plan) == [None] * 4
    assert {each.reason for each in plan.outputs} == {ReasonCode.UNKNOWN_STATE}
    assert plan.alerts[-1] == (
        "state unknown, not commanded:"
        " output 1 of b1, output 2 of b1, output 3 of b1, output 4 of b1"
    )


def test_known_outputs_of_a_board_are_commanded_beside_unknown_ones() -> None:
    """S1-D8: R3 is unknown, so R4 alone is shed for 95 kW."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 95.0, (True, True, None, True)))
    (target,) = plan.targets
    assert [(each.output, each.on) for each in target.outputs] == [(2, True), (4, False)]
    assert output(plan, 3).reason is ReasonCode.UNKNOWN_STATE


def test_an_output_missing_from_the_window_is_unknown() -> None:
    """S1-D9: state comes from telemetry alone."""
    window = window_of(DEPOT, 95.0, ALL_ON)
    plan, _ = decide(DISPATCHER, replace(window, relays=window.relays[:3]))
    assert planned(plan) == [True, True, False, None]


def test_an_unknown_output_counts_with_what_it_drew_when_it_was_last_seen() -> None:
    """S1-D9: its load is in the net load, and nothing that dispatch does takes it out."""
    plan, state = decide(DISPATCHER, window_of(DEPOT, 80.0, ALL_ON))
    plan, state = decide(
        DISPATCHER, window_of(DEPOT, 80.0, (True, True, None, True), index=1), state
    )
    assert plan.uncontrolled_kw == 80.0
    assert plan.outputs[2].sentence == "unknown: not commanded; it counts 10.0 kW"
    assert state.base_kw == (10.0, 10.0)


def test_a_degraded_window_sheds() -> None:
    """S3-12, DESIGN time 6: degraded data count on the safe side, and may shed."""
    window = window_of(DEPOT, 95.0, ALL_ON, completeness=Completeness.DEGRADED)
    plan, _ = decide(DISPATCHER, window)
    assert planned(plan) == [True, True, True, False]
    assert plan.status is PlanStatus.OPTIMAL


def test_a_degraded_window_restores_nothing() -> None:
    """S3-12, DESIGN time 6."""
    window = window_of(DEPOT, 40.0, (True, True, True, False), completeness=Completeness.DEGRADED)
    plan, _ = decide(DISPATCHER, window)
    assert planned(plan) == [True, True, True, False]
    assert output(plan, 4).reason is ReasonCode.HELD_DEGRADED
    assert output(plan, 4).sentence == (
        "off: the window is degraded, and nothing returns on doubtful data"
    )


def test_a_blind_window_is_answered_with_an_alert_and_no_target() -> None:
    """S3-12, DESIGN time 6: nothing is decided on data that are mostly missing."""
    window = replace(
        window_of(DEPOT, 120.0, ALL_ON, completeness=Completeness.BLIND),
        missing_rated_kw=70.0,
        missing_series=("m1/active_power",),
    )
    plan, _ = decide(DISPATCHER, window)
    assert plan.status is PlanStatus.BLIND
    assert (plan.targets, plan.outputs) == ((), ())
    assert (plan.uncontrolled_kw, plan.expected_kw) == (None, None)
    (alert,) = plan.alerts
    assert alert == (
        "the window is blind: 70.0 kW of rated power are missing (m1/active_power);"
        " nothing is planned"
    )


def test_a_blind_window_adds_nothing_to_the_base_load_remembered() -> None:
    """A net load that is mostly guessed is no history; what the boards show is kept."""
    _, state = decide(DISPATCHER, window_of(DEPOT, 80.0, ALL_ON))
    blind = window_of(
        DEPOT, 300.0, (True, True, True, False), index=1, completeness=Completeness.BLIND
    )
    _, after = decide(DISPATCHER, blind, state)
    assert after.base_kw == state.base_kw
    assert after.last_window_ms == blind.window_start_ms
    assert [memory.on for memory in after.outputs] == [True, True, True, False]
    assert [memory.planned_on for memory in after.outputs] == [None, True, True, True]


@pytest.mark.parametrize("net_kw", [1e300, -1e300, float("nan"), float("inf")])
def test_a_load_that_no_site_has_fails_without_an_exception(net_kw: float) -> None:
    """S1-D6, S1-6: no plan, an alert, and a memory that can go on; never an error."""
    _, state = decide(DISPATCHER, window_of(DEPOT, 80.0, ALL_ON))
    plan, after = decide(DISPATCHER, window_of(DEPOT, net_kw, ALL_ON, index=1), state)
    assert plan.status is PlanStatus.FAILED
    assert (plan.targets, plan.outputs) == ((), ())
    assert plan.alerts[0].startswith("the solver has no plan for a net load of")
    assert after.base_kw == state.base_kw
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 95.0, ALL_ON, index=2), after)
    assert planned(plan) == [True, True, True, False]


def test_a_problem_without_a_solution_has_no_answer() -> None:
    """S1-D6: what the solver refuses is no plan; the next problem finds it as new."""
    on, limit = cp.Variable(2, boolean=True), cp.Parameter(value=3.0)
    problem = cp.Problem(cp.Minimize(on[0]), [on.sum() >= limit])
    staged, stage = StagedSolver(), Stage(column=0, gap=0.5, slack=0.5)
    assert staged.descend(problem.get_problem_data(cp.HIGHS)[0], [stage]) is None
    limit.value = 2.0
    assert staged.descend(problem.get_problem_data(cp.HIGHS)[0], [stage]) is not None
