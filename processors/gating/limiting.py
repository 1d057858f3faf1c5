"""Limits of a site: what its model never lets a command do, whoever planned it."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from schemas.dispatch_plan import DeviceTarget, DispatchPlan
from schemas.site_model import Relay, RelayBoard, SiteModel
from schemas.verdict import Refusal

CAPACITY_TOLERANCE_KW: Final = 1e-6
"""By how much a forecast may exceed the capacity [kW]: what solvers and sums leave behind."""


def target_refusals(
    model: SiteModel, targets: tuple[DeviceTarget, ...]
) -> Iterator[tuple[Refusal, str]]:
    """Reasons against commanding ``targets`` at this site, each code at most once."""
    if unknown := _unknown(model, targets):
        yield Refusal.UNKNOWN_OUTPUT, "; ".join(unknown)
    if shed := _never_shed(model, targets):
        yield Refusal.NEVER_SHED, f"never shed, but commanded off: {', '.join(shed)}"
    if real := _real_boards(model, targets):
        yield (
            Refusal.REAL_BOARD,
            f"only simulated boards may be commanded; these are real: {', '.join(real)}",
        )


def over_capacity(model: SiteModel, plan: DispatchPlan) -> str:
    """Why the outputs that ``plan`` switches on must stay off; empty if they may come on.

    A target without a decision counts as switched on. One that was on, or whose state is
    unknown, does not: a plan that sheds at an overloaded site must not fail for the outputs
    that it leaves on. A missing forecast is as bad as one that is too high.
    """
    was_on = {(each.device, each.output): each.was_on for each in plan.outputs}
    restored = [
        _name(target, state.output)
        for target in plan.targets
        for state in target.outputs
        if state.on and was_on.get((target.device, state.output), False) is False
    ]
    if not restored or _fits(plan.expected_kw, model.capacity_kw):
        return ""
    expected = "an unknown load" if plan.expected_kw is None else f"{plan.expected_kw:.10g} kW"
    return (
        f"it switches on {', '.join(restored)} while {expected} is expected"
        f" and the site's capacity is {model.capacity_kw:.10g} kW"
    )


def _fits(expected_kw: float | None, capacity_kw: float) -> bool:
    """Whether a forecast [kW] is known and within the capacity, counted in milliwatts."""
    return expected_kw is not None and round(expected_kw - capacity_kw, 6) <= CAPACITY_TOLERANCE_KW


def _unknown(model: SiteModel, targets: tuple[DeviceTarget, ...]) -> list[str]:
    """Everything that the targets name and the site does not have, or that they name twice."""
    devices = Counter(target.device for target in targets)
    problems = [f"{device} is named twice" for device, times in devices.items() if times > 1]
    for target in targets:
        board = model.boards.get(target.device)
        if board is None:
            problems.append(f"{target.device} is no relay board of the site")
        else:
            problems.extend(_unknown_at_board(board, target))
    return problems


def _unknown_at_board(board: RelayBoard, target: DeviceTarget) -> Iterator[str]:
    """What is wrong with a target for ``board``; a board takes no power setpoints."""
    if target.gateway != board.gateway:
        yield f"{board.id} is behind gateway {board.gateway}, not {target.gateway}"
    if target.powers:
        yield f"{board.id} takes no power setpoint"
    relays = _relays(board)
    for output, times in Counter(state.output for state in target.outputs).items():
        if output not in relays:
            yield f"{board.id} has no output {output}"
        if times > 1:
            yield f"{_name(target, output)} is named twice"


def _never_shed(model: SiteModel, targets: tuple[DeviceTarget, ...]) -> list[str]:
    """Outputs commanded off though their load is never shed."""
    return [
        _name(target, state.output)
        for target in targets
        if (board := model.boards.get(target.device)) is not None
        for state in target.outputs
        if not state.on
        and (relay := _relays(board).get(state.output)) is not None
        and not relay.sheddable
    ]


def _real_boards(model: SiteModel, targets: tuple[DeviceTarget, ...]) -> list[str]:
    """Commanded boards that are not simulated, where the site admits simulated ones only."""
    commanded = {target.device for target in targets} if model.simulated_only else set()
    return [
        board.id for board in model.relay_boards if board.id in commanded and not board.simulated
    ]


def _relays(board: RelayBoard) -> dict[int, Relay]:
    """Relays of a board by output."""
    return {relay.output: relay for relay in board.relays}


def _name(target: DeviceTarget, output: int) -> str:
    """An output in words."""
    return f"output {output} of {target.device}"
