"""Ways to control a site's relays, each with the relays that it switches."""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from hardware.board_memory import BoardRecord, RamMemory
from hardware.gateway import Gateway
from hardware.relay_board import RelayBoard
from hardware.simulated_board import BoardClock, OutputKey, SimulatedBoard, SwitchLog
from processors.dispatching.dispatcher import Dispatcher
from processors.dispatching.static_rule import StaticRule
from processors.gating.judging import judge
from processors.leasing.confirming import record_ack
from processors.leasing.issuing import lease_targets
from schemas.dispatch_plan import DispatchPlan, OutputState
from schemas.site_model import RelayBoard as BoardModel
from schemas.site_model import SiteModel
from schemas.site_window import SiteWindow
from schemas.stage_state import ActuateState, DispatchState, GateState
from schemas.windows import close_delay_ms

SWITCH_DELAY_MS: Final = close_delay_ms(1.0) + 100
"""From a window's end to the switch that it leads to [ms]: the window's closing, and the loop.

The demo takes 56 ms at the median from the published window to the device's answer.
"""


class Control(Protocol):
    """What decides about a site's relays; asked once per window, in their order."""

    def run_until(self, now_ms: int) -> None:
        """Let the boards run up to a window's end [ms]."""

    def states(self) -> Mapping[OutputKey, bool]:
        """Whether each output is on."""

    def closed_shares(self, start_ms: int, end_ms: int) -> Mapping[OutputKey, float]:
        """Share [0..1] of ``[start_ms, end_ms)`` that each output was on."""

    def decide(self, window: SiteWindow, now_ms: int) -> None:
        """Decide about a window, and switch at ``now_ms`` [ms], after its end."""


class NoControl:
    """Every relay is on all the time.

    Args:
        model: the site.
    """

    def __init__(self, model: SiteModel) -> None:
        self._keys = output_keys(model)

    def run_until(self, now_ms: int) -> None:
        """Nothing runs."""

    def states(self) -> Mapping[OutputKey, bool]:
        """All on."""
        return dict.fromkeys(self._keys, True)

    def closed_shares(self, start_ms: int, end_ms: int) -> Mapping[OutputKey, float]:
        """All of the time."""
        del start_ms, end_ms
        return dict.fromkeys(self._keys, 1.0)

    def decide(self, window: SiteWindow, now_ms: int) -> None:
        """Nothing is decided."""


class StaticControl:
    """The static rule with plain contacts: no lease, no gate, and commands always arrive.

    Args:
        model: the site.
        returns: whether what is off comes back; see :class:`StaticRule`.
        since_ms: first instant [ms].
    """

    def __init__(self, model: SiteModel, *, returns: bool, since_ms: int) -> None:
        relays = [relay for board in model.relay_boards for relay in board.relays]
        self._rule = StaticRule(relays, model.threshold_kw, returns=returns)
        self._on = dict.fromkeys(output_keys(model), True)
        self._logs = {board.id: SwitchLog(_all_on(board), since_ms) for board in model.relay_boards}

    def run_until(self, now_ms: int) -> None:
        """Contacts do nothing by themselves."""

    def states(self) -> Mapping[OutputKey, bool]:
        """The contacts."""
        return self._on

    def closed_shares(self, start_ms: int, end_ms: int) -> Mapping[OutputKey, float]:
        """From when the contacts switched."""
        return {
            (device, output): share
            for device, log in self._logs.items()
            for output, share in log.closed_shares(start_ms, end_ms).items()
        }

    def decide(self, window: SiteWindow, now_ms: int) -> None:
        """Apply the rule to the window's net load."""
        states = self._rule.decide(window.net_kw, tuple(self._on.values()))
        for (device, output), on in zip(tuple(self._on), states, strict=True):
            if self._on[device, output] != on:
                self._on[device, output] = on
                self._logs[device].note([OutputState(output=output, on=on)], now_ms)


class DispatchControl:
    """The pipeline's own dispatch, gate and leases, and boards behind gateways; without Kafka.

    Args:
        model: the site, in mode ``control``. An output that is off without a lease is so at
            first, too; dispatch brings it on as room permits.
        since_ms: when the boards boot [ms].
    """

    def __init__(self, model: SiteModel, *, since_ms: int) -> None:
        self._model = model
        self._dispatcher = Dispatcher(model)
        self._dispatch: DispatchState | None = None
        self._gate: GateState | None = None
        self._leases: ActuateState | None = None
        self._boards = [
            SimulatedBoard(
                RelayBoard(board, booted_ms=0, memory=_all_on_memory(board)),
                BoardClock(since_ms),
                model.name,
            )
            for board in model.relay_boards
        ]
        self._gateways = {
            name: Gateway(
                model.name,
                name,
                [board for board in self._boards if model.boards[board.device].gateway == name],
            )
            for name in model.gateways
        }

    def run_until(self, now_ms: int) -> None:
        """Leases may end, and outputs return."""
        for board in self._boards:
            board.poll(now_ms)

    def states(self) -> Mapping[OutputKey, bool]:
        """As read back."""
        return {
            (board.device, state.output): state.on
            for board in self._boards
            for state in board.readback()
        }

    def closed_shares(self, start_ms: int, end_ms: int) -> Mapping[OutputKey, float]:
        """From when the boards switched."""
        shares: dict[OutputKey, float] = {}
        for board in self._boards:
            shares |= board.closed_shares(start_ms, end_ms)
        return shares

    def decide(self, window: SiteWindow, now_ms: int) -> None:
        """One step of the loop: plan, verdict, setpoints, answers."""
        plan, self._dispatch = self._dispatcher.decide(self._dispatch, window)
        if plan is not None:
            self._carry_out(plan, now_ms)

    def _carry_out(self, plan: DispatchPlan, now_ms: int) -> None:
        verdict, self._gate = judge(self._model, self._gate, plan, now_ms, stopped=False)
        setpoints, self._leases = lease_targets(
            self._model, self._leases, verdict, now_ms, stopped=False
        )
        for setpoint in setpoints:
            ack = self._gateways[setpoint.gateway].carry_out(setpoint, now_ms)
            self._leases = record_ack(self._leases, ack)


def output_keys(model: SiteModel) -> tuple[OutputKey, ...]:
    """Every relay output of a site, in its model's order."""
    return tuple((board.id, relay.output) for board in model.relay_boards for relay in board.relays)


def _all_on_memory(board: BoardModel) -> RamMemory:
    """What a board remembers that lost its power while every output was on."""
    memory = RamMemory()
    memory.save(BoardRecord(held_on=tuple(relay.output for relay in board.relays)))
    return memory


def _all_on(board: BoardModel) -> Iterable[OutputState]:
    return [OutputState(output=relay.output, on=True) for relay in board.relays]
