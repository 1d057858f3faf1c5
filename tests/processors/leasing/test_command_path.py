"""Gate and leases together: what holds for every setpoint, whatever plans and devices do."""

from itertools import pairwise
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from processors.gating.judging import judge
from processors.leasing.confirming import record_ack
from processors.leasing.issuing import lease_targets
from schemas.dispatch_plan import (
    DeviceTarget,
    DispatchPlan,
    OutputDecision,
    OutputState,
    PlanStatus,
    ReasonCode,
)
from schemas.identity import decision_id, setpoint_seq
from schemas.messages import Decoder, encode
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import Completeness
from schemas.stage_state import ActuateState, GateState
from schemas.verdict import Accepted, Renewed, Verdict

START_MS = 1_700_000_000_000
WINDOW_MS = 5_000

seconds = st.integers(2, 180).map(lambda halves: halves / 2)


@st.composite
def relays(draw: st.DrawFn) -> list[dict[str, object]]:
    """Outputs of one board, at least the first of which is never shed."""
    found: list[dict[str, object]] = []
    for output in range(1, draw(st.integers(1, 4)) + 1):
        sheddable = output > 1 and draw(st.booleans())
        end = draw(st.sampled_from(["on", "off", "hold"])) if sheddable else "on"
        relay = {"output": output, "load_kw": 10.0, "priority": output, "sheddable": sheddable}
        found.append({**relay, "on_lease_end": end})
    return found


@st.composite
def sites(draw: st.DrawFn, mode: str = "control") -> SiteModel:
    """Sites with one to three boards, some of them real."""
    boards = [
        {
            "id": f"board-{number}",
            "gateway": "gw",
            "simulated": draw(st.integers(0, 19)) > 0,
            "relays": draw(relays()),
        }
        for number in range(draw(st.integers(1, 3)))
    ]
    control = {name: draw(seconds) for name in ("lease_s", "max_plan_age_s", "max_blind_s")}
    site = {"name": "depot", "mode": mode, "capacity_kw": 100.0, "control": control}
    return parse_site_model({**site, "relay_boards": boards}, "test")


class Step(NamedTuple):
    """One plan on its way: how late each stage is, and how the devices answer."""

    window: int
    status: PlanStatus
    wanted: dict[tuple[str, int], bool]
    was_on: bool
    expected_kw: float
    judged_after_ms: int
    leased_after_ms: int
    stopped_at_gate: bool
    stopped_at_actuate: bool
    answer: tuple[AckResult, RefusalReason | None] | None


class Done(NamedTuple):
    """What a step led to."""

    step: Step
    judged_ms: int
    leased_ms: int
    verdict: Verdict
    setpoints: tuple[Setpoint, ...]


rarely = st.integers(0, 9).map(lambda number: number == 0)
answers = st.sampled_from(
    [
        None,
        (AckResult.APPLIED, None),
        (AckResult.APPLIED, None),
        (AckResult.PARTIAL, None),
        (AckResult.REFUSED, RefusalReason.EXPIRED),
        (AckResult.REFUSED, RefusalReason.DUPLICATE),
    ]
)
healthy = [PlanStatus.OPTIMAL, PlanStatus.BEST_EFFORT]
statuses = [*healthy, *healthy, *healthy, PlanStatus.BLIND, PlanStatus.BLIND, PlanStatus.FAILED]


@st.composite
def journeys(draw: st.DrawFn, mode: str = "control") -> tuple[SiteModel, list[Step]]:
    """A site and a row of plans, mostly in order and mostly permitted."""
    model = draw(sites(mode))
    always_on = {
        (board.id, relay.output): st.sampled_from([True, False] if relay.sheddable else [True])
        for board in model.relay_boards
        for relay in board.relays
    }
    anything = dict.fromkeys([*always_on, ("board-9", 1)], st.booleans())
    steps, window = [], 0
    for _ in range(draw(st.integers(1, 12))):
        window = max(0, window + draw(st.sampled_from([1, 1, 1, 2, 4, 0, -1])))
        wanted = anything if draw(rarely) else always_on
        step = Step(
            window=window,
            status=draw(st.sampled_from(statuses)),
            wanted=draw(st.fixed_dictionaries(wanted)),
            was_on=draw(st.booleans()),
            expected_kw=draw(st.sampled_from([50.0, 80.0, 100.0, 120.0])),
            judged_after_ms=draw(st.integers(-7_000, 30_000) if draw(rarely) else st.just(200)),
            leased_after_ms=draw(st.integers(0, 30_000) if draw(rarely) else st.just(200)),
            stopped_at_gate=draw(rarely),
            stopped_at_actuate=draw(rarely),
            answer=draw(answers),
        )
        steps.append(step)
    return model, steps


def _plan(model: SiteModel, step: Step) -> DispatchPlan:
    start_ms = START_MS + step.window * WINDOW_MS
    decided = step.status in healthy
    wanted = step.wanted.items() if decided else ()
    devices = sorted({device for (device, _), _ in wanted})
    targets = tuple(
        DeviceTarget(
            device=device,
            gateway="gw",
            outputs=tuple(OutputState(output=n, on=on) for (at, n), on in wanted if at == device),
        )
        for device in devices
    )
    outputs = tuple(
        OutputDecision(
            device=device,
            output=output,
            was_on=step.was_on,
            on=on,
            reason=ReasonCode.BELOW_THRESHOLD,
            sentence="",
        )
        for (device, output), on in wanted
    )
    return DispatchPlan(
        decision_id=decision_id(model.name, start_ms, model.model_hash),
        site=model.name,
        window_start_ms=start_ms,
        model_hash=model.model_hash,
        seq=setpoint_seq(start_ms),
        epoch=1,
        completeness=Completeness.COMPLETE,
        status=step.status,
        load_kw=50.0,
        uncontrolled_kw=50.0,
        expected_kw=step.expected_kw if decided else None,
        threshold_kw=85.0,
        capacity_kw=100.0,
        violation_kw=0.0,
        outputs=outputs,
        targets=targets,
    )


def _ack(setpoint: Setpoint, answer: tuple[AckResult, RefusalReason | None]) -> Ack:
    result, reason = answer
    return Ack(
        event_id=f"{setpoint.device}/{setpoint.seq}",
        decision_id=setpoint.decision_id,
        site=setpoint.site,
        gateway=setpoint.gateway,
        device=setpoint.device,
        seq=setpoint.seq,
        epoch=setpoint.epoch,
        result=result,
        reason=reason,
        acked_ms=setpoint.issued_ms + 100,
    )


def _travel(model: SiteModel, steps: list[Step], *, restarting: bool = False) -> list[Done]:
    """Take every plan through gate, leases and acknowledgements, on a clock that never falls.

    A stage that restarts knows of the site, the plan and its own past only what was written.
    """
    gate: GateState | None = None
    actuate: ActuateState | None = None
    done, clock_ms = [], 0
    for step in steps:
        plan = _plan(model, step)
        judged_ms = max(clock_ms, plan.window_start_ms + WINDOW_MS + step.judged_after_ms)
        verdict, gate = judge(model, gate, plan, judged_ms, stopped=step.stopped_at_gate)
        clock_ms = judged_ms + step.leased_after_ms
        setpoints, actuate = lease_targets(
            model, actuate, verdict, clock_ms, stopped=step.stopped_at_actuate
        )
        if step.answer is not None:
            for setpoint in setpoints:
                actuate = record_ack(actuate, _ack(setpoint, step.answer))
        if restarting:
            model = parse_site_model(msgspec.json.decode(model.model_dump_json()), "test")
            gate = Decoder[GateState](GateState).decode(encode(gate))
            actuate = Decoder[ActuateState](ActuateState).decode(encode(actuate))
        done.append(Done(step, judged_ms, clock_ms, verdict, setpoints))
    return done


def _age_ms(window: int, now_ms: int) -> int:
    return now_ms - (START_MS + (window + 1) * WINDOW_MS)


@given(journeys())
def test_sequence_numbers_rise_strictly_per_device(journey: tuple[SiteModel, list[Step]]) -> None:
    """DESIGN decision 7: one number, one command."""
    sent = [setpoint for each in _travel(*journey) for setpoint in each.setpoints]
    for device in {setpoint.device for setpoint in sent}:
        numbers = [setpoint.seq for setpoint in sent if setpoint.device == device]
        assert all(one < two for one, two in pairwise(numbers))


@given(journeys())
def test_no_setpoint_switches_off_what_is_never_shed(
    journey: tuple[SiteModel, list[Step]],
) -> None:
    """S1-7, S3-8: whatever dispatch wants, and renewals included."""
    model, steps = journey
    essential = {
        (board.id, relay.output)
        for board in model.relay_boards
        for relay in board.relays
        if not relay.sheddable
    }
    for each in _travel(model, steps):
        for setpoint in each.setpoints:
            off = {(setpoint.device, state.output) for state in setpoint.outputs if not state.on}
            assert not off & essential


@given(journeys())
def test_nothing_leaves_while_either_stage_knows_of_a_stop(
    journey: tuple[SiteModel, list[Step]],
) -> None:
    """DESIGN decision 9: the global stop."""
    for each in _travel(*journey):
        if each.step.stopped_at_gate or each.step.stopped_at_actuate:
            assert each.setpoints == ()


@given(journeys(mode="observe"))
def test_observing_site_never_gets_a_setpoint(journey: tuple[SiteModel, list[Step]]) -> None:
    """DESIGN decision 9: plan, never command."""
    assert all(each.setpoints == () for each in _travel(*journey))


@given(journeys())
def test_what_is_let_through_is_fresh_and_so_is_what_is_sent(
    journey: tuple[SiteModel, list[Step]],
) -> None:
    """S1-13, S3-12: nothing acts on a window that is too old or from the future."""
    model, steps = journey
    for each in _travel(model, steps):
        limit_ms = 1000 * model.control.max_plan_age_s
        if isinstance(each.verdict, Accepted | Renewed):
            assert -5_000 <= _age_ms(each.step.window, each.judged_ms) <= limit_ms
        if each.setpoints:
            assert _age_ms(each.step.window, each.leased_ms) <= limit_ms


@given(journeys())
def test_no_lease_is_longer_than_the_site_allows(journey: tuple[SiteModel, list[Step]]) -> None:
    """DESIGN decision 8: setpoints are leases."""
    model, steps = journey
    for each in _travel(model, steps):
        for setpoint in each.setpoints:
            assert setpoint.issued_ms == each.leased_ms
            assert setpoint.valid_until_ms > setpoint.issued_ms
            assert setpoint.valid_until_ms - setpoint.issued_ms <= 1000 * model.control.lease_s


@given(journeys())
def test_renewal_changes_no_output_and_keeps_a_lease_that_runs(
    journey: tuple[SiteModel, list[Step]],
) -> None:
    """DESIGN decision 8: a renewal only prolongs."""
    before: dict[str, Setpoint] = {}
    for each in _travel(*journey):
        for setpoint in each.setpoints:
            if setpoint.renewal:
                assert set(setpoint.outputs) == set(before[setpoint.device].outputs)
                assert setpoint.issued_ms < before[setpoint.device].valid_until_ms
            before[setpoint.device] = setpoint


@given(journeys())
def test_only_simulated_boards_of_the_site_are_commanded(
    journey: tuple[SiteModel, list[Step]],
) -> None:
    """DESIGN decision 9: control admits simulated boards only, until the site file says more."""
    model, steps = journey
    admitted = {board.id for board in model.relay_boards if board.simulated}
    sent = {setpoint.device for each in _travel(model, steps) for setpoint in each.setpoints}
    assert sent <= admitted


@given(journeys())
def test_blind_site_is_commanded_no_longer_than_its_limit(
    journey: tuple[SiteModel, list[Step]],
) -> None:
    """DESIGN "Time" 6: renewed for a limited time, with targets that were accepted before."""
    model, steps = journey
    accepted: Accepted | None = None
    first_blind_ms: int | None = None
    for each in _travel(model, steps):
        if isinstance(each.verdict, Accepted):
            accepted, first_blind_ms = each.verdict, None
        elif isinstance(each.verdict, Renewed):
            start_ms = each.verdict.window_start_ms
            first_blind_ms = start_ms if first_blind_ms is None else first_blind_ms
            assert accepted is not None
            assert each.verdict.targets == accepted.targets
            assert each.judged_ms - first_blind_ms <= 1000 * model.control.max_blind_s


@given(journeys())
def test_stages_that_restart_before_every_plan_command_the_same(
    journey: tuple[SiteModel, list[Step]],
) -> None:
    """DESIGN decision 7: a restart goes on exactly where the last committed step ended."""
    assert _travel(*journey, restarting=True) == _travel(*journey)
