"""The verdict on a plan, and what the gate remembers of it.

Two rules beyond the obvious ones keep the memory on the safe side:

- A row of blind windows ends with an accepted plan only. A refused plan between two blind
  windows does not give the old targets another ``max_blind_s``.
- A stop, and mode ``observe``, discard what was accepted: what comes after them starts from a
  fresh plan, as a fail-safe state is left only on a fresh limit.
"""

from typing import Final, TypedDict, assert_never

from msgspec.structs import replace

from processors.gating.checking import find_refusals
from processors.gating.renewing import blind_since, renewal_left_ms
from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.site_model import Mode, SiteModel
from schemas.stage_state import GateState
from schemas.verdict import Accepted, Observed, Refusal, Rejected, Renewed, Verdict

_UNDATED: Final = frozenset(
    {
        Refusal.UNKNOWN_SITE,
        Refusal.OTHER_MODEL,
        Refusal.OUT_OF_ORDER,
        Refusal.FROM_THE_FUTURE,
    }
)
"""Plans refused for these do not tell when the site became blind."""


class _Heading(TypedDict):
    """What every verdict on a plan repeats."""

    decision_id: str
    site: str
    window_start_ms: int
    seq: int
    epoch: int
    decided_ms: int


def judge(
    model: SiteModel | None,
    state: GateState | None,
    plan: DispatchPlan,
    now_ms: int,
    *,
    stopped: bool,
) -> tuple[Verdict, GateState]:
    """The verdict on ``plan`` at pipeline time ``now_ms`` [ms], and the state to remember.

    Args:
        model: newest model of the plan's site, or None where there is none.
        state: what the gate remembered of the site, or None at first.
        plan: what dispatch would like.
        now_ms: pipeline time [ms since the epoch].
        stopped: whether the global stop is on.
    """
    memory = GateState(site=plan.site) if state is None else state
    site = model if model is not None and model.name == plan.site else None
    refusals = find_refusals(site, memory, plan, now_ms, stopped=stopped)
    if site is None:
        return _reject(memory, plan, now_ms, refusals)
    match site.mode:
        case Mode.OBSERVE:
            observed = Observed(**_heading(plan, now_ms), would_refuse=tuple(refusals))
            return observed, _forget(memory)
        case Mode.CONTROL if refusals:
            return _reject(memory, plan, now_ms, refusals)
        case Mode.CONTROL if plan.status is PlanStatus.BLIND:
            return _renew(site, memory, plan, now_ms)
        case Mode.CONTROL:
            return _accept(plan, now_ms)
        case _:
            assert_never(site.mode)


def _accept(plan: DispatchPlan, now_ms: int) -> tuple[Verdict, GateState]:
    """Let the plan through and remember it as the one in force."""
    state = GateState(
        site=plan.site,
        last_seq=plan.seq,
        accepted_decision_id=plan.decision_id,
        targets=plan.targets,
    )
    return Accepted(**_heading(plan, now_ms), targets=plan.targets), state


def _renew(
    model: SiteModel, state: GateState, plan: DispatchPlan, now_ms: int
) -> tuple[Verdict, GateState]:
    """Renew the targets in force under the blind plan's own sequence number."""
    left_s = renewal_left_ms(model, state, plan, now_ms) / 1000
    verdict = Renewed(
        **_heading(plan, now_ms),
        targets=state.targets,
        accepted_decision_id=state.accepted_decision_id,
        alert=f"site {plan.site} is blind: {state.accepted_decision_id} stays in force"
        f" and can be renewed for {left_s:.10g} s more",
    )
    return verdict, replace(state, last_seq=plan.seq, blind_since_ms=blind_since(state, plan))


def _reject(
    state: GateState, plan: DispatchPlan, now_ms: int, refusals: dict[Refusal, str]
) -> tuple[Verdict, GateState]:
    """Refuse the plan with every reason."""
    verdict = Rejected(
        **_heading(plan, now_ms),
        refusals=tuple(refusals),
        sentences=tuple(refusals.values()),
    )
    if Refusal.GLOBAL_STOP in refusals:
        return verdict, _forget(state)
    if plan.status is PlanStatus.BLIND and _UNDATED.isdisjoint(refusals):
        return verdict, replace(state, blind_since_ms=blind_since(state, plan))
    return verdict, state


def _forget(state: GateState) -> GateState:
    """A memory without accepted targets; sequence numbers go on from where they were."""
    return GateState(site=state.site, last_seq=state.last_seq)


def _heading(plan: DispatchPlan, now_ms: int) -> _Heading:
    """What every verdict on ``plan`` carries."""
    return _Heading(
        decision_id=plan.decision_id,
        site=plan.site,
        window_start_ms=plan.window_start_ms,
        seq=plan.seq,
        epoch=plan.epoch,
        decided_ms=now_ms,
    )
