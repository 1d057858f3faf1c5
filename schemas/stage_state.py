"""What dispatch, gate and actuate remember per site in their compacted state topics.

Each is written in the transaction that carries the stage's output, so that a restart goes on
exactly where the last committed step ended.
"""

import msgspec

from schemas.dispatch_plan import DeviceTarget, OutputState
from schemas.messages import Message


class OutputMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What dispatch knows of one relay output.

    Attributes:
        on: last observed state, or None while it was never known.
        since_ms: when that state was first observed [ms], or None.
        planned_on: state that the last plan gave it, or None.
        planned_ms: when the plan last changed it [ms], or None.
    """

    device: str
    output: int
    on: bool | None = None
    since_ms: int | None = None
    planned_on: bool | None = None
    planned_ms: int | None = None


class DispatchState(Message, frozen=True, kw_only=True):
    """Dispatch's memory of a site.

    Attributes:
        last_window_ms: newest window decided about [ms]; older ones are ignored.
        base_kw: base load (net, without the relays) of the newest windows, oldest first [kW].
        outputs: every relay output.
    """

    site: str
    last_window_ms: int
    base_kw: tuple[float, ...] = ()
    outputs: tuple[OutputMemory, ...] = ()


class GateState(Message, frozen=True, kw_only=True):
    """Gate's memory of a site.

    Attributes:
        last_seq: greatest sequence number let through, or -1.
        accepted_decision_id: decision whose targets are in force, or empty.
        targets: those targets.
        blind_since_ms: start of the first blind window in a row [ms], or None.
    """

    site: str
    last_seq: int = -1
    accepted_decision_id: str = ""
    targets: tuple[DeviceTarget, ...] = ()
    blind_since_ms: int | None = None


class DeviceLease(msgspec.Struct, frozen=True, kw_only=True):
    """What was last commanded to a device, and what it answered.

    Attributes:
        outputs: states commanded.
        seq: sequence number of that command.
        issued_ms, valid_until_ms: span of the lease [ms of pipeline time].
        acked_seq: greatest sequence number that the device confirmed, or -1.
    """

    device: str
    outputs: tuple[OutputState, ...]
    seq: int
    issued_ms: int
    valid_until_ms: int
    acked_seq: int = -1


class ActuateState(Message, frozen=True, kw_only=True):
    """Actuate's memory of a site: one lease per commanded device."""

    site: str
    leases: tuple[DeviceLease, ...] = ()
