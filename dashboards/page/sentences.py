"""What was decided and done, in sentences."""

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from schemas.dispatch_plan import DispatchPlan, OutputDecision, OutputState, PlanStatus
from schemas.setpoint import Ack, Setpoint
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict

Event = DispatchPlan | Verdict | Setpoint | Ack
"""One step of a decision."""

STATES: Final = {True: "on", False: "off", None: "unknown"}


def is_switch(output: OutputDecision) -> bool:
    """Whether a plan wants another state than it found; an unknown state switches nothing."""
    return output.was_on is not None and output.on is not None and output.on is not output.was_on


def tell(event: Event) -> str:
    """An event in one or more sentences."""
    match event:
        case DispatchPlan():
            return " ".join(_plan(event))
        case Accepted() | Renewed() | Observed() | Rejected():
            return _verdict(event)
        case Setpoint():
            return _setpoint(event)
        case Ack():
            return _ack(event)
        case _:
            assert_never(event)


def _plan(plan: DispatchPlan) -> Iterator[str]:
    """What it would switch and why, what it keeps off and why, what it foresees."""
    switched = [output for output in plan.outputs if is_switch(output)]
    for output in switched:
        change = f"{STATES[output.was_on]} → {output.sentence}"
        yield f"{output.device}/{output.output} {change}."
    if not switched:
        yield "Nothing to switch." if plan.targets else "Nothing is decided."
    for output in plan.outputs:
        if output.on is False and output not in switched:
            yield f"{output.device}/{output.output} stays {output.sentence}."
    if plan.uncontrolled_kw is not None and plan.expected_kw is not None:
        yield (
            f"Forecast peak {plan.uncontrolled_kw:.1f} kW, {plan.expected_kw:.1f} kW as planned;"
            f" threshold {plan.threshold_kw:g} kW."
        )
    if plan.status is PlanStatus.BEST_EFFORT:
        yield f"The threshold cannot be held: {plan.violation_kw:.1f} kW above it."
    for alert in plan.alerts:
        yield f"Alert: {alert}."


def _verdict(verdict: Verdict) -> str:
    match verdict:
        case Accepted():
            devices = ", ".join(target.device for target in verdict.targets)
            return f"Let through, for {devices}." if devices else "Let through; nothing to do."
        case Renewed():
            return f"The last accepted targets are renewed: {verdict.alert}."
        case Observed():
            refusals = ", ".join(verdict.would_refuse)
            would = f" It would be refused: {refusals}." if refusals else ""
            return f"Mode observe: recorded, nothing is commanded.{would}"
        case Rejected():
            reasons = verdict.sentences or tuple(refusal.value for refusal in verdict.refusals)
            return f"Not let through: {'; '.join(reasons)}."
        case _:
            assert_never(verdict)


def _setpoint(setpoint: Setpoint) -> str:
    lease_s = (setpoint.valid_until_ms - setpoint.issued_ms) / 1000
    states = states_text(setpoint.outputs) or "no output"
    powers = "".join(f", {each.asset} {each.power_kw:g} kW" for each in setpoint.powers)
    return f"{states}{powers}; lease {lease_s:g} s, via {setpoint.gateway}."


def _ack(ack: Ack) -> str:
    states = {state.output: state.on for state in ack.outputs}
    changed = [f"{output} went {STATES[states.get(output)]}" for output in ack.changed]
    reason = f"Reason: {ack.reason.value}. " if ack.reason else ""
    what = ", ".join(changed) or "nothing changed"
    return f"{reason}Read back: {what}; now {states_text(ack.outputs) or 'unknown'}."


def states_text(outputs: Iterable[OutputState]) -> str:
    """States by output number."""
    return ", ".join(f"{state.output} {STATES[state.on]}" for state in outputs)
