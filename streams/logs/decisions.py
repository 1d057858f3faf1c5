"""Decisions in the log: those that switch something, or go wrong, at ``info`` and above.

A line is written when something is decided, before its transaction ends. So a crash between the
two repeats it; what counts is in Kafka (``gridloom explain``).
"""

import logging

from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from streams.logs.lines import about
from streams.tracing import decision_trace_id

_TROUBLES = (PlanStatus.BEST_EFFORT, PlanStatus.BLIND, PlanStatus.FAILED)


def tell_plan(log: logging.Logger, plan: DispatchPlan) -> None:
    """Tell of a plan: what it switches, and what an operator should know."""
    switched = [
        f"{output.device}/{output.output} {'on' if output.on else 'off'} ({output.reason})"
        for output in plan.outputs
        if output.on is not None and output.on != output.was_on
    ]
    level = logging.INFO if switched else logging.DEBUG
    if plan.status in _TROUBLES or plan.alerts:
        level = logging.WARNING
    if log.isEnabledFor(level):
        parts = [f"plan {plan.status}", *switched, *plan.alerts]
        log.log(level, "; ".join(parts), extra=_about_window(plan))


def tell_verdict(log: logging.Logger, verdict: Verdict) -> None:
    """Tell of a verdict, with every reason of a refusal."""
    level, text = _in_words(verdict)
    if log.isEnabledFor(level):
        log.log(level, text, extra=_about_window(verdict))


def tell_setpoint(log: logging.Logger, setpoint: Setpoint) -> None:
    """Tell of a command; a renewal changes nothing and is told at ``debug``."""
    level = logging.DEBUG if setpoint.renewal else logging.INFO
    if log.isEnabledFor(level):
        states = " ".join(f"{one.output}={'on' if one.on else 'off'}" for one in setpoint.outputs)
        kind = "renewal" if setpoint.renewal else "command"
        log.log(level, "%s %s", kind, states, extra=_about_device(setpoint))


def tell_ack(log: logging.Logger, ack: Ack) -> None:
    """Tell of an answer; one that confirms and changes nothing is told at ``debug``."""
    level = logging.INFO if ack.changed else logging.DEBUG
    is_duplicate = ack.reason is RefusalReason.DUPLICATE
    if ack.result is not AckResult.APPLIED and not is_duplicate:
        level = logging.WARNING
    if log.isEnabledFor(level):
        reason = f" ({ack.reason})" if ack.reason else ""
        changed = f"; changed {', '.join(map(str, ack.changed))}" if ack.changed else ""
        log.log(level, "answer %s%s%s", ack.result, reason, changed, extra=_about_device(ack))


def _in_words(verdict: Verdict) -> tuple[int, str]:
    match verdict:
        case Accepted():
            return logging.DEBUG, "accepted"
        case Renewed():
            return logging.WARNING, f"renewed {verdict.accepted_decision_id}: {verdict.alert}"
        case Observed():
            would = f"; would refuse: {', '.join(verdict.would_refuse)}"
            return logging.DEBUG, f"observed{would if verdict.would_refuse else ''}"
        case Rejected():
            return logging.WARNING, f"rejected: {'; '.join(verdict.sentences)}"


def _about_window(decided: DispatchPlan | Verdict) -> dict[str, str | int]:
    return about(
        decision_id=decided.decision_id,
        site=decided.site,
        window_start_ms=decided.window_start_ms,
        seq=decided.seq,
        trace_id=decision_trace_id(decided.decision_id),
    )


def _about_device(sent: Setpoint | Ack) -> dict[str, str | int]:
    return about(
        decision_id=sent.decision_id,
        site=sent.site,
        seq=sent.seq,
        gateway=sent.gateway,
        device=sent.device,
        trace_id=decision_trace_id(sent.decision_id),
    )
