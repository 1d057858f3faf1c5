"""Which loads are shed at which peak, and what the plan says about it."""

import pytest
from msgspec.structs import replace

from processors.dispatching.dispatcher import Dispatcher
from schemas.dispatch_plan import DeviceTarget, OutputState, PlanStatus, ReasonCode
from schemas.identity import decision_id, setpoint_seq
from schemas.site_model import parse_site_model
from tests.processors.dispatching.scenarios import (
    ALL_ON,
    START_MS,
    decide,
    depot,
    output,
    planned,
    window_of,
)

DEPOT = depot()
DISPATCHER = Dispatcher(DEPOT)


@pytest.mark.parametrize(
    ("peak_kw", "expected"),
    [
        (84.9, "1111"),
        (85.0, "1111"),
        (85.1, "1110"),
        (90.0, "1110"),
        (95.0, "1110"),
        (95.1, "1100"),
        (105.0, "1100"),
        (105.1, "1010"),
        (115.0, "1010"),
        (115.1, "1000"),
        (125.0, "1000"),
    ],
)
def test_a_peak_sheds_the_least_important_loads_that_suffice(peak_kw: float, expected: str) -> None:
    """S1-8: 95 sheds one low load, 105 both, 115 R2 and one low one, 125 all; S1-4, S1-D3, S1-D5.

    Before, 85.0 was a spike and shed R2 (S1-D3, S1-D5), and one command of several came (S1-D4).
    """
    plan, _ = decide(DISPATCHER, window_of(DEPOT, peak_kw, ALL_ON))
    assert planned(plan) == [digit == "1" for digit in expected]
    assert plan.status is PlanStatus.OPTIMAL
    assert plan.uncontrolled_kw == peak_kw
    assert plan.expected_kw is not None
    assert plan.expected_kw <= 85.0
    assert plan.violation_kw == 0.0
    assert plan.alerts == ()


def test_a_peak_that_cannot_be_held_sheds_all_and_says_by_how_much() -> None:
    """S1-D6, S1-8: 125.1 kW is the infeasible path: best effort and an alert, no error."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 125.1, ALL_ON))
    assert planned(plan) == [True, False, False, False]
    assert plan.status is PlanStatus.BEST_EFFORT
    assert plan.violation_kw == 0.1
    (alert,) = plan.alerts
    assert alert == (
        "the threshold of 85.0 kW cannot be held: forecast peak 85.1 kW exceeds it by 0.1 kW"
        " with all shed that may be"
    )


def test_an_exceeded_capacity_is_named_before_the_threshold() -> None:
    """S1-D6: the alert names the constraint and by how much."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 150.0, ALL_ON))
    assert [alert.split(" cannot")[0] for alert in plan.alerts] == [
        "the capacity of 100.0 kW",
        "the threshold of 85.0 kW",
    ]
    assert "exceeds it by 10.0 kW" in plan.alerts[0]
    assert plan.violation_kw == 25.0


@pytest.mark.parametrize(("above_kw", "sheds"), [(9e-7, False), (2e-6, True)])
def test_a_limit_counts_as_held_up_to_a_milliwatt_above_it(above_kw: float, *, sheds: bool) -> None:
    """S1-D5: the boundary is where the documentation says."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 85.0 + above_kw, ALL_ON))
    assert (False in planned(plan)) is sheds


def test_every_shed_load_is_commanded_and_the_never_shed_one_is_not() -> None:
    """S1-D4: all commands are emitted. S1-7: R1 is never commanded at all."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 115.0, ALL_ON))
    wanted = tuple(
        OutputState(output=number, on=on) for number, on in ((2, False), (3, True), (4, False))
    )
    assert plan.targets == (DeviceTarget(device="b1", gateway="g1", outputs=wanted),)


def test_generation_counts_against_the_load() -> None:
    """Dispatch holds what the site draws from the grid, not what it consumes."""
    window = replace(window_of(DEPOT, 95.0, ALL_ON), generation_kw=-10.0)
    plan, _ = decide(DISPATCHER, window)
    assert planned(plan) == [True] * 4
    assert plan.load_kw == 85.0


def test_a_plan_is_identified_by_site_window_and_model() -> None:
    """DESIGN decision 7: identity is derived, so reprocessing reproduces it."""
    plan, state = decide(DISPATCHER, window_of(DEPOT, 80.0, ALL_ON))
    assert plan.decision_id == decision_id("depot", START_MS, DEPOT.model_hash)
    assert plan.seq == setpoint_seq(START_MS)
    assert (plan.threshold_kw, plan.capacity_kw) == (85.0, 100.0)
    assert state.last_window_ms == plan.window_start_ms == START_MS


def test_every_output_says_why_with_its_figures() -> None:
    """S1-5: low loads are shed as such; a more important one only as a critical spike."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 115.0, ALL_ON))
    assert [(each.reason, each.sentence) for each in plan.outputs] == [
        (ReasonCode.NEVER_SHED, "on: never shed; it counts 30.0 kW"),
        (
            ReasonCode.CRITICAL_SPIKE_SHED,
            "off: forecast peak 115.0 kW exceeds the threshold 85.0 kW; load 20 kW of priority 2",
        ),
        (
            ReasonCode.BELOW_THRESHOLD,
            "on: forecast peak 85.0 kW is within the threshold 85.0 kW",
        ),
        (
            ReasonCode.SHED_LOW_PRIORITY,
            "off: forecast peak 115.0 kW exceeds the threshold 85.0 kW; load 10 kW of priority 3",
        ),
    ]


def test_a_load_that_its_meter_sees_idle_is_not_shed() -> None:
    """Shedding 10 rated kW that draw nothing would lower no peak."""
    window = window_of(DEPOT, 95.0, ALL_ON, measured_kw=(30.0, 20.0, 0.0, 10.0))
    plan, _ = decide(DISPATCHER, window)
    assert planned(plan) == [True, True, True, False]


def test_an_idle_load_is_kept_even_where_the_threshold_cannot_be_held() -> None:
    """The reason says so: no reason code claims that there is room."""
    window = window_of(DEPOT, 150.0, ALL_ON, measured_kw=(30.0, 20.0, 0.0, 10.0))
    plan, _ = decide(DISPATCHER, window)
    assert planned(plan) == [True, False, True, False]
    assert "shedding it would not help" in output(plan, 3).sentence


def test_a_site_without_relays_only_warns() -> None:
    """Nothing can be shed; the plan says by how much the threshold is exceeded."""
    bare = parse_site_model({"name": "bare", "capacity_kw": 100.0}, "test")
    plan, _ = decide(Dispatcher(bare), window_of(bare, 90.0, ()))
    assert (plan.outputs, plan.targets) == ((), ())
    assert plan.status is PlanStatus.BEST_EFFORT
    assert plan.violation_kw == 5.0


def test_a_site_whose_loads_are_never_shed_commands_nothing() -> None:
    """S1-7: whatever the peak."""
    relay = {"output": 1, "load_kw": 30.0, "priority": 1, "sheddable": False}
    board = {"id": "b1", "gateway": "g1", "relays": [relay]}
    site = parse_site_model({"name": "s", "capacity_kw": 50.0, "relay_boards": [board]}, "test")
    plan, _ = decide(Dispatcher(site), window_of(site, 90.0, (True,)))
    assert plan.targets == ()
    assert plan.violation_kw == 47.5


def test_a_never_shed_load_that_is_off_counts_as_on_and_is_reported() -> None:
    """It may come back at any time, and dispatch has no part in it."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 60.0, (False, True, True, True)))
    assert plan.uncontrolled_kw == 90.0
    assert planned(plan) == [False, True, True, False]
    assert plan.alerts == ("off though never to be shed: output 1 of b1",)
