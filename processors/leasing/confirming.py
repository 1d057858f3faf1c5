"""What devices confirmed: only an acknowledgement makes a command a fact."""

from typing import assert_never

from msgspec.structs import replace

from schemas.setpoint import Ack, AckResult, RefusalReason
from schemas.stage_state import ActuateState, DeviceLease


def record_ack(state: ActuateState, ack: Ack) -> ActuateState:
    """The state after ``ack``; the same object where it confirms nothing new.

    An acknowledgement of another site, of a device that was never commanded, or of a sequence
    number beyond the last one sent is not about anything that we did, and changes nothing.
    """
    if ack.site != state.site or not _is_done(ack):
        return state
    leases = tuple(_confirm(lease, ack) for lease in state.leases)
    return state if leases == state.leases else replace(state, leases=leases)


def _is_done(ack: Ack) -> bool:
    """Whether the device did all of what it was told.

    A duplicate is refused because it was applied before: the first acknowledgement was lost.
    A partial one is not done, so the command is sent again.
    """
    match ack.result:
        case AckResult.APPLIED:
            return True
        case AckResult.REFUSED:
            return ack.reason is RefusalReason.DUPLICATE
        case AckResult.PARTIAL:
            return False
        case _:
            assert_never(ack.result)


def _confirm(lease: DeviceLease, ack: Ack) -> DeviceLease:
    """The lease, confirmed up to the acknowledged number if that is its own or an earlier one."""
    fits = ack.device == lease.device and lease.acked_seq < ack.seq <= lease.seq
    if not fits or (ack.seq == lease.seq and _contradicts(ack, lease)):
        return lease
    return replace(lease, acked_seq=ack.seq)


def _contradicts(ack: Ack, lease: DeviceLease) -> bool:
    """Whether the states read back differ from those commanded, whatever the ack claims."""
    commanded = {state.output: state.on for state in lease.outputs}
    return any(commanded.get(state.output, state.on) != state.on for state in ack.outputs)
