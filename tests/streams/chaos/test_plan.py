"""The plan of faults: a function of the seed, and what it promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.chaos.plan import BROKER, HISTORIAN, REST_S, STAGES, Fault, FaultKind, make_plan

SEEDS = st.integers(0, 2**32)
SECONDS = st.floats(0, 600)


def occupied(fault: Fault) -> str:
    """Which process it is: a second slot is another one."""
    return f"{fault.target}/1" if fault.kind is FaultKind.SECOND_SLOT else fault.target


@given(SEEDS, SECONDS)
def test_the_same_seed_gives_the_same_faults(seed: int, seconds: float) -> None:
    assert make_plan(seed, seconds) == make_plan(seed, seconds)


def test_other_seeds_give_other_faults() -> None:
    assert len({make_plan(seed, 60) for seed in range(50)}) == 50


@given(SEEDS, st.floats(60, 600))
def test_in_a_minute_every_stage_is_killed_at_least_once(seed: int, seconds: float) -> None:
    killed = {f.target for f in make_plan(seed, seconds) if f.kind is FaultKind.KILL}
    assert killed == set(STAGES)


@given(SEEDS, st.floats(300, 600))
def test_in_five_minutes_everything_happens(seed: int, seconds: float) -> None:
    assert {fault.kind for fault in make_plan(seed, seconds)} == set(FaultKind)


@given(SEEDS, SECONDS)
def test_faults_come_in_order_and_are_over_in_time(seed: int, seconds: float) -> None:
    plan = make_plan(seed, seconds)
    assert list(plan) == sorted(plan, key=lambda fault: fault.at_s)
    assert all(0 <= fault.at_s <= fault.end_s <= seconds for fault in plan)


@given(SEEDS, SECONDS)
def test_a_target_rests_between_its_faults(seed: int, seconds: float) -> None:
    free_s: dict[str, float] = {}
    for fault in make_plan(seed, seconds):
        assert fault.at_s >= free_s.get(occupied(fault), 0.0)
        free_s[occupied(fault)] = fault.end_s + REST_S


@given(SEEDS, SECONDS)
def test_a_paused_stage_loses_its_session(seed: int, seconds: float) -> None:
    """Kafka gives a member up after 10 s."""
    pauses = [f for f in make_plan(seed, seconds) if f.kind is FaultKind.PAUSE]
    assert all(fault.lasts_s > 10 for fault in pauses)


@given(SEEDS, SECONDS)
def test_only_what_is_asked_for_happens(seed: int, seconds: float) -> None:
    plan = make_plan(seed, seconds, [FaultKind.KILL], ["align", "gate"])
    assert {fault.kind for fault in plan} <= {FaultKind.KILL}
    assert {fault.target for fault in plan} <= {"align", "gate"}


@given(SEEDS, SECONDS)
def test_faults_of_a_server_are_for_that_server(seed: int, seconds: float) -> None:
    servers = {FaultKind.BROKER: BROKER, FaultKind.HISTORIAN: HISTORIAN}
    for fault in make_plan(seed, seconds):
        assert (fault.target in servers.values()) == (fault.kind in servers)
        assert servers.get(fault.kind, fault.target) == fault.target


@pytest.mark.parametrize("seconds", [0, 3.9])
def test_no_time_is_no_fault(seconds: float) -> None:
    assert make_plan(1, seconds) == ()
