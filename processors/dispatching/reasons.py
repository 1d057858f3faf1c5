"""Why each output is as planned: a code, and a sentence with the figures behind it."""

from typing import Final

from processors.dispatching.memory import OutputView
from processors.dispatching.outcome import Outcome, above, in_kw
from schemas.dispatch_plan import OutputDecision, ReasonCode
from schemas.site_model import SiteModel
from schemas.site_window import Completeness

_Reason = tuple[ReasonCode, str]

_STATES: Final = {True: "on", False: "off", None: "unknown"}


def decide_outputs(views: tuple[OutputView, ...], outcome: Outcome) -> tuple[OutputDecision, ...]:
    """Every output with its planned state and its reason, in the site model's order."""
    return tuple(_decide(view, index, outcome) for index, view in enumerate(views))


def _decide(view: OutputView, index: int, outcome: Outcome) -> OutputDecision:
    """One output; what dispatch does not command stays as it is."""
    on = bool(outcome.on[index]) if view.free else view.was_on
    reason, sentence = _reason(view, index, outcome)
    return OutputDecision(
        device=view.board.id,
        output=view.relay.output,
        was_on=view.was_on,
        on=on,
        reason=reason,
        sentence=f"{_STATES[on]}: {sentence}",
    )


def _reason(view: OutputView, index: int, outcome: Outcome) -> _Reason:
    """The reason, whatever the state."""
    if view.was_on is None:
        return ReasonCode.UNKNOWN_STATE, f"not commanded; it counts {in_kw(view.on_kw)}"
    if not view.relay.sheddable:
        return ReasonCode.NEVER_SHED, f"never shed; it counts {in_kw(view.on_kw)}"
    if outcome.on[index]:
        return _why_on(view, index, outcome)
    return _why_off(view, index, outcome)


def _why_on(view: OutputView, index: int, outcome: Outcome) -> _Reason:
    """Why an output is on."""
    limit = f"the threshold {in_kw(outcome.model.threshold_kw)}"
    peak = f"forecast peak {in_kw(outcome.expected_kw)}"
    if not view.was_on:
        return ReasonCode.RESTORED, f"back with {_needs(index, outcome)}; {peak} of {limit}"
    if view.held and (outcome.sheds or outcome.violation_kw):
        return ReasonCode.HELD_BY_DWELL, f"{_dwell(view, outcome.model)}; {peak} of {limit}"
    if outcome.violation_kw:
        saved = f"it draws {in_kw(view.on_kw)}, and shedding it would not help"
        return ReasonCode.BELOW_THRESHOLD, f"{saved}; {peak} exceeds {limit}"
    return ReasonCode.BELOW_THRESHOLD, f"{peak} is within {limit}"


def _why_off(view: OutputView, index: int, outcome: Outcome) -> _Reason:
    """Why an output is off: the first of the things that would have to change."""
    case = outcome.case
    if view.was_on or above(outcome.expected_kw + case.on_kw[index], outcome.model.threshold_kw):
        return _shed(view, outcome)
    if view.held:
        return ReasonCode.HELD_BY_DWELL, _dwell(view, outcome.model)
    if outcome.completeness is not Completeness.COMPLETE:
        degraded = f"the window is {outcome.completeness}, and nothing returns on doubtful data"
        return ReasonCode.HELD_DEGRADED, degraded
    if above(case.power_kw[index], outcome.room_kw):
        lacking = f"it needs {_needs(index, outcome)}; there are {in_kw(outcome.room_kw)}"
        return ReasonCode.HELD_BY_HYSTERESIS, lacking
    limit = outcome.model.control.restores_per_window
    return ReasonCode.HELD_BY_RESTORE_LIMIT, f"at most {limit} may return in one window"


def _shed(view: OutputView, outcome: Outcome) -> _Reason:
    """An output for which there is no room; critical above the least important class."""
    relay, limit_kw = view.relay, outcome.model.threshold_kw
    low = relay.priority == _least_important(outcome.model)
    code = ReasonCode.SHED_LOW_PRIORITY if low else ReasonCode.CRITICAL_SPIKE_SHED
    cause = (
        f"forecast peak {in_kw(outcome.uncontrolled_kw)} exceeds the threshold {in_kw(limit_kw)}"
        if above(outcome.uncontrolled_kw, limit_kw)
        else "a more important load returns and needs its room"
    )
    return code, f"{cause}; load {relay.load_kw:g} kW of priority {relay.priority}"


def _least_important(model: SiteModel) -> int:
    """The class that is shed first; a site asked for it has a load that may be shed."""
    relays = (relay for board in model.relay_boards for relay in board.relays)
    return max(relay.priority for relay in relays if relay.sheddable)


def _needs(index: int, outcome: Outcome) -> str:
    """Room that an output needs to come back, in words."""
    load_kw, margin_kw = outcome.case.on_kw[index], outcome.case.margin_kw[index]
    return f"room for {in_kw(load_kw)} and {in_kw(margin_kw)} of margin"


def _dwell(view: OutputView, model: SiteModel) -> str:
    """How long ago an output switched, in words."""
    ago_s = (view.switched_ago_ms or 0) / 1000
    return f"it switched {ago_s:g} s ago, and holds for {model.control.dwell_s:g} s"
