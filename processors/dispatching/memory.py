"""Relay outputs as dispatch sees them: observed, planned, in flight, or unknown.

State is believed from telemetry only. One exception keeps a plan from being made twice: a
change that dispatch itself planned counts as done while its command is in flight, for
:data:`SETTLE_MS`. If the board shows something else after that, the board is right.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from schemas.site_model import Mode, Relay, RelayBoard, SiteModel
from schemas.site_window import RelayWindow, SiteWindow
from schemas.stage_state import DispatchState, OutputMemory
from schemas.windows import WINDOW_MS

SETTLE_MS: Final = 3 * WINDOW_MS
"""How long a planned change may take until telemetry shows it [ms] (ours)."""

MIXED_MS: Final = 2 * WINDOW_MS
"""How long after an observed change a mean may hold power from before it [ms].

A meter's reading holds forward from its stamp, so it reaches into the window after the change.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputView:
    """One relay output at the decision clock.

    Attributes:
        board, relay: what the site model says.
        memory: what is remembered, this window's observation included.
        observed_on: state in this window, or None where unknown.
        measured_kw: mean power that its own sub-meter saw [kW], or None.
        was_on: state that the plan starts from, or None where unknown.
        settled: whether the window's mean holds one state of it only.
        switched_ago_ms: time since it last switched, or was told to [ms]; None: never seen.
        held: whether the dwell time forbids to switch it again.
        astray: whether its board shows another state than planned, and not for being slow.
    """

    board: RelayBoard
    relay: Relay
    memory: OutputMemory
    observed_on: bool | None
    measured_kw: float | None
    was_on: bool | None
    settled: bool
    switched_ago_ms: int | None
    held: bool
    astray: bool

    @property
    def name(self) -> str:
        """The output in words."""
        return f"output {self.relay.output} of {self.board.id}"

    @property
    def free(self) -> bool:
        """Whether dispatch may command it at all: it may be shed, and its state is known."""
        return self.relay.sheddable and self.was_on is not None

    @property
    def draw_kw(self) -> float:
        """Its part of the window's load [kW]: measured, else its rating where last seen on."""
        if self.measured_kw is not None:
            return self.measured_kw
        return self.relay.load_kw if self.memory.on else 0.0

    @property
    def on_kw(self) -> float:
        """What it draws when it is on [kW].

        An unknown one counts with its part of the window's load, whatever its state is. A
        measurement says more than the rating, but only about an output that was on all along.
        """
        if self.was_on is None:
            return self.draw_kw
        measured = self.was_on and self.observed_on and self.settled
        return self.draw_kw if measured else self.relay.load_kw

    @property
    def mixed_kw(self) -> float:
        """How much of the window's load may or may not be its own [kW]."""
        mixed = not self.settled and self.measured_kw is None
        return self.relay.load_kw if mixed else 0.0


def view_outputs(
    model: SiteModel, state: DispatchState, window: SiteWindow, now_ms: int
) -> tuple[OutputView, ...]:
    """Every relay output of the site, in the site model's order, at ``now_ms`` [ms]."""
    known = {(each.device, each.output): each for each in state.outputs}
    seen = {(each.device, each.output): each for each in window.relays}
    return tuple(
        _view(model, board, relay, (known, seen), now_ms)
        for board in model.relay_boards
        for relay in board.relays
    )


def remember(view: OutputView, *, planned_on: bool, now_ms: int) -> OutputMemory:
    """What to remember of an output that was planned to be ``planned_on`` at ``now_ms`` [ms]."""
    changes = planned_on != view.was_on
    planned_ms = now_ms if changes else view.memory.planned_ms
    return replace(view.memory, planned_on=planned_on, planned_ms=planned_ms)


_Key = tuple[str, int]


def _view(
    model: SiteModel,
    board: RelayBoard,
    relay: Relay,
    sources: tuple[Mapping[_Key, OutputMemory], Mapping[_Key, RelayWindow]],
    now_ms: int,
) -> OutputView:
    """One output from what is remembered and what the window shows; absent is unknown."""
    key = (board.id, relay.output)
    seen = sources[1].get(key)
    observed_on = None if seen is None else seen.on
    before = sources[0].get(key, OutputMemory(device=board.id, output=relay.output))
    memory = _observe(before, now_ms, observed_on=observed_on)
    differs = memory.planned_on is not None and observed_on is (not memory.planned_on)
    commanded = differs and model.mode is Mode.CONTROL
    in_flight = commanded and _within(memory.planned_ms, SETTLE_MS, now_ms)
    was_on = memory.planned_on if in_flight else observed_on
    ago_ms = _switched_ago_ms(memory, now_ms, was_on=was_on)
    return OutputView(
        board=board,
        relay=relay,
        memory=memory,
        observed_on=observed_on,
        measured_kw=None if seen is None or seen.load_kw is None else max(0.0, seen.load_kw),
        was_on=was_on,
        settled=not in_flight and not _within(memory.since_ms, MIXED_MS, now_ms),
        switched_ago_ms=ago_ms,
        held=ago_ms is not None and ago_ms < 1000 * model.control.dwell_s,
        astray=commanded and not in_flight,
    )


def _observe(memory: OutputMemory, now_ms: int, *, observed_on: bool | None) -> OutputMemory:
    """The memory after an observation; the first one of all is no switch and starts no dwell."""
    if observed_on is None or observed_on == memory.on:
        return memory
    return replace(memory, on=observed_on, since_ms=None if memory.on is None else now_ms)


def _switched_ago_ms(memory: OutputMemory, now_ms: int, *, was_on: bool | None) -> int | None:
    """Time since the later of the observed and the planned change [ms].

    A planned change that led elsewhere did not happen: the next attempt need not wait for it.
    """
    planned_ms = memory.planned_ms if memory.planned_on == was_on else None
    times = [time_ms for time_ms in (memory.since_ms, planned_ms) if time_ms is not None]
    return now_ms - max(times) if times else None


def _within(since_ms: int | None, span_ms: int, now_ms: int) -> bool:
    """Whether ``since_ms`` is less than ``span_ms`` ago."""
    return since_ms is not None and now_ms - since_ms < span_ms
