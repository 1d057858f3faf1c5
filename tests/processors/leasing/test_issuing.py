"""Which setpoints a verdict leads to, and when a device is left in peace."""

from typing import Any

import pytest
from msgspec.structs import replace

from processors.leasing.issuing import lease_targets
from schemas.dispatch_plan import DeviceTarget, OutputState
from schemas.identity import decision_id, setpoint_seq
from schemas.messages import Decoder, encode
from schemas.setpoint import Setpoint
from schemas.site_model import SiteModel, parse_site_model
from schemas.stage_state import ActuateState, DeviceLease
from schemas.verdict import Accepted, Observed, Rejected, Renewed

START_MS = 1_700_000_000_000
WINDOW_MS = 5_000
NOW_MS = START_MS + WINDOW_MS + 1_000
LEASE_MS = 60_000


def _site(**changes: object) -> SiteModel:
    """Two boards; on board-1 outputs 1 and 2 return to on, 3 to off, 4 holds."""
    ends = {1: "on", 2: "on", 3: "off", 4: "hold"}
    relays = [
        {"output": output, "load_kw": 10.0, "priority": output, "on_lease_end": end}
        for output, end in ends.items()
    ]
    boards = [
        {"id": name, "gateway": f"gw-{name}", "simulated": True, "relays": relays}
        for name in ("board-1", "board-2")
    ]
    site = {"name": "depot", "mode": "control", "capacity_kw": 100.0, "relay_boards": boards}
    return parse_site_model({**site, **changes}, "test")


SITE = _site()


def _outputs(states: str) -> tuple[OutputState, ...]:
    """One digit per output, 1 on and 0 off; a dot leaves the output out."""
    return tuple(
        OutputState(output=n, on=on == "1") for n, on in enumerate(states, start=1) if on != "."
    )


def _target(states: str, device: str = "board-1") -> DeviceTarget:
    return DeviceTarget(device=device, gateway=f"gw-{device}", outputs=_outputs(states))


DECLARED = "110"
"""Outputs 1 to 3 as they are when no lease holds."""
SHED = "100"


def _accepted(window: int, *targets: DeviceTarget, model: SiteModel = SITE) -> Accepted:
    start_ms = START_MS + window * WINDOW_MS
    return Accepted(
        decision_id=decision_id(model.name, start_ms, model.model_hash),
        site=model.name,
        window_start_ms=start_ms,
        seq=setpoint_seq(start_ms),
        epoch=3,
        decided_ms=start_ms + WINDOW_MS,
        targets=targets,
    )


def _leased(states: str, *, age_ms: int = 0, acked: bool = True) -> ActuateState:
    """Memory of a command to board-1 that was issued ``age_ms`` before ``NOW_MS``."""
    issued_ms = NOW_MS - age_ms
    seq = setpoint_seq(START_MS) - 1
    lease = DeviceLease(
        device="board-1",
        outputs=_outputs(states),
        seq=seq,
        issued_ms=issued_ms,
        valid_until_ms=issued_ms + LEASE_MS,
        acked_seq=seq if acked else seq - 16,
    )
    return ActuateState(site="depot", leases=(lease,))


def _sent(state: ActuateState | None, states: str) -> tuple[Setpoint, ...]:
    """Setpoints at ``NOW_MS`` for an accepted target of board-1."""
    return lease_targets(SITE, state, _accepted(0, _target(states)), NOW_MS, stopped=False)[0]


@pytest.mark.parametrize("states", [DECLARED, SHED])
def test_first_target_is_always_sent(states: str) -> None:
    """DESIGN decision 8: a relay may still be off under a lease that nobody remembers."""
    verdict = _accepted(0, _target(states))
    (setpoint,), state = lease_targets(SITE, None, verdict, NOW_MS, stopped=False)
    assert setpoint == Setpoint(
        decision_id=verdict.decision_id,
        site="depot",
        gateway="gw-board-1",
        device="board-1",
        seq=verdict.seq,
        epoch=3,
        issued_ms=NOW_MS,
        valid_until_ms=NOW_MS + LEASE_MS,
        outputs=_outputs(states),
    )
    assert state == ActuateState(
        site="depot",
        leases=(
            DeviceLease(
                device="board-1",
                outputs=_outputs(states),
                seq=verdict.seq,
                issued_ms=NOW_MS,
                valid_until_ms=NOW_MS + LEASE_MS,
            ),
        ),
    )


@pytest.mark.parametrize("age_ms", [0, 10_000, LEASE_MS, 50 * LEASE_MS])
def test_device_in_its_declared_state_is_left_in_peace(age_ms: int) -> None:
    """DESIGN decision 8: what is leased is the departure from the declared state."""
    assert _sent(_leased(DECLARED, age_ms=age_ms), DECLARED) == ()


def test_changed_target_is_sent_at_once() -> None:
    for acked in (True, False):
        (setpoint,) = _sent(_leased(DECLARED, age_ms=1, acked=acked), SHED)
        assert setpoint.outputs == _outputs(SHED)
        assert not setpoint.renewal


def test_return_to_the_declared_state_is_sent() -> None:
    """S1-D7: a relay returns after the peak, and need not wait for its lease to end."""
    (setpoint,) = _sent(_leased(SHED, age_ms=1), DECLARED)
    assert setpoint.outputs == _outputs(DECLARED)


def test_output_that_is_newly_commanded_counts_as_a_change() -> None:
    assert len(_sent(_leased("11.", age_ms=1), "110")) == 1


def test_order_of_outputs_is_no_change() -> None:
    target = _target(SHED)
    verdict = _accepted(0, replace(target, outputs=target.outputs[::-1]))
    setpoints, _ = lease_targets(SITE, _leased(SHED), verdict, NOW_MS, stopped=False)
    assert setpoints == ()


@pytest.mark.parametrize("states", ["010", "100", "111", "...1", "...0"])
@pytest.mark.parametrize(("age_ms", "sent"), [(30_000, 0), (30_001, 1)])
def test_departure_is_renewed_once_less_than_half_of_its_lease_is_left(
    states: str, age_ms: int, sent: int
) -> None:
    """DESIGN decision 8: a departure lasts only as long as somebody renews it.

    An output that holds has no state to return to, so it is renewed in either state.
    """
    setpoints = _sent(_leased(states, age_ms=age_ms), states)
    assert [setpoint.renewal for setpoint in setpoints] == [True] * sent


@pytest.mark.parametrize(("age_ms", "renewal"), [(LEASE_MS - 1, True), (LEASE_MS, False)])
def test_lease_that_ended_is_not_renewed_but_given_anew(*, age_ms: int, renewal: bool) -> None:
    (setpoint,) = _sent(_leased(SHED, age_ms=age_ms), SHED)
    assert setpoint.renewal is renewal


@pytest.mark.parametrize("states", [DECLARED, SHED])
@pytest.mark.parametrize(("age_ms", "sent"), [(9_999, 0), (10_000, 1)])
def test_unconfirmed_command_is_sent_again_after_the_time_out(
    states: str, age_ms: int, sent: int
) -> None:
    """S1-D9: a state is not assumed changed without an acknowledgement."""
    setpoints = _sent(_leased(states, age_ms=age_ms, acked=False), states)
    assert [setpoint.seq for setpoint in setpoints] == [setpoint_seq(START_MS)] * sent
    assert not any(setpoint.renewal for setpoint in setpoints)


@pytest.mark.parametrize(("age_ms", "sent"), [(20_000, 1), (20_001, 0)])
def test_verdict_that_became_stale_on_its_way_sends_nothing(age_ms: int, sent: int) -> None:
    """S1-13: a stale command changes no relay."""
    now_ms = START_MS + WINDOW_MS + age_ms
    setpoints, _ = lease_targets(SITE, None, _accepted(0, _target(SHED)), now_ms, stopped=False)
    assert len(setpoints) == sent


@pytest.mark.parametrize(("lead", "sent"), [(-1, 0), (0, 0), (1, 1)])
def test_sequence_number_that_does_not_rise_sends_nothing(lead: int, sent: int) -> None:
    """DESIGN decision 7: a reprocessed decision actuates nothing twice."""
    state = _leased(DECLARED)
    seq = state.leases[0].seq + lead
    verdict = replace(_accepted(0, _target(SHED)), seq=seq)
    setpoints, _ = lease_targets(SITE, state, verdict, NOW_MS, stopped=False)
    assert len(setpoints) == sent


def test_same_verdict_again_sends_nothing_and_changes_nothing() -> None:
    """DESIGN decision 7: reprocessing reproduces, it does not add."""
    verdict = _accepted(0, _target(SHED), _target(SHED, "board-2"))
    _, state = lease_targets(SITE, None, verdict, NOW_MS, stopped=False)
    assert lease_targets(SITE, state, verdict, NOW_MS + 15_000, stopped=False) == ((), state)


def test_device_named_twice_hears_only_the_first() -> None:
    verdict = _accepted(0, _target(SHED), _target(DECLARED))
    (setpoint,), _ = lease_targets(SITE, None, verdict, NOW_MS, stopped=False)
    assert setpoint.outputs == _outputs(SHED)


def test_verdict_under_another_model_sends_nothing() -> None:
    """DESIGN decision 9: a site that turned to observing is not commanded by what came before."""
    for changed in (_site(mode="observe"), _site(name="harbour")):
        verdict = _accepted(0, _target(SHED))
        state = ActuateState(site=changed.name)
        result = lease_targets(changed, state, verdict, NOW_MS, stopped=False)
        assert result == ((), state)


def test_stop_holds_back_what_was_accepted_before_it() -> None:
    """DESIGN decision 9: a global stop that works when everything else is broken."""
    state = _leased(SHED)
    verdict = _accepted(0, _target(DECLARED))
    assert lease_targets(SITE, state, verdict, NOW_MS, stopped=True) == ((), state)


def test_only_what_the_gate_let_through_becomes_a_setpoint() -> None:
    """DESIGN decision 9: plan, never command."""
    accepted = _accepted(0, _target(SHED))
    heading: dict[str, Any] = {
        "decision_id": accepted.decision_id,
        "site": accepted.site,
        "window_start_ms": accepted.window_start_ms,
        "seq": accepted.seq,
        "epoch": accepted.epoch,
        "decided_ms": accepted.decided_ms,
    }
    state = _leased(DECLARED)
    for verdict in (Observed(**heading), Rejected(**heading, refusals=(), sentences=())):
        assert lease_targets(SITE, state, verdict, NOW_MS, stopped=False) == ((), state)
    renewed = Renewed(
        **heading, targets=accepted.targets, accepted_decision_id="depot.1.00000000", alert=""
    )
    (setpoint,), _ = lease_targets(SITE, state, renewed, NOW_MS, stopped=False)
    assert setpoint.decision_id == accepted.decision_id
    assert setpoint.seq == accepted.seq


def test_only_devices_with_something_to_hear_are_sent_to() -> None:
    """D-5: each relay board gets its own commands."""
    verdict = _accepted(0, _target(DECLARED), _target(SHED, "board-2"))
    (setpoint,), state = lease_targets(SITE, _leased(DECLARED), verdict, NOW_MS, stopped=False)
    assert (setpoint.device, setpoint.gateway) == ("board-2", "gw-board-2")
    assert state.leases[0] == _leased(DECLARED).leases[0]
    assert [lease.device for lease in state.leases] == ["board-1", "board-2"]


@pytest.mark.parametrize("state", [None, _leased(SHED, age_ms=LEASE_MS, acked=False)])
def test_target_without_outputs_sends_nothing(state: ActuateState | None) -> None:
    assert _sent(state, "") == ()


def test_device_that_the_model_does_not_have_gets_nothing() -> None:
    verdict = _accepted(0, _target(SHED, "board-9"))
    assert lease_targets(SITE, None, verdict, NOW_MS, stopped=False)[0] == ()


def test_confirmed_number_outlives_the_command_that_it_confirmed() -> None:
    state = _leased(DECLARED)
    verdict = _accepted(0, _target(SHED))
    _, after = lease_targets(SITE, state, verdict, NOW_MS, stopped=False)
    assert after.leases[0].acked_seq == state.leases[0].seq


def test_lease_length_comes_from_the_site_model() -> None:
    model = _site(control={"lease_s": 12.5})
    verdict = _accepted(0, _target(SHED), model=model)
    (setpoint,), _ = lease_targets(model, None, verdict, NOW_MS, stopped=False)
    assert setpoint.valid_until_ms - setpoint.issued_ms == 12_500


def test_actuate_that_restarts_goes_on_where_it_was() -> None:
    decoder: Decoder[ActuateState] = Decoder(ActuateState)
    verdict = _accepted(0, _target(SHED), _target(DECLARED, "board-2"))
    _, state = lease_targets(SITE, None, verdict, NOW_MS, stopped=False)
    assert decoder.decode(encode(state)) == state
