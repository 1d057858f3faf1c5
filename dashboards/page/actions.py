"""What was truly switched: loads shed and restored, as boards read them back."""

from collections.abc import Iterable
from dataclasses import dataclass

from dashboards.page.sentences import Event
from schemas.dispatch_plan import DispatchPlan
from schemas.setpoint import Ack


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One output that a command switched.

    Attributes:
        at_ms: when its board confirmed it [ms of pipeline time].
        device: the board; ``output`` counts from 1.
        on: True where the load was restored, False where it was shed.
        reason: the plan's sentence, empty where the plan is not at hand.
        decision_id: decision that led to it.
    """

    at_ms: int
    device: str
    output: int
    on: bool
    reason: str
    decision_id: str


def actions_in(events: Iterable[Event]) -> list[Action]:
    """Every confirmed switch among ``events``, by time; an unknown readback is none."""
    events = list(events)
    reasons = {
        (plan.decision_id, output.device, output.output): output.sentence
        for plan in events
        if isinstance(plan, DispatchPlan)
        for output in plan.outputs
    }
    actions = [
        Action(
            at_ms=ack.acked_ms,
            device=ack.device,
            output=state.output,
            on=state.on,
            reason=reasons.get((ack.decision_id, ack.device, state.output), ""),
            decision_id=ack.decision_id,
        )
        for ack in events
        if isinstance(ack, Ack)
        for state in ack.outputs
        if state.output in ack.changed
    ]
    return sorted(actions, key=lambda action: (action.at_ms, action.device, action.output))
