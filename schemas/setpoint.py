"""Setpoints, the wire form of a command, and acknowledgements by readback.

A setpoint is a *lease on a departure*: it lasts until ``valid_until_ms``; then the device
returns to the state that the site model declares. In Kafka the end is absolute pipeline time;
on the wire to a board it is relative, because boards' clocks lie.
"""

from enum import StrEnum

import msgspec

from schemas.dispatch_plan import OutputState, PowerSetpoint
from schemas.messages import Message


class Setpoint(Message, frozen=True, kw_only=True):
    """What one device shall do until the lease ends; topic ``actuator.setpoints.<gateway>``.

    Attributes:
        decision_id: decision that it carries out.
        seq: rises with every command to the device; an equal or lower one is refused.
        epoch: fencing epoch; a lower one than seen is refused.
        issued_ms: when it was issued [ms of pipeline time].
        valid_until_ms: when the lease ends [ms of pipeline time].
        renewal: True where no output changes and only the lease is prolonged.
    """

    decision_id: str
    site: str
    gateway: str
    device: str
    seq: int
    epoch: int
    issued_ms: int
    valid_until_ms: int
    outputs: tuple[OutputState, ...] = ()
    powers: tuple[PowerSetpoint, ...] = ()
    renewal: bool = False


class BoardCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A setpoint as a relay board gets it.

    Attributes:
        device: the board that it is for.
        ttl_ms: how long it holds from its arrival [ms of the board's own clock].
        tick_ms: the board's clock as last reported by itself; bounds the time in transit.
    """

    device: str
    seq: int
    epoch: int
    ttl_ms: int
    tick_ms: int
    outputs: tuple[OutputState, ...]


class AckResult(StrEnum):
    """What a device did with a setpoint."""

    APPLIED = "applied"
    """Every output reads back as it should be."""
    PARTIAL = "partial"
    """Some outputs do not read back as they should be."""
    REFUSED = "refused"
    """Nothing was changed."""


class RefusalReason(StrEnum):
    """Why a device, or the gateway before it, refuses a setpoint."""

    EXPIRED = "expired"
    """Its lease has already ended."""
    STALE = "stale"
    """It was under way for too long: the echoed tick is too old."""
    DUPLICATE = "duplicate"
    """Its sequence number is the last one applied."""
    REORDERED = "reordered"
    """Its sequence number is lower than the last one applied."""
    FENCED = "fenced"
    """Its epoch is lower than one seen before."""
    FOREIGN = "foreign"
    """It is for another device."""
    MALFORMED = "malformed"
    """It cannot be understood."""
    UNKNOWN_OUTPUT = "unknown-output"
    """It names an output that the device does not have."""


class Ack(Message, frozen=True, kw_only=True):
    """What a device did with a setpoint, by readback of its outputs; topic ``actuator.acks``.

    Attributes:
        outputs: state of every output as read back.
        changed: outputs whose state this setpoint changed.
        acked_ms: when [ms of pipeline time].
    """

    event_id: str
    decision_id: str
    site: str
    gateway: str
    device: str
    seq: int
    epoch: int
    result: AckResult
    reason: RefusalReason | None = None
    outputs: tuple[OutputState, ...] = ()
    changed: tuple[int, ...] = ()
    acked_ms: int
