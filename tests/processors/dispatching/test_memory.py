"""Dwell, hysteresis, restores, and commands in flight."""

import pytest
from msgspec.structs import replace

from processors.dispatching.dispatcher import Dispatcher
from schemas.dispatch_plan import DispatchPlan, ReasonCode
from schemas.site_model import parse_site_model
from schemas.stage_state import DispatchState
from tests.processors.dispatching.scenarios import (
    ALL_ON,
    decide,
    depot,
    later,
    output,
    planned,
    window_of,
)

DEPOT = depot()
DISPATCHER = Dispatcher(DEPOT)
R4_OFF = (True, True, True, False)


def _after_shedding_r4() -> tuple[DispatchPlan, DispatchState]:
    """The state after window 0 shed R4."""
    plan, state = decide(DISPATCHER, window_of(DEPOT, 90.0, ALL_ON))
    assert planned(plan) == list(R4_OFF)
    return plan, state


def test_a_window_is_decided_about_once() -> None:
    """DESIGN decision 6: an old or repeated window changes nothing."""
    _, state = _after_shedding_r4()
    window = window_of(DEPOT, 120.0, ALL_ON)
    assert DISPATCHER.decide(state, window) == (None, state)
    assert DISPATCHER.decide(state, later(window, -1)) == (None, state)


def test_a_later_revision_is_not_decided_about() -> None:
    """DESIGN decision 6: dispatch reads revision 0."""
    _, state = _after_shedding_r4()
    revised = replace(window_of(DEPOT, 120.0, ALL_ON, index=1), revision=1)
    assert DISPATCHER.decide(state, revised) == (None, state)
    plan, fresh = DISPATCHER.decide(None, revised)
    assert plan is None
    assert DISPATCHER.decide(fresh, replace(revised, revision=0))[0] is not None


def test_a_command_in_flight_is_not_planned_again() -> None:
    """S1-D9: for 15 s the plan counts; the same loads stay shed, and no further ones are."""
    _, state = _after_shedding_r4()
    for index in (1, 2):
        plan, state = decide(DISPATCHER, window_of(DEPOT, 90.0, ALL_ON, index=index), state)
        assert planned(plan) == list(R4_OFF)
        assert output(plan, 4).was_on is False
        assert plan.alerts == ()


@pytest.mark.parametrize(
    ("states", "nets_kw", "base_kw"),
    [(ALL_ON, (90.0, 80.0), 20.0), (R4_OFF, (60.0, 70.0), 0.0)],
    ids=["shed", "restored"],
)
def test_a_meter_may_show_a_switch_before_its_board_does(
    states: tuple[bool, ...], nets_kw: tuple[float, float], base_kw: float
) -> None:
    """R4's 10 kW came or went as planned; the board's telemetry is behind, the base unchanged."""
    _, state = decide(DISPATCHER, window_of(DEPOT, nets_kw[0], states))
    _, state = decide(DISPATCHER, window_of(DEPOT, nets_kw[1], states, index=1), state)
    assert state.base_kw == (base_kw, base_kw)


def test_an_unheeded_command_is_planned_again_after_it_should_have_settled() -> None:
    """S1-D9: after that the observation counts; the lost command does not start a dwell time."""
    _, state = _after_shedding_r4()
    plan, state = decide(DISPATCHER, window_of(DEPOT, 90.0, ALL_ON, index=3), state)
    assert output(plan, 4).was_on is True
    assert planned(plan) == list(R4_OFF)
    assert plan.alerts == ("not in the planned state: output 4 of b1",)
    assert state.outputs[3].planned_ms == plan.window_start_ms + 5_000


def test_observing_sites_have_no_commands_in_flight() -> None:
    """DESIGN decision 9: where nothing is commanded, only telemetry counts."""
    model = parse_site_model({**DEPOT.model_dump(mode="json"), "mode": "observe"}, "test")
    dispatcher = Dispatcher(model)
    _, state = decide(dispatcher, window_of(model, 90.0, ALL_ON))
    plan, state = decide(dispatcher, window_of(model, 90.0, ALL_ON, index=1), state)
    assert output(plan, 4).was_on is True
    assert planned(plan) == list(R4_OFF)
    plan, _ = decide(dispatcher, window_of(model, 90.0, ALL_ON, index=5), state)
    assert plan.alerts == ()


def test_the_first_observation_starts_no_dwell_time() -> None:
    """A restart during a peak must not wait."""
    _, state = decide(DISPATCHER, window_of(DEPOT, 80.0, ALL_ON))
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 95.0, ALL_ON, index=1), state)
    assert planned(plan) == list(R4_OFF)


def test_a_shed_load_stays_off_for_its_dwell_time() -> None:
    """S1-D7: 30 s from when it was seen off, in window 1; with room enough all the while."""
    plan, state = _after_shedding_r4()
    reasons = []
    for index in range(1, 8):
        plan, state = decide(DISPATCHER, window_of(DEPOT, 50.0, R4_OFF, index=index), state)
        reasons.append(output(plan, 4).reason)
    assert reasons == [ReasonCode.HELD_BY_DWELL] * 6 + [ReasonCode.RESTORED]


def test_the_dwell_time_counts_from_the_plan_while_telemetry_is_behind() -> None:
    """S1-D7: the later of the planned and the observed change; here nothing is observed yet."""
    _, state = _after_shedding_r4()
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 50.0, ALL_ON, index=1), state)
    assert output(plan, 4).reason is ReasonCode.HELD_BY_DWELL
    assert output(plan, 4).sentence == "off: it switched 5 s ago, and holds for 30 s"


@pytest.mark.parametrize(
    ("net_kw", "reason", "words"),
    [
        (72.0, ReasonCode.RESTORED, "on: back with room for 10.0 kW and 3.0 kW of margin"),
        (
            72.1,
            ReasonCode.HELD_BY_HYSTERESIS,
            "off: it needs room for 10.0 kW and 3.0 kW of margin; there are 12.9 kW",
        ),
        (75.0, ReasonCode.HELD_BY_HYSTERESIS, "there are 10.0 kW"),
        (75.1, ReasonCode.SHED_LOW_PRIORITY, "forecast peak 85.1 kW exceeds"),
    ],
)
def test_a_load_comes_back_with_its_hysteresis_of_room(
    net_kw: float, reason: ReasonCode, words: str
) -> None:
    """S1-D7: 10 kW come back under 85 kW with 3 kW to spare, exactly."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, net_kw, R4_OFF))
    assert output(plan, 4).reason is reason
    assert words in output(plan, 4).sentence
    assert plan.outputs[3].on is (reason is ReasonCode.RESTORED)


def test_loads_come_back_one_at_a_time_the_most_important_first() -> None:
    """A mass restore is a new peak: ``restores_per_window`` is 1."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 30.0, (True, False, False, False)))
    assert planned(plan) == [True, True, False, False]
    assert output(plan, 2).reason is ReasonCode.RESTORED
    assert output(plan, 3).reason is ReasonCode.HELD_BY_RESTORE_LIMIT
    assert output(plan, 3).sentence == "off: at most 1 may return in one window"


def test_a_site_may_restore_more_at_once() -> None:
    """Each of them needs its own hysteresis."""
    pair = Dispatcher(depot(restores_per_window=2))
    states = (True, True, False, False)
    plan, _ = decide(pair, window_of(DEPOT, 59.0, states))
    assert planned(plan) == [True] * 4
    plan, _ = decide(pair, window_of(DEPOT, 59.1, states))
    assert planned(plan) == [True, True, True, False]
    assert output(plan, 4).reason is ReasonCode.HELD_BY_HYSTERESIS


def test_a_load_comes_back_only_if_it_fits_under_the_recent_base_load_too() -> None:
    """S1-D7: a dip of one window brings nothing back."""
    plan, state = decide(DISPATCHER, window_of(DEPOT, 75.0, R4_OFF))
    for index in range(1, 6):
        plan, state = decide(DISPATCHER, window_of(DEPOT, 60.0, R4_OFF, index=index), state)
        assert output(plan, 4).reason is ReasonCode.HELD_BY_HYSTERESIS
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 60.0, R4_OFF, index=6), state)
    assert output(plan, 4).reason is ReasonCode.RESTORED


def test_a_less_important_load_makes_room_for_one_that_returns() -> None:
    """S1-8: R2 before R4. All would fit with 84 kW, but R2 comes back with its margin only."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 64.0, (True, False, True, True)))
    assert planned(plan) == [True, True, True, False]
    assert output(plan, 4).reason is ReasonCode.SHED_LOW_PRIORITY
    assert output(plan, 4).sentence == (
        "off: a more important load returns and needs its room; load 10 kW of priority 3"
    )


def _just_restored(*numbers: int) -> DispatchState:
    """The state 15 s after these outputs (from 1) were seen to come on; base load 10 kW."""
    before = [number not in numbers for number in range(1, 5)]
    load_kw = sum(load for load, on in zip((30.0, 20.0, 10.0, 10.0), before, strict=True) if on)
    dispatcher = Dispatcher(depot(restores_per_window=4, dwell_s=1000.0))
    _, state = decide(dispatcher, window_of(DEPOT, 10.0 + load_kw, before))
    for index in (1, 2, 3):
        _, state = decide(dispatcher, window_of(DEPOT, 80.0, ALL_ON, index=index), state)
    return state


def test_a_restored_load_is_not_shed_within_its_dwell_time() -> None:
    """S1-D7: R4 came back 15 s ago, so R3 goes, though R4 would go first otherwise."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 95.0, ALL_ON, index=4), _just_restored(4))
    assert planned(plan) == [True, True, False, True]
    assert output(plan, 4).reason is ReasonCode.HELD_BY_DWELL
    assert plan.alerts == ()


def test_the_threshold_alone_breaks_no_dwell_time() -> None:
    """90 kW above 85: not held, but no danger; the plan is best effort for 15 s more."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 120.0, ALL_ON, index=4), _just_restored(4))
    assert planned(plan) == [True, False, False, True]
    assert output(plan, 4).reason is ReasonCode.HELD_BY_DWELL
    assert plan.violation_kw == 5.0


def test_the_capacity_breaks_a_dwell_time() -> None:
    """Safety first: without R4 the site is at 91 kW, with it at 101 of 100 kW."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 131.0, ALL_ON, index=4), _just_restored(4))
    assert planned(plan) == [True, False, False, False]
    assert "shed within their dwell time to keep the capacity: output 4 of b1" in plan.alerts


def test_no_more_dwell_times_are_broken_than_the_capacity_needs() -> None:
    """One of two suffices for 100 kW; the threshold would need both."""
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 125.0, ALL_ON, index=4), _just_restored(3, 4))
    assert planned(plan) == [True, False, True, False]
    assert plan.expected_kw == 95.0
    assert output(plan, 3).reason is ReasonCode.HELD_BY_DWELL


def test_a_load_switched_by_hand_is_left_alone_for_its_dwell_time() -> None:
    """S1-D9: the observation is right, and its dwell time counts like any other."""
    _, state = decide(DISPATCHER, window_of(DEPOT, 50.0, ALL_ON))
    plan, _ = decide(DISPATCHER, window_of(DEPOT, 40.0, R4_OFF, index=1), state)
    assert output(plan, 4).reason is ReasonCode.HELD_BY_DWELL
    assert plan.alerts == ("not in the planned state: output 4 of b1",)
