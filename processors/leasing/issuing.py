"""Which setpoints a verdict needs: what changes, what runs out, what nobody confirmed."""

from typing import Final, assert_never

from schemas.dispatch_plan import DeviceTarget, OutputState
from schemas.identity import decision_id
from schemas.setpoint import Setpoint
from schemas.site_model import RelayBoard, SiteModel
from schemas.stage_state import ActuateState, DeviceLease
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from schemas.windows import WINDOW_MS

ACK_TIMEOUT_MS: Final = 10_000
"""A command without confirmation is sent again after this long [ms]; two windows (ours)."""


def lease_targets(
    model: SiteModel,
    state: ActuateState | None,
    verdict: Verdict,
    now_ms: int,
    *,
    stopped: bool,
) -> tuple[tuple[Setpoint, ...], ActuateState]:
    """The setpoints that ``verdict`` needs at pipeline time ``now_ms`` [ms], and the new state.

    A device's target is sent when it is the first one (which confirms the loop, and lifts what
    an earlier life may have left behind), when it differs from the last one, when an output
    away from its declared state has less than half of its lease left, or when the last command
    is unconfirmed after :data:`ACK_TIMEOUT_MS`. It carries the verdict's own id and number,
    also where it renews an older decision. A sequence number that does not rise sends nothing.

    Args:
        model: newest model of the site.
        state: what was leased so far, or None at first.
        verdict: the gate's answer.
        now_ms: pipeline time [ms since the epoch].
        stopped: whether the global stop is on; the verdict may be older than it.
    """
    memory = ActuateState(site=model.name) if state is None else state
    if stopped or not _stands(model, verdict, now_ms):
        return (), memory
    leases = {lease.device: lease for lease in memory.leases}
    setpoints = []
    for target in _targets(verdict):
        board, lease = model.boards.get(target.device), leases.get(target.device)
        if board is not None and _is_due(board, lease, target, verdict.seq, now_ms):
            setpoint = _setpoint(model, lease, target, verdict, now_ms)
            setpoints.append(setpoint)
            leases[target.device] = _remember(setpoint, lease)
    ordered = tuple(leases[device] for device in sorted(leases))
    return tuple(setpoints), ActuateState(site=memory.site, leases=ordered)


def _stands(model: SiteModel, verdict: Verdict, now_ms: int) -> bool:
    """Whether the verdict is fresh, and was given under the model that holds now.

    What the gate checked, it checked against one model; limits, mode and boards of another may
    differ. The next window brings a verdict under the new one.
    """
    age_ms = now_ms - verdict.window_start_ms - WINDOW_MS
    identity = decision_id(model.name, verdict.window_start_ms, model.model_hash)
    fresh = age_ms <= round(1000 * model.control.max_plan_age_s)
    return fresh and verdict.decision_id == identity


def _targets(verdict: Verdict) -> tuple[DeviceTarget, ...]:
    """What the gate let through."""
    match verdict:
        case Accepted() | Renewed():
            return verdict.targets
        case Observed() | Rejected():
            return ()
        case _:
            assert_never(verdict)


def _is_due(
    board: RelayBoard, lease: DeviceLease | None, target: DeviceTarget, seq: int, now_ms: int
) -> bool:
    """Whether the device must hear of its target now."""
    if lease is None:
        return bool(target.outputs)
    if not target.outputs or seq <= lease.seq:
        return False
    left_ms, span_ms = lease.valid_until_ms - now_ms, lease.valid_until_ms - lease.issued_ms
    return (
        _states(target.outputs) != _states(lease.outputs)
        or (2 * left_ms < span_ms and _departs(board, target))
        or (not _is_confirmed(lease) and now_ms - lease.issued_ms >= ACK_TIMEOUT_MS)
    )


def _departs(board: RelayBoard, target: DeviceTarget) -> bool:
    """Whether an output would not be as wanted once the lease ends.

    An output declared ``hold`` has no state of its own to return to: only the command vouches
    for it, so a board that restarted gets it again.
    """
    declared = {relay.output: relay.on_lease_end for relay in board.relays}
    return any(
        declared.get(state.output) != ("on" if state.on else "off") for state in target.outputs
    )


def _setpoint(
    model: SiteModel,
    lease: DeviceLease | None,
    target: DeviceTarget,
    verdict: Verdict,
    now_ms: int,
) -> Setpoint:
    """The target as a lease from now; a renewal if the device is known to be there already."""
    renewal = (
        lease is not None
        and _states(lease.outputs) == _states(target.outputs)
        and _is_confirmed(lease)
        and now_ms < lease.valid_until_ms
    )
    return Setpoint(
        decision_id=verdict.decision_id,
        site=model.name,
        gateway=target.gateway,
        device=target.device,
        seq=verdict.seq,
        epoch=verdict.epoch,
        issued_ms=now_ms,
        valid_until_ms=now_ms + round(1000 * model.control.lease_s),
        outputs=target.outputs,
        renewal=renewal,
    )


def _remember(setpoint: Setpoint, before: DeviceLease | None) -> DeviceLease:
    """The lease that a setpoint starts; what was confirmed before it stays known."""
    return DeviceLease(
        device=setpoint.device,
        outputs=setpoint.outputs,
        seq=setpoint.seq,
        issued_ms=setpoint.issued_ms,
        valid_until_ms=setpoint.valid_until_ms,
        acked_seq=-1 if before is None else before.acked_seq,
    )


def _is_confirmed(lease: DeviceLease) -> bool:
    """Whether the device confirmed the last command."""
    return lease.acked_seq >= lease.seq


def _states(outputs: tuple[OutputState, ...]) -> dict[int, bool]:
    """Outputs without their order."""
    return {state.output: state.on for state in outputs}
