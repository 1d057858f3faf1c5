"""Plans: a decision, or that there is none, as the message that leaves dispatch."""

from collections import defaultdict
from typing import TypedDict

from processors.dispatching.alerts import output_alerts, plan_alerts
from processors.dispatching.memory import OutputView
from processors.dispatching.outcome import Outcome
from processors.dispatching.reasons import decide_outputs
from schemas.dispatch_plan import DeviceTarget, DispatchPlan, OutputState, PlanStatus
from schemas.identity import DEFAULT_EPOCH, decision_id, setpoint_seq
from schemas.site_model import SiteModel
from schemas.site_window import Completeness, SiteWindow


class _Heading(TypedDict):
    """What every plan says of its window and its site."""

    decision_id: str
    site: str
    window_start_ms: int
    model_hash: str
    seq: int
    epoch: int
    completeness: Completeness
    load_kw: float
    threshold_kw: float
    capacity_kw: float
    price_per_kwh: float | None
    currency: str | None
    lookahead_s: float


def make_plan(
    window: SiteWindow, views: tuple[OutputView, ...], outcome: Outcome, *, proven: bool
) -> DispatchPlan:
    """The plan of a decision; best effort where the threshold cannot be held."""
    over = outcome.violation_kw > 0
    return DispatchPlan(
        **_heading(outcome.model, window),
        status=PlanStatus.BEST_EFFORT if over else PlanStatus.OPTIMAL,
        uncontrolled_kw=outcome.uncontrolled_kw,
        expected_kw=outcome.expected_kw,
        violation_kw=outcome.violation_kw,
        outputs=decide_outputs(views, outcome),
        targets=_targets(views, outcome),
        alerts=tuple(plan_alerts(views, outcome, proven=proven)),
    )


def plan_nothing(
    model: SiteModel,
    window: SiteWindow,
    views: tuple[OutputView, ...],
    status: PlanStatus,
    alert: str,
) -> DispatchPlan:
    """A plan that decides nothing, and says why; no output has a reason to be as it is."""
    return DispatchPlan(
        **_heading(model, window),
        status=status,
        uncontrolled_kw=None,
        expected_kw=None,
        violation_kw=0.0,
        outputs=(),
        targets=(),
        alerts=(alert, *output_alerts(views)),
    )


def _heading(model: SiteModel, window: SiteWindow) -> _Heading:
    """Identity, limits, price and horizon of the plan for a window."""
    tariff = model.tariff
    return _Heading(
        decision_id=decision_id(model.name, window.window_start_ms, model.model_hash),
        site=model.name,
        window_start_ms=window.window_start_ms,
        model_hash=model.model_hash,
        seq=setpoint_seq(window.window_start_ms),
        epoch=DEFAULT_EPOCH,
        completeness=window.completeness,
        load_kw=round(window.net_kw, 6),
        threshold_kw=model.threshold_kw,
        capacity_kw=model.capacity_kw,
        price_per_kwh=None if tariff is None else tariff.import_price_per_kwh,
        currency=None if tariff is None else tariff.currency,
        lookahead_s=model.control.lookahead_s,
    )


def _targets(views: tuple[OutputView, ...], outcome: Outcome) -> tuple[DeviceTarget, ...]:
    """One target per board with a commanded output: all of those, in the site model's order."""
    states: dict[str, list[OutputState]] = defaultdict(list)
    for view, on in zip(views, outcome.on, strict=True):
        if view.free:
            states[view.board.id].append(OutputState(output=view.relay.output, on=bool(on)))
    boards = outcome.model.boards
    return tuple(
        DeviceTarget(device=device, gateway=boards[device].gateway, outputs=tuple(outputs))
        for device, outputs in states.items()
    )
