"""From messages to points, and from an event back to its message; pure functions."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, assert_never

import msgspec

from schemas.dispatch_plan import DispatchPlan, OutputDecision
from schemas.errors import MessageError
from schemas.identity import SEQ_PER_WINDOW
from schemas.messages import Decoder, encode
from schemas.setpoint import Ack, Setpoint
from schemas.site_window import MeterWindows, SiteWindow
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from schemas.windows import WINDOW_MS
from streams.historians.checks import problems_of
from streams.historians.points import EventKind, EventPoint, MeterPoints, Point, SitePoint

EventMessage = DispatchPlan | Verdict | Setpoint | Ack
"""Messages that become events."""

StoredMessage = SiteWindow | MeterWindows | EventMessage
"""Messages that a historian keeps."""

_DECODERS: Final[dict[EventKind, Decoder[EventMessage]]] = {
    EventKind.PLAN: Decoder(DispatchPlan),
    EventKind.VERDICT: Decoder(Verdict),
    EventKind.SETPOINT: Decoder(Setpoint),
    EventKind.ACK: Decoder(Ack),
}


def to_point(message: StoredMessage) -> Point:
    """The point, or the column of points, that ``message`` becomes.

    Raises:
        MessageError: it makes no sense; ``problems`` says why.
    """
    point = _converted(message)
    if problems := problems_of(point):
        name = type(message).__name__
        raise MessageError(f"a {name} of site {point.site} cannot be stored", problems=problems)
    return point


def event_message(event: EventPoint) -> EventMessage:
    """The message that ``event`` was made from.

    Raises:
        MessageError: its body is not a message that this version reads.
    """
    return _DECODERS[event.kind].decode(event.body.encode())


def _converted(message: StoredMessage) -> Point:
    """The point of ``message``, unchecked."""
    match message:
        case SiteWindow():
            return _site_point(message)
        case MeterWindows():
            return _meter_points(message)
        case DispatchPlan():
            return _plan_event(message)
        case Accepted() | Renewed() | Observed() | Rejected():
            return _verdict_event(message)
        case Setpoint():
            return _setpoint_event(message)
        case Ack():
            return _ack_event(message)
        case _:
            assert_never(message)


def _site_point(window: SiteWindow) -> SitePoint:
    """A window's aggregate; its time is the window's start."""
    fields = {name: getattr(window, name) for name in SitePoint.__struct_fields__}
    return SitePoint(**fields)


def _meter_points(chunk: MeterWindows) -> MeterPoints:
    """A chunk's points, column-wise as it comes."""
    return MeterPoints(
        site=chunk.site,
        window_start_ms=chunk.window_start_ms,
        revision=chunk.revision,
        series=chunk.series,
        values=chunk.values,
        status=chunk.status,
    )


def _plan_event(plan: DispatchPlan) -> EventPoint:
    """What dispatch would like; ``reasons`` are those of all its outputs."""
    return EventPoint(
        site=plan.site,
        kind=EventKind.PLAN,
        key=plan.decision_id,
        window_start_ms=plan.window_start_ms,
        at_ms=None,
        decision_id=plan.decision_id,
        device=None,
        seq=plan.seq,
        outcome=plan.status.value,
        reasons=_codes(output.reason for output in plan.outputs),
        switched_on=_switched(plan.outputs, on=True),
        switched_off=_switched(plan.outputs, on=False),
        load_kw=plan.load_kw,
        uncontrolled_kw=plan.uncontrolled_kw,
        expected_kw=plan.expected_kw,
        threshold_kw=plan.threshold_kw,
        violation_kw=plan.violation_kw,
        body=_body(plan),
        price_per_kwh=plan.price_per_kwh,
        currency=plan.currency,
    )


def _verdict_event(verdict: Verdict) -> EventPoint:
    """What the gate says to a plan."""
    return EventPoint(
        site=verdict.site,
        kind=EventKind.VERDICT,
        key=verdict.decision_id,
        window_start_ms=verdict.window_start_ms,
        at_ms=verdict.decided_ms,
        decision_id=verdict.decision_id,
        device=None,
        seq=verdict.seq,
        outcome=_outcome(verdict),
        reasons=_refusals(verdict),
        body=_body(verdict),
    )


def _outcome(verdict: Verdict) -> str:
    """The verdict's tag on the wire."""
    return str(verdict.__struct_config__.tag)


def _refusals(verdict: Verdict) -> tuple[str, ...]:
    """Why the plan is, or in mode ``observe`` would be, refused."""
    match verdict:
        case Rejected():
            return _codes(verdict.refusals)
        case Observed():
            return _codes(verdict.would_refuse)
        case Accepted() | Renewed():
            return ()
        case _:
            assert_never(verdict)


def _setpoint_event(setpoint: Setpoint) -> EventPoint:
    """What a device is told."""
    return EventPoint(
        site=setpoint.site,
        kind=EventKind.SETPOINT,
        key=f"{setpoint.gateway}/{setpoint.device}/{setpoint.epoch}/{setpoint.seq}",
        window_start_ms=_window_of(setpoint.seq),
        at_ms=setpoint.issued_ms,
        decision_id=setpoint.decision_id,
        device=setpoint.device,
        seq=setpoint.seq,
        outcome="renewal" if setpoint.renewal else "command",
        reasons=(),
        body=_body(setpoint),
    )


def _ack_event(ack: Ack) -> EventPoint:
    """What a device did; what it switched is by readback."""
    now_on = {state.output: state.on for state in ack.outputs}
    changed = [now_on.get(output) for output in ack.changed]
    return EventPoint(
        site=ack.site,
        kind=EventKind.ACK,
        key=ack.event_id,
        window_start_ms=_window_of(ack.seq),
        at_ms=ack.acked_ms,
        decision_id=ack.decision_id,
        device=ack.device,
        seq=ack.seq,
        outcome=ack.result.value,
        reasons=_codes(() if ack.reason is None else (ack.reason,)),
        switched_on=changed.count(True),
        switched_off=changed.count(False),
        body=_body(ack),
    )


def _switched(outputs: Iterable[OutputDecision], *, on: bool) -> int:
    """How many outputs a plan switches on, or off; an unknown state switches nothing."""
    return sum(output.on is on and output.was_on is (not on) for output in outputs)


def _window_of(seq: int) -> int:
    """Start [ms] of the window whose decision numbered its setpoints ``seq``."""
    return seq // SEQ_PER_WINDOW * WINDOW_MS


def _codes(codes: Iterable[StrEnum]) -> tuple[str, ...]:
    """Codes as text, each once, sorted."""
    return tuple(sorted({code.value for code in codes}))


def _body(message: msgspec.Struct) -> str:
    """The message as JSON text."""
    return encode(message).decode()
