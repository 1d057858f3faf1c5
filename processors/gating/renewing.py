"""Renewals: how long the last accepted targets stay in force while the site is blind."""

from schemas.dispatch_plan import DispatchPlan
from schemas.identity import SEQ_PER_WINDOW
from schemas.site_model import SiteModel
from schemas.stage_state import GateState
from schemas.windows import WINDOW_MS


def blind_since(state: GateState, plan: DispatchPlan) -> int:
    """Start of the first blind window in the row that blind ``plan`` continues or opens [ms]."""
    return plan.window_start_ms if state.blind_since_ms is None else state.blind_since_ms


def renewal_left_ms(model: SiteModel, state: GateState, plan: DispatchPlan, now_ms: int) -> int:
    """How much longer a blind site's targets may be renewed [ms]; negative when it is over."""
    return blind_since(state, plan) + round(1000 * model.control.max_blind_s) - now_ms


def renewal_refusal(model: SiteModel, state: GateState, plan: DispatchPlan, now_ms: int) -> str:
    """Why blind ``plan`` cannot renew what was accepted; empty if it can.

    Only what is still in force is renewed. Once the leases of the last plan let through have
    run out, the loads are back in their own state, and old targets would be a new command
    that rests on no data.
    """
    if not state.accepted_decision_id:
        return "the site is blind, and no accepted plan is in force"
    allowed_s, lease_s = model.control.max_blind_s, model.control.lease_s
    if renewal_left_ms(model, state, plan, now_ms) < 0:
        blind_s = (now_ms - blind_since(state, plan)) / 1000
        return f"the site has been blind for {blind_s:.10g} s; {allowed_s:g} s are allowed"
    gap_ms = plan.window_start_ms - state.last_seq // SEQ_PER_WINDOW * WINDOW_MS
    if gap_ms > round(1000 * lease_s):
        return (
            f"the site is blind, and {state.accepted_decision_id} is no longer in force: it was"
            f" last let through {gap_ms / 1000:.10g} s before, for {lease_s:g} s"
        )
    return ""
