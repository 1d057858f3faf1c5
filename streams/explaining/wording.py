"""Messages in words for the terminal, a line or more each."""

from collections.abc import Iterable, Iterator
from typing import Final, assert_never

from rich.text import Text

from schemas.dispatch_plan import DispatchPlan, OutputDecision, OutputState, PlanStatus
from schemas.setpoint import Ack, AckResult, Setpoint
from schemas.site_window import Completeness, SiteWindow
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from schemas.windows import iso_utc

STATES: Final = {True: "on", False: "off", None: "unknown"}

_RESULT_STYLES: Final = {
    AckResult.APPLIED: "green",
    AckResult.PARTIAL: "yellow",
    AckResult.REFUSED: "red",
}


def tell_window(window: SiteWindow) -> Iterator[Text]:
    """A revision of a window: power, completeness, what is missing."""
    text = Text(f"revision {window.revision}: net {window.net_kw:.3f} kW")
    text.append(f" (load {window.load_kw:.3f}, generation {window.generation_kw:.3f}); ")
    complete = window.completeness is Completeness.COMPLETE
    text.append(window.completeness, "green" if complete else "yellow")
    yield text.append(
        f": {window.measured} measured, {window.valid} valid, {window.missing} missing"
    )
    if window.missing_series:
        rated = f"missing {window.missing_rated_kw:g} kW of rated power: "
        yield Text(rated + ", ".join(window.missing_series), "yellow")


def tell_plan(plan: DispatchPlan) -> Iterator[Text]:
    """A plan: status, forecast, alerts, and every output with its reason."""
    text = Text(plan.status, "green" if plan.status is PlanStatus.OPTIMAL else "yellow")
    if plan.uncontrolled_kw is not None and plan.expected_kw is not None:
        text.append(f": forecast peak {plan.uncontrolled_kw:.3f} kW with every output on")
        text.append(f", {plan.expected_kw:.3f} kW as planned")
    text.append(f"; threshold {plan.threshold_kw:g}, capacity {plan.capacity_kw:g} kW")
    yield text
    for alert in plan.alerts:
        yield Text(f"alert: {alert}", "yellow")
    for output in plan.outputs:
        yield tell_output(output)


def tell_output(output: OutputDecision) -> Text:
    """One output of a plan: bold where it is switched."""
    switched = output.on is not None and output.on != output.was_on
    text = Text(f"{output.device}/{output.output} ", "bold" if switched else "")
    if switched:
        text.append(f"{STATES[output.was_on]} → ")
    return text.append(f"{output.sentence} ", "not bold").append(f"[{output.reason}]", "dim")


def tell_verdict(verdict: Verdict) -> Iterator[Text]:
    """What the gate says."""
    match verdict:
        case Accepted():
            devices = ", ".join(target.device for target in verdict.targets) or "nothing to command"
            yield Text("accepted", "green").append(f": {devices}", "not green")
        case Renewed():
            yield Text("renewed", "yellow").append(f": {verdict.alert}")
        case Observed():
            yield Text("observed: the site is in mode observe, nothing is commanded", "yellow")
            if verdict.would_refuse:
                yield Text(f"it would be refused: {', '.join(verdict.would_refuse)}")
        case Rejected():
            yield Text("rejected", "red").append(f": {', '.join(verdict.refusals)}")
            yield from (Text(sentence) for sentence in verdict.sentences)
        case _:
            assert_never(verdict)


def tell_setpoint(setpoint: Setpoint) -> Text:
    """A command: outputs, number, lease."""
    lease_s = (setpoint.valid_until_ms - setpoint.issued_ms) / 1000
    what = "lease renewed: " if setpoint.renewal else ""
    return Text(
        f"{setpoint.device} via {setpoint.gateway}: {what}{tell_outputs(setpoint.outputs)};"
        f" seq {setpoint.seq}, lease {lease_s:g} s until {iso_utc(setpoint.valid_until_ms)}"
    )


def tell_ack(ack: Ack) -> Text:
    """What a device did, by readback."""
    reason = f" ({ack.reason})" if ack.reason else ""
    text = Text(f"{ack.device}: ").append(f"{ack.result}{reason}", _RESULT_STYLES[ack.result])
    changed = ", ".join(map(str, ack.changed)) or "nothing"
    return text.append(f"; reads {tell_outputs(ack.outputs) or 'nothing'}; changed {changed}")


def tell_outputs(outputs: Iterable[OutputState]) -> str:
    """States by output number."""
    return ", ".join(f"{state.output} {STATES[state.on]}" for state in outputs)
