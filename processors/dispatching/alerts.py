"""What an operator should know of a decision, in words."""

from collections.abc import Iterator

from processors.dispatching.memory import OutputView
from processors.dispatching.outcome import Outcome, in_kw
from schemas.site_window import SiteWindow


def plan_alerts(views: tuple[OutputView, ...], outcome: Outcome, *, proven: bool) -> Iterator[str]:
    """Alerts of a plan: the limits that it cannot hold first, then its outputs."""
    model = outcome.model
    if outcome.over_capacity_kw:
        yield _exceeded("capacity", model.capacity_kw, outcome.over_capacity_kw, outcome)
    if outcome.violation_kw:
        yield _exceeded("threshold", model.threshold_kw, outcome.violation_kw, outcome)
    shed = [view for view, on in zip(views, outcome.on, strict=True) if view.was_on and not on]
    if broken := [view for view in shed if view.held and view.free]:
        yield f"shed within their dwell time to keep the capacity: {_names(broken)}"
    if not proven:
        yield "the search was cut short: a plan with fewer loads shed may exist"
    yield from output_alerts(views)


def output_alerts(views: tuple[OutputView, ...]) -> Iterator[str]:
    """Alerts about what the boards show."""
    if unknown := [view for view in views if view.was_on is None]:
        yield f"state unknown, not commanded: {_names(unknown)}"
    if astray := [view for view in views if view.astray]:
        yield f"not in the planned state: {_names(astray)}"
    if off := [view for view in views if not view.relay.sheddable and view.was_on is False]:
        yield f"off though never to be shed: {_names(off)}"


def blind_alert(window: SiteWindow) -> str:
    """Alert of a window too incomplete to decide anything."""
    return (
        f"the window is blind: {in_kw(window.missing_rated_kw)} of rated power are missing"
        f" ({_some(window.missing_series)}); nothing is planned"
    )


def failure_alert(window: SiteWindow) -> str:
    """Alert of a solver without an answer."""
    return f"the solver has no plan for a net load of {window.net_kw:g} kW; nothing is planned"


def _exceeded(what: str, limit_kw: float, excess_kw: float, outcome: Outcome) -> str:
    """A limit that the plan exceeds, and by how much."""
    return (
        f"the {what} of {in_kw(limit_kw)} cannot be held: forecast peak"
        f" {in_kw(outcome.expected_kw)} exceeds it by {in_kw(excess_kw)} with all shed that may be"
    )


def _names(views: list[OutputView]) -> str:
    """Outputs in words."""
    return ", ".join(view.name for view in views)


def _some(series: tuple[str, ...]) -> str:
    """The first few names of missing series."""
    shown = 5
    return ", ".join(series[:shown]) + (", ..." if len(series) > shown else "")
