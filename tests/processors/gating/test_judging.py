"""The gate's verdicts: each refusal at its boundary, renewals, and what is remembered."""

from itertools import pairwise
from random import Random

import pytest
from msgspec.structs import replace

from processors.gating.judging import judge
from schemas.dispatch_plan import (
    DeviceTarget,
    DispatchPlan,
    OutputDecision,
    OutputState,
    PlanStatus,
    PowerSetpoint,
    ReasonCode,
)
from schemas.identity import decision_id, setpoint_seq
from schemas.messages import Decoder, encode
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import Completeness
from schemas.stage_state import GateState
from schemas.verdict import Accepted, Observed, Refusal, Rejected, Renewed, Verdict

START_MS = 1_700_000_000_000
WINDOW_MS = 5_000
END_MS = START_MS + WINDOW_MS
NOW_MS = END_MS + 1_000
RATED_KW = {1: 30.0, 2: 20.0, 3: 10.0, 4: 10.0}


def _site(*, simulated: bool = True, **changes: object) -> SiteModel:
    """The reference site: 100 kW, relay 1 never shed; in control of simulated boards."""
    relays = [
        {"output": output, "load_kw": load_kw, "priority": output, "sheddable": output != 1}
        for output, load_kw in RATED_KW.items()
    ]
    board = {"id": "board-1", "gateway": "gw-1", "simulated": simulated, "relays": relays}
    site = {"name": "depot", "mode": "control", "capacity_kw": 100.0, "relay_boards": [board]}
    return parse_site_model({**site, **changes}, "test")


SITE = _site()


def _target(states: str, device: str = "board-1", gateway: str = "gw-1") -> DeviceTarget:
    """A target from one digit per output: 1 on, 0 off."""
    outputs = tuple(OutputState(output=n, on=on == "1") for n, on in enumerate(states, start=1))
    return DeviceTarget(device=device, gateway=gateway, outputs=outputs)


ALL_ON = _target("1111")
SHED = _target("1110")


def _decisions(was_on: str) -> tuple[OutputDecision, ...]:
    """Decisions about outputs that were on (1), off (0) or unknown (?)."""
    known = {"1": True, "0": False, "?": None}
    return tuple(
        OutputDecision(
            device="board-1",
            output=n,
            was_on=known[on],
            on=known[on],
            reason=ReasonCode.BELOW_THRESHOLD,
            sentence="",
        )
        for n, on in enumerate(was_on, start=1)
    )


def _plan(model: SiteModel = SITE, window: int = 0, **changes: object) -> DispatchPlan:
    """A plan for the window that is ``window`` windows after the first."""
    start_ms = START_MS + window * WINDOW_MS
    plan = DispatchPlan(
        decision_id=decision_id(model.name, start_ms, model.model_hash),
        site=model.name,
        window_start_ms=start_ms,
        model_hash=model.model_hash,
        seq=setpoint_seq(start_ms),
        epoch=1,
        completeness=Completeness.COMPLETE,
        status=PlanStatus.OPTIMAL,
        load_kw=90.0,
        uncontrolled_kw=90.0,
        expected_kw=80.0,
        threshold_kw=85.0,
        capacity_kw=100.0,
        violation_kw=0.0,
        outputs=_decisions("1111"),
        targets=(SHED,),
    )
    return replace(plan, **changes)


def _blind(window: int, model: SiteModel = SITE) -> DispatchPlan:
    """A plan for a window of which too little is known."""
    plan = _plan(model, window)
    return replace(plan, status=PlanStatus.BLIND, expected_kw=None, targets=())


def _now(plan: DispatchPlan) -> int:
    """One second after the plan's window."""
    return plan.window_start_ms + WINDOW_MS + 1_000


def _accepted(window: int = 0) -> GateState:
    """Memory after accepting the plan of ``window``."""
    plan = _plan(window=window)
    verdict, state = judge(SITE, None, plan, _now(plan), stopped=False)
    assert isinstance(verdict, Accepted)
    return state


def _refusals(verdict: Verdict) -> dict[Refusal, str]:
    assert isinstance(verdict, Rejected)
    assert len(verdict.refusals) == len(verdict.sentences)
    return dict(zip(verdict.refusals, verdict.sentences, strict=True))


def test_plan_without_fault_is_accepted_and_remembered() -> None:
    """DESIGN decision 7: the verdict keeps the plan's identity (D-5)."""
    plan = _plan()
    verdict, state = judge(SITE, None, plan, NOW_MS, stopped=False)
    assert verdict == Accepted(
        decision_id=plan.decision_id,
        site="depot",
        window_start_ms=START_MS,
        seq=plan.seq,
        epoch=plan.epoch,
        decided_ms=NOW_MS,
        targets=(SHED,),
    )
    assert state == GateState(
        site="depot", last_seq=plan.seq, accepted_decision_id=plan.decision_id, targets=(SHED,)
    )


def test_best_effort_plan_is_accepted_above_the_threshold() -> None:
    """S1-D6: an infeasible case sheds what it can instead of failing."""
    plan = _plan(status=PlanStatus.BEST_EFFORT, expected_kw=130.0, violation_kw=45.0)
    verdict, _ = judge(SITE, None, plan, NOW_MS, stopped=False)
    assert isinstance(verdict, Accepted)


def test_global_stop_refuses_everything() -> None:
    """DESIGN decision 9: a global stop that works when everything else is broken."""
    verdict, _ = judge(SITE, None, _plan(), NOW_MS, stopped=True)
    assert list(_refusals(verdict)) == [Refusal.GLOBAL_STOP]


def test_site_without_a_model_is_unknown() -> None:
    verdict, state = judge(None, None, _plan(), NOW_MS, stopped=False)
    assert _refusals(verdict) == {Refusal.UNKNOWN_SITE: "no model of site depot is known"}
    assert state == GateState(site="depot")


def test_model_of_another_site_is_no_model() -> None:
    verdict, _ = judge(_site(name="harbour"), None, _plan(), NOW_MS, stopped=False)
    assert list(_refusals(verdict)) == [Refusal.UNKNOWN_SITE]


def test_unknown_site_is_refused_even_where_its_namesake_only_observes() -> None:
    observer = _site(name="harbour", mode="observe")
    verdict, _ = judge(observer, None, _plan(), NOW_MS, stopped=False)
    assert list(_refusals(verdict)) == [Refusal.UNKNOWN_SITE]


def test_plan_for_another_model_is_refused() -> None:
    old = _site(capacity_kw=120.0)
    verdict, _ = judge(SITE, None, _plan(old), NOW_MS, stopped=False)
    assert _refusals(verdict) == {
        Refusal.OTHER_MODEL: (
            f"it was made for model {old.model_hash[:8]}, not {SITE.model_hash[:8]}"
        )
    }


def test_decision_id_that_is_not_the_windows_own_is_refused() -> None:
    """DESIGN decision 7: the id derives from site, window and model hash."""
    verdict, _ = judge(SITE, None, _plan(decision_id="depot.1.abc"), NOW_MS, stopped=False)
    assert list(_refusals(verdict)) == [Refusal.OTHER_MODEL]


@pytest.mark.parametrize(("age_ms", "stale"), [(0, False), (20_000, False), (20_001, True)])
def test_plan_is_stale_just_after_its_greatest_age(*, age_ms: int, stale: bool) -> None:
    """S1-13: a stale command changes no relay."""
    verdict, _ = judge(SITE, None, _plan(), END_MS + age_ms, stopped=False)
    assert isinstance(verdict, Rejected if stale else Accepted)
    if stale:
        assert _refusals(verdict) == {
            Refusal.STALE: "its window ended 20.001 s ago; 20 s are allowed"
        }


@pytest.mark.parametrize(("ahead_ms", "future"), [(1, False), (5_000, False), (5_001, True)])
def test_plan_is_from_the_future_just_beyond_the_tolerance(*, ahead_ms: int, future: bool) -> None:
    verdict, _ = judge(SITE, None, _plan(), END_MS - ahead_ms, stopped=False)
    assert isinstance(verdict, Rejected if future else Accepted)
    if future:
        assert _refusals(verdict) == {
            Refusal.FROM_THE_FUTURE: (
                "its window ends 5.001 s ahead of the clock; 5 s are tolerated"
            )
        }


@pytest.mark.parametrize(("lead", "in_order"), [(-1, True), (0, False), (1, False)])
def test_sequence_number_must_be_greater_than_the_last(*, lead: int, in_order: bool) -> None:
    """DESIGN decision 7: reprocessing reproduces, it does not add."""
    plan = _plan(window=1)
    before = replace(_accepted(), last_seq=plan.seq + lead)
    verdict, state = judge(SITE, before, plan, _now(plan), stopped=False)
    assert isinstance(verdict, Accepted if in_order else Rejected)
    if not in_order:
        assert _refusals(verdict) == {
            Refusal.OUT_OF_ORDER: (
                f"its sequence number {plan.seq} does not follow {before.last_seq}"
            )
        }
        assert state == before


@pytest.mark.parametrize(("offset", "own"), [(-1, False), (0, True), (15, True), (16, False)])
def test_sequence_number_belongs_to_the_plans_window(*, offset: int, own: bool) -> None:
    """DESIGN decision 7: seq = 16 x window index + n."""
    plan = _plan(seq=setpoint_seq(START_MS) + offset)
    verdict, _ = judge(SITE, None, plan, NOW_MS, stopped=False)
    assert isinstance(verdict, Accepted if own else Rejected)
    if not own:
        first, last = setpoint_seq(START_MS), setpoint_seq(START_MS, 15)
        assert _refusals(verdict) == {
            Refusal.OUT_OF_ORDER: (
                f"its sequence number {plan.seq} is not one of its window's, {first} to {last}"
            )
        }


@pytest.mark.parametrize(
    ("targets", "sentence"),
    [
        ((_target("1", device="board-9"),), "board-9 is no relay board of the site"),
        ((_target("1", gateway="gw-2"),), "board-1 is behind gateway gw-1, not gw-2"),
        ((_target("11110"),), "board-1 has no output 5"),
        ((replace(SHED, outputs=SHED.outputs[:1] * 2),), "output 1 of board-1 is named twice"),
        ((SHED, SHED), "board-1 is named twice"),
        (
            (replace(SHED, powers=(PowerSetpoint(asset="board-1", power_kw=3.0),)),),
            "board-1 takes no power setpoint",
        ),
    ],
)
def test_target_that_the_site_does_not_have_is_refused(
    targets: tuple[DeviceTarget, ...], sentence: str
) -> None:
    verdict, _ = judge(SITE, None, _plan(targets=targets), NOW_MS, stopped=False)
    assert _refusals(verdict) == {Refusal.UNKNOWN_OUTPUT: sentence}


def test_every_unknown_target_stands_in_one_sentence() -> None:
    targets = (_target("1", device="board-8"), _target("1", device="board-9"))
    verdict, _ = judge(SITE, None, _plan(targets=targets), NOW_MS, stopped=False)
    sentence = _refusals(verdict)[Refusal.UNKNOWN_OUTPUT]
    assert "board-8" in sentence
    assert "board-9" in sentence


def test_load_that_is_never_shed_is_not_commanded_off() -> None:
    """S1-7: relay 1 is never commanded off."""
    plan = _plan(targets=(_target("0011"),))
    verdict, _ = judge(SITE, None, plan, NOW_MS, stopped=False)
    assert _refusals(verdict) == {
        Refusal.NEVER_SHED: "never shed, but commanded off: output 1 of board-1"
    }


@pytest.mark.parametrize(
    ("simulated", "simulated_only", "accepted"),
    [(True, True, True), (True, False, True), (False, False, True), (False, True, False)],
)
def test_real_board_is_commanded_only_where_the_site_admits_it(
    *,
    simulated: bool,
    simulated_only: bool,
    accepted: bool,
) -> None:
    """DESIGN decision 9: the demo's site file admits simulated boards only."""
    model = _site(simulated=simulated, simulated_only=simulated_only)
    verdict, _ = judge(model, None, _plan(model), NOW_MS, stopped=False)
    assert isinstance(verdict, Accepted if accepted else Rejected)
    if not accepted:
        assert _refusals(verdict) == {
            Refusal.REAL_BOARD: ("only simulated boards may be commanded; these are real: board-1")
        }


@pytest.mark.parametrize(
    ("expected_kw", "accepted"),
    [(99.9, True), (100.0, True), (100.01, False), (None, False), (float("nan"), False)],
)
def test_restoring_stops_at_the_capacity(*, expected_kw: float | None, accepted: bool) -> None:
    """S3-8: an unsafe command is vetoed before the actuator topic."""
    was = _decisions("1110")
    plan = _plan(outputs=was, targets=(ALL_ON,), expected_kw=expected_kw)
    verdict, _ = judge(SITE, None, plan, NOW_MS, stopped=False)
    assert isinstance(verdict, Accepted if accepted else Rejected)
    if not accepted:
        sentence = _refusals(verdict)[Refusal.OVER_CAPACITY]
        assert "output 4 of board-1" in sentence
        assert "100 kW" in sentence
        assert "output 1" not in sentence


@pytest.mark.parametrize("capacity_kw", [100.0, 137.3, 33.1])
def test_capacity_counts_to_a_millionth_of_a_kilowatt(capacity_kw: float) -> None:
    """S3-6: limits hold to 1e-6; a solver's rounding is not an excess."""
    model = _site(capacity_kw=capacity_kw)
    plan = _plan(model, outputs=_decisions("1110"), targets=(ALL_ON,))
    for excess_kw, kind in ((1e-6, Accepted), (2e-6, Rejected)):
        close = replace(plan, expected_kw=round(capacity_kw + excess_kw, 6))
        verdict, _ = judge(model, None, close, NOW_MS, stopped=False)
        assert isinstance(verdict, kind)


@pytest.mark.parametrize("was_on", ["1111", "1?11", "1110", "111?"])
def test_plan_over_capacity_that_restores_nothing_passes(was_on: str) -> None:
    """S1-D6: shedding must not fail because it does not suffice."""
    plan = _plan(outputs=_decisions(was_on), expected_kw=140.0)
    verdict, _ = judge(SITE, None, plan, NOW_MS, stopped=False)
    assert isinstance(verdict, Accepted)


def test_target_without_a_decision_counts_as_restored() -> None:
    plan = _plan(outputs=_decisions("111"), targets=(ALL_ON,), expected_kw=101.0)
    verdict, _ = judge(SITE, None, plan, NOW_MS, stopped=False)
    assert list(_refusals(verdict)) == [Refusal.OVER_CAPACITY]


@pytest.mark.parametrize("model", [SITE, None])
def test_failed_solver_leaves_nothing_to_let_through(model: SiteModel | None) -> None:
    """S3-6: without an answer the last safe setpoint stays until its lease ends."""
    before = _accepted()
    plan = _plan(window=1, status=PlanStatus.FAILED, expected_kw=None, targets=())
    verdict, state = judge(model, before, plan, _now(plan), stopped=False)
    assert Refusal.NO_PLAN in _refusals(verdict)
    assert state == before


def test_every_reason_is_collected_at_once() -> None:
    """STYLE idea 9: bad input names every wrong thing at once."""
    model = _site(simulated=False)
    plan = _plan(
        model,
        model_hash="0" * 64,
        seq=1,
        outputs=_decisions("0000"),
        targets=(_target("01111"),),
        expected_kw=150.0,
    )
    verdict, _ = judge(model, _accepted(), plan, END_MS + 60_000, stopped=True)
    refusals = _refusals(verdict)
    assert set(refusals) == {
        Refusal.GLOBAL_STOP,
        Refusal.OUT_OF_ORDER,
        Refusal.STALE,
        Refusal.OTHER_MODEL,
        Refusal.UNKNOWN_OUTPUT,
        Refusal.NEVER_SHED,
        Refusal.REAL_BOARD,
        Refusal.OVER_CAPACITY,
    }
    assert all(refusals.values())


def test_observing_site_commands_nothing_and_says_what_it_would_refuse() -> None:
    """DESIGN decision 9: observe means plan, never command."""
    model = _site(mode="observe")
    good, _ = judge(model, None, _plan(model), NOW_MS, stopped=False)
    bad_plan = _plan(model, targets=(_target("0"),))
    bad, state = judge(model, None, bad_plan, END_MS + 30_000, stopped=True)
    assert isinstance(good, Observed)
    assert good.would_refuse == ()
    assert isinstance(bad, Observed)
    assert bad.would_refuse == (Refusal.GLOBAL_STOP, Refusal.STALE, Refusal.NEVER_SHED)
    assert state == GateState(site="depot")


def test_blind_window_renews_the_accepted_targets() -> None:
    """DESIGN "Time" 6: blind, the gate renews the last accepted setpoints, with an alert."""
    before, plan = _accepted(), _blind(1)
    verdict, state = judge(SITE, before, plan, _now(plan), stopped=False)
    assert isinstance(verdict, Renewed)
    assert verdict.targets == (SHED,)
    assert verdict.accepted_decision_id == _plan().decision_id
    assert verdict.seq == plan.seq
    assert verdict.decision_id == plan.decision_id
    assert "54 s more" in verdict.alert
    assert state == replace(before, last_seq=plan.seq, blind_since_ms=plan.window_start_ms)


def test_blind_site_is_renewed_for_its_limit_and_no_longer() -> None:
    """DESIGN "Time" 6: for at most 60 s; then leases lapse."""
    state, outcomes = _accepted(), []
    for window in range(1, 20):
        plan = _blind(window)
        verdict, state = judge(SITE, state, plan, _now(plan), stopped=False)
        outcomes.append(type(verdict))
    # Window 1 starts the row; window 11 is judged 56 s later, window 12 61 s later.
    assert outcomes == [Renewed] * 11 + [Rejected] * 8


@pytest.mark.parametrize(("blind_ms", "renewed"), [(60_000, True), (60_001, False)])
def test_blind_limit_counts_from_the_first_blind_window(*, blind_ms: int, renewed: bool) -> None:
    plan = _blind(11)
    since_ms = _now(plan) - blind_ms
    before = replace(_accepted(10), blind_since_ms=since_ms)
    verdict, _ = judge(SITE, before, plan, _now(plan), stopped=False)
    assert isinstance(verdict, Renewed if renewed else Rejected)
    if not renewed:
        assert _refusals(verdict) == {
            Refusal.BLIND: "the site has been blind for 60.001 s; 60 s are allowed"
        }


def test_blind_site_with_nothing_accepted_is_refused() -> None:
    verdict, state = judge(SITE, None, _blind(0), NOW_MS, stopped=False)
    assert list(_refusals(verdict)) == [Refusal.BLIND]
    assert state == GateState(site="depot", blind_since_ms=START_MS)


def test_accepted_plan_ends_the_row_of_blind_windows() -> None:
    _, blind = judge(SITE, _accepted(), _blind(1), _now(_blind(1)), stopped=False)
    verdict, state = judge(SITE, blind, _plan(window=2), _now(_plan(window=2)), stopped=False)
    assert isinstance(verdict, Accepted)
    assert state.blind_since_ms is None


def test_refused_plan_does_not_end_the_row_of_blind_windows() -> None:
    """DESIGN "Time" 6: old targets get no second 60 s from a plan that was not let through."""
    blind, failed = _blind(1), _plan(window=2, status=PlanStatus.FAILED, targets=())
    _, state = judge(SITE, _accepted(), blind, _now(blind), stopped=False)
    _, state = judge(SITE, state, failed, _now(failed), stopped=False)
    assert state.blind_since_ms == blind.window_start_ms


def test_stale_blind_window_still_opens_the_row() -> None:
    """DESIGN "Time" 6: a gate that lags does not add its lag to the 60 s."""
    blind = _blind(1)
    verdict, state = judge(SITE, _accepted(), blind, _now(blind) + 30_000, stopped=False)
    assert list(_refusals(verdict)) == [Refusal.STALE]
    assert state.blind_since_ms == blind.window_start_ms


@pytest.mark.parametrize("lag_ms", [-11_000, 0])
def test_blind_plan_out_of_time_or_order_does_not_open_the_row(lag_ms: int) -> None:
    early = _blind(1) if lag_ms else _blind(0)
    before = _accepted()
    verdict, state = judge(SITE, before, early, _now(early) + lag_ms, stopped=False)
    expected = Refusal.FROM_THE_FUTURE if lag_ms else Refusal.OUT_OF_ORDER
    assert list(_refusals(verdict)) == [expected]
    assert state == before


@pytest.mark.parametrize(("gap", "renewed"), [(12, True), (13, False)])
def test_targets_whose_leases_ran_out_are_not_renewed(*, gap: int, renewed: bool) -> None:
    """DESIGN decision 8: after its lease a device is back in its own state, and stays there."""
    plan = _blind(gap)
    verdict, _ = judge(SITE, _accepted(), plan, _now(plan), stopped=False)
    assert isinstance(verdict, Renewed if renewed else Rejected)
    if not renewed:
        sentence = _refusals(verdict)[Refusal.BLIND]
        assert sentence.endswith("it was last let through 65 s before, for 60 s")


def test_stop_discards_what_was_accepted() -> None:
    """DESIGN decision 9: after a stop commanding begins again with a fresh plan."""
    stopped, after = _blind(1), _blind(2)
    _, state = judge(SITE, _accepted(), stopped, _now(stopped), stopped=True)
    assert state == GateState(site="depot", last_seq=_plan().seq)
    verdict, _ = judge(SITE, state, after, _now(after), stopped=False)
    assert list(_refusals(verdict)) == [Refusal.BLIND]


def test_observing_discards_what_was_accepted() -> None:
    observer, plan = _site(mode="observe"), _plan(window=1)
    _, state = judge(observer, _accepted(), plan, _now(plan), stopped=False)
    assert state == GateState(site="depot", last_seq=_plan().seq)


def test_renewal_obeys_stop_age_and_order() -> None:
    """DESIGN "Time" 6 and decision 9: a renewal is a command like any other."""
    before, plan = _accepted(), _blind(1)
    stopped, _ = judge(SITE, before, plan, _now(plan), stopped=True)
    stale, _ = judge(SITE, before, plan, _now(plan) + 19_001, stopped=False)
    repeated, _ = judge(SITE, before, _blind(0), NOW_MS, stopped=False)
    assert list(_refusals(stopped)) == [Refusal.GLOBAL_STOP]
    assert list(_refusals(stale)) == [Refusal.STALE]
    assert list(_refusals(repeated)) == [Refusal.OUT_OF_ORDER]


def test_renewed_targets_obey_the_model_that_holds_now() -> None:
    """S1-7: a load that became never-shed since is not kept off by a renewal."""
    relays = [{"output": 4, "load_kw": 10.0, "priority": 1, "sheddable": False}]
    board = {"id": "board-1", "gateway": "gw-1", "simulated": False, "relays": relays}
    changed = _site(relay_boards=[board])
    plan = _blind(1, changed)
    verdict, _ = judge(changed, _accepted(), plan, _now(plan), stopped=False)
    assert set(_refusals(verdict)) == {
        Refusal.UNKNOWN_OUTPUT,
        Refusal.NEVER_SHED,
        Refusal.REAL_BOARD,
    }


def test_gate_that_restarts_goes_on_where_it_was() -> None:
    """DESIGN decision 7: a restart from the written state gives the same verdicts."""
    plans = [_plan(), _blind(1), _plan(window=2), _plan(window=1), _blind(3), _plan(window=4)]
    decoder: Decoder[GateState] = Decoder(GateState)
    straight: GateState | None = None
    restarted: GateState | None = None
    for plan in plans:
        one, straight = judge(SITE, straight, plan, _now(plan), stopped=False)
        two, state = judge(SITE, restarted, plan, _now(plan), stopped=False)
        restarted = decoder.decode(encode(state))
        assert one == two
    assert straight == restarted


def test_verdicts_survive_the_wire() -> None:
    decoder: Decoder[Verdict] = Decoder(Verdict)
    observer = _site(mode="observe")
    plan = _blind(1)
    verdicts = [
        judge(SITE, None, _plan(), NOW_MS, stopped=False)[0],
        judge(SITE, None, _plan(), NOW_MS, stopped=True)[0],
        judge(SITE, _accepted(), plan, _now(plan), stopped=False)[0],
        judge(observer, None, _plan(observer), NOW_MS, stopped=False)[0],
    ]
    assert len({type(verdict) for verdict in verdicts}) == 4
    assert [decoder.decode(encode(verdict)) for verdict in verdicts] == verdicts


def test_relay_1_is_never_commanded_off_in_ten_thousand_fuzzed_plans() -> None:
    """S1-7: relay 1 is never commanded off across 10,000 fuzz cases; S3-8."""
    random = Random(7)
    commanded, vetoed = 0, 0
    state: GateState | None = None
    for window in range(10_000):
        target = _target("".join(random.choice("1110") for _ in RATED_KW))
        status = random.choice([PlanStatus.OPTIMAL, PlanStatus.BEST_EFFORT, PlanStatus.BLIND])
        plan = _plan(window=window, status=status, targets=(target,))
        verdict, state = judge(SITE, state, plan, _now(plan), stopped=False)
        if isinstance(verdict, Accepted | Renewed):
            commanded += 1
            assert all(s.on for t in verdict.targets for s in t.outputs if s.output == 1)
        elif isinstance(verdict, Rejected) and Refusal.NEVER_SHED in verdict.refusals:
            vetoed += 1
    assert commanded > 1_000
    assert vetoed > 1_000


def test_let_through_sequence_numbers_rise_whatever_the_order_of_plans() -> None:
    """DESIGN decision 7: one writer per device, in order."""
    random = Random(11)
    through: list[int] = []
    state: GateState | None = None
    for step in range(500):
        window = max(0, step + random.randint(-3, 1))
        plan = _blind(window) if random.random() < 0.5 else _plan(window=window)
        now_ms = START_MS + step * WINDOW_MS + 6_000
        verdict, state = judge(SITE, state, plan, now_ms, stopped=random.random() < 0.05)
        if isinstance(verdict, Accepted | Renewed):
            through.append(verdict.seq)
    assert len(through) > 100
    assert all(one < two for one, two in pairwise(through))
