"""The dispatcher: one aligned window in, one plan out."""

from processors.dispatching.alerts import blind_alert, failure_alert
from processors.dispatching.case import Flags, pose_case
from processors.dispatching.lookahead import (
    HISTORY,
    estimate_base,
    forecast_base,
    horizon_steps,
)
from processors.dispatching.memory import OutputView, remember, view_outputs
from processors.dispatching.outcome import Outcome
from processors.dispatching.planning import make_plan, plan_nothing
from processors.dispatching.solving import Solver
from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.site_model import SiteModel
from schemas.site_window import Completeness, SiteWindow
from schemas.stage_state import DispatchState, OutputMemory
from schemas.windows import WINDOW_MS

_BEFORE_ALL: int = -1
"""Newest window [ms] of a site about which nothing was decided yet."""


class Dispatcher:
    """Decides what the relay outputs of one site do; compiles its problem once.

    Args:
        model: the site.
    """

    def __init__(self, model: SiteModel) -> None:
        self._model = model
        self._steps = horizon_steps(model.control.lookahead_s)
        relays = tuple(relay for board in model.relay_boards for relay in board.relays)
        self._solver = Solver(model, relays, self._steps)

    def decide(
        self, state: DispatchState | None, window: SiteWindow
    ) -> tuple[DispatchPlan | None, DispatchState]:
        """The plan for ``window``, and what to remember for the next one.

        A function of the model, the state and the window: the clock is the window's end. A
        window that is not newer than the last one, or not its first revision, is not decided
        about: the plan is None, and the state unchanged.

        Args:
            state: what the last decision left, or None at first.
            window: the site's aligned window.
        """
        model = self._model
        before = state or DispatchState(site=model.name, last_window_ms=_BEFORE_ALL)
        if window.revision != 0 or window.window_start_ms <= before.last_window_ms:
            return None, before
        now_ms = window.window_start_ms + WINDOW_MS
        views = view_outputs(model, before, window, now_ms)
        if window.completeness is Completeness.BLIND:
            plan = plan_nothing(model, window, views, PlanStatus.BLIND, blind_alert(window))
            return plan, _undecided(before, window, views)
        estimate_kw = estimate_base(window.net_kw, views, before.base_kw)
        base_kw = (*before.base_kw, estimate_kw)[-HISTORY:]
        forecast = forecast_base(base_kw, self._steps)
        case = pose_case(model.control, window.completeness, views, forecast)
        answer = self._solver.solve(case)
        if answer is None:
            plan = plan_nothing(model, window, views, PlanStatus.FAILED, failure_alert(window))
            return plan, _undecided(before, window, views)
        outcome = Outcome.of(model, window.completeness, case, answer.on)
        return make_plan(window, views, outcome, proven=answer.proven), DispatchState(
            site=model.name,
            last_window_ms=window.window_start_ms,
            base_kw=base_kw,
            outputs=_planned(views, answer.on, now_ms),
        )


def _planned(views: tuple[OutputView, ...], on: Flags, now_ms: int) -> tuple[OutputMemory, ...]:
    """What to remember of every output; of those that dispatch does not command, no plan."""
    return tuple(
        remember(view, planned_on=bool(state), now_ms=now_ms) if view.free else view.memory
        for view, state in zip(views, on, strict=True)
    )


def _undecided(
    before: DispatchState, window: SiteWindow, views: tuple[OutputView, ...]
) -> DispatchState:
    """What to remember where nothing was decided: what the boards showed, and no base load."""
    return DispatchState(
        site=before.site,
        last_window_ms=window.window_start_ms,
        base_kw=before.base_kw,
        outputs=tuple(view.memory for view in views),
    )
