"""What is wrong with a plan: every reason at once, each in a sentence with its figures."""

from collections.abc import Iterator
from typing import Final, assert_never

from processors.gating.limiting import over_capacity, target_refusals
from processors.gating.renewing import renewal_refusal
from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.identity import SEQ_PER_WINDOW, decision_id
from schemas.site_model import SiteModel
from schemas.stage_state import GateState
from schemas.verdict import Refusal
from schemas.windows import WINDOW_MS, window_index

FUTURE_TOLERANCE_MS: Final = 5_000
"""How far ahead of the clock a window's end may lie [ms]; one window (ours)."""


def find_refusals(
    model: SiteModel | None, state: GateState, plan: DispatchPlan, now_ms: int, *, stopped: bool
) -> dict[Refusal, str]:
    """Every reason against ``plan`` with its sentence, in a fixed order; empty if there is none.

    Without a model what needs none is checked. ``now_ms``: pipeline time [ms].
    """
    found = dict(_refusals_anywhere(state, plan, now_ms, stopped=stopped))
    if model is None:
        return {**found, Refusal.UNKNOWN_SITE: f"no model of site {plan.site} is known"}
    return {
        **found,
        **dict(_refusals_at_site(model, plan, now_ms)),
        **dict(_refusals_of_content(model, state, plan, now_ms)),
    }


def _refusals_anywhere(
    state: GateState, plan: DispatchPlan, now_ms: int, *, stopped: bool
) -> Iterator[tuple[Refusal, str]]:
    """Stop, future, order and the solver: what can be checked without knowing the site."""
    if stopped:
        yield Refusal.GLOBAL_STOP, "the global stop is on: no command leaves"
    ahead_ms = plan.window_start_ms + WINDOW_MS - now_ms
    if ahead_ms > FUTURE_TOLERANCE_MS:
        tolerated = f"{FUTURE_TOLERANCE_MS / 1000:g} s are tolerated"
        ahead = f"its window ends {ahead_ms / 1000:.10g} s ahead of the clock; {tolerated}"
        yield Refusal.FROM_THE_FUTURE, ahead
    if order := _out_of_order(state, plan):
        yield Refusal.OUT_OF_ORDER, order
    if plan.status is PlanStatus.FAILED:
        yield Refusal.NO_PLAN, "the solver gave no plan; there is nothing to let through"


def _out_of_order(state: GateState, plan: DispatchPlan) -> str:
    """Why the sequence number does not follow; empty if it does.

    One that is not of the plan's own window counts as well: let through, a far too high one
    would make every device refuse all that comes after it.
    """
    if plan.seq <= state.last_seq:
        return f"its sequence number {plan.seq} does not follow {state.last_seq}"
    first = SEQ_PER_WINDOW * window_index(plan.window_start_ms)
    if not first <= plan.seq < first + SEQ_PER_WINDOW:
        last = first + SEQ_PER_WINDOW - 1
        return f"its sequence number {plan.seq} is not one of its window's, {first} to {last}"
    return ""


def _refusals_at_site(
    model: SiteModel, plan: DispatchPlan, now_ms: int
) -> Iterator[tuple[Refusal, str]]:
    """Age and identity, as the site's model sees them."""
    age_ms, allowed_s = now_ms - plan.window_start_ms - WINDOW_MS, model.control.max_plan_age_s
    if age_ms > round(1000 * allowed_s):
        age = f"its window ended {age_ms / 1000:.10g} s ago; {allowed_s:g} s are allowed"
        yield Refusal.STALE, age
    identity = decision_id(model.name, plan.window_start_ms, model.model_hash)
    if plan.model_hash != model.model_hash:
        yield (
            Refusal.OTHER_MODEL,
            f"it was made for model {plan.model_hash[:8]}, not {model.model_hash[:8]}",
        )
    elif plan.decision_id != identity:
        yield Refusal.OTHER_MODEL, f"its decision id is {plan.decision_id}, not {identity}"


def _refusals_of_content(
    model: SiteModel, state: GateState, plan: DispatchPlan, now_ms: int
) -> Iterator[tuple[Refusal, str]]:
    """What the plan, or the renewal that it asks for, would do to the devices."""
    match plan.status:
        case PlanStatus.OPTIMAL | PlanStatus.BEST_EFFORT:
            yield from target_refusals(model, plan.targets)
            if excess := over_capacity(model, plan):
                yield Refusal.OVER_CAPACITY, excess
        case PlanStatus.BLIND:
            yield from target_refusals(model, state.targets)
            if reason := renewal_refusal(model, state, plan, now_ms):
                yield Refusal.BLIND, reason
        case PlanStatus.FAILED:
            return  # refused as it is, and without targets
        case _:
            assert_never(plan.status)
