"""Solves a case, and tells the plan."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from rich.console import Group, RenderableType
from rich.text import Text

from processors.dispatching.dispatcher import Dispatcher
from schemas.dispatch_plan import DispatchPlan
from schemas.errors import ConfigurationError
from schemas.stage_state import DispatchState
from schemas.windows import iso_utc
from streams.cases.reading import Case
from streams.explaining.wording import tell_outputs, tell_plan


@dataclass(frozen=True, slots=True)
class Solution:
    """The plan of a case, and what dispatch remembers after it."""

    plan: DispatchPlan
    state: DispatchState

    def to_json(self) -> bytes:
        """Both as JSON; ``state`` fits into the case of a later window."""
        both = {"plan": self.plan, "state": self.state}
        return msgspec.json.format(msgspec.json.encode(both), indent=2)


def solve(case: Case) -> Solution:
    """What dispatch decides in a case: the same code as in the pipeline, without Kafka.

    Raises:
        ConfigurationError: dispatch does not decide about this window at all.
    """
    plan, state = Dispatcher(case.model).decide(case.state, case.window)
    if plan is None:
        message = "dispatch decides once per window, on its revision 0; this one is decided already"
        raise ConfigurationError(message)
    return Solution(plan, state)


def show_solution(solution: Solution) -> RenderableType:
    """The plan in words: figures, alerts, every output with its reason, commands."""
    plan = solution.plan
    heading = Text(f"decision {plan.decision_id}", style="bold")
    window = f"site {plan.site}, window {iso_utc(plan.window_start_ms)}, {plan.completeness}"
    load = Text(f"{window}, net load {plan.load_kw:.3f} kW")
    return Group(heading, load, *tell_plan(plan), *_commands(plan))


def _commands(plan: DispatchPlan) -> Iterator[Text]:
    if not plan.targets:
        yield Text("no device is commanded")
    for target in plan.targets:
        yield Text(f"command {target.device} via {target.gateway}: {tell_outputs(target.outputs)}")
