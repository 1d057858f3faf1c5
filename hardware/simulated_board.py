"""A relay board in the field, simulated: with a clock that drifts, reports, and a history."""

from collections.abc import Iterable
from dataclasses import dataclass

from hardware.board_answers import Applied, BoardAnswer
from hardware.relay_board import RelayBoard
from schemas.dispatch_plan import OutputState
from schemas.telemetry import Batch

OutputKey = tuple[str, int]
"""Board and output (from 1)."""


@dataclass(frozen=True, slots=True)
class BoardClock:
    """How a board's own clock runs against pipeline time.

    Attributes:
        booted_at_ms: when the board booted [ms of pipeline time].
        boot_tick_ms: what its clock said then [ms]; best a random number.
        rate: how fast it runs [1]; 1.0001 gains 100 ppm.
    """

    booted_at_ms: int
    boot_tick_ms: int = 0
    rate: float = 1.0

    def at(self, now_ms: int) -> int:
        """Return the board's clock [ms] at ``now_ms`` of pipeline time."""
        return self.boot_tick_ms + round(self.rate * (now_ms - self.booted_at_ms))


class SwitchLog:
    """When the outputs of a board switched, in pipeline time.

    Args:
        outputs: states at the start; they are taken to have held ever before.
        since_ms: the start [ms].
    """

    def __init__(self, outputs: Iterable[OutputState], since_ms: int) -> None:
        self._history = {state.output: [(since_ms, state.on)] for state in outputs}

    def note(self, outputs: Iterable[OutputState], at_ms: int) -> bool:
        """Write down the states at ``at_ms`` [ms], never earlier than before; True if new."""
        new = [state for state in outputs if state.on != self._history[state.output][-1][1]]
        for state in new:
            self._history[state.output].append((at_ms, state.on))
        return bool(new)

    def closed_shares(self, start_ms: int, end_ms: int) -> dict[int, float]:
        """Return by output the share [0..1] of ``[start_ms, end_ms)`` that it was on.

        Forgets what ended before ``start_ms``: ask for intervals in their order.
        """
        shares = {}
        for output, history in self._history.items():
            shares[output] = _on_ms(history, start_ms, end_ms) / (end_ms - start_ms)
            past = sum(at_ms <= start_ms for at_ms, _ in history)
            del history[: max(0, past - 1)]
        return shares


def _on_ms(history: list[tuple[int, bool]], start_ms: int, end_ms: int) -> int:
    """How long [ms] within ``[start_ms, end_ms)`` the switches leave an output on."""
    began_ms = [start_ms, *(at_ms for at_ms, _ in history[1:])]
    ended_ms = [*began_ms[1:], end_ms]
    return sum(
        max(0, min(ended, end_ms) - max(began, start_ms))
        for began, ended, (_, on) in zip(began_ms, ended_ms, history, strict=True)
        if on
    )


class SimulatedBoard:
    """A relay board as its gateway and the plant meet it; all times are pipeline time [ms].

    Args:
        board: the board, freshly booted.
        clock: its own clock; ``board`` booted at ``clock.boot_tick_ms``.
        site: the site that it reports for.
    """

    def __init__(self, board: RelayBoard, clock: BoardClock, site: str) -> None:
        self._board = board
        self._clock = clock
        self._site = site
        self._interval_ms = round(1000 * board.model.interval_s)
        self._tick_ms = clock.boot_tick_ms
        self._log = SwitchLog(board.outputs, clock.booted_at_ms)
        self._changed = True  # a board reports as soon as it has booted
        self._reported_ms = clock.booted_at_ms

    @property
    def device(self) -> str:
        """The board's id."""
        return self._board.device

    @property
    def tick_ms(self) -> int:
        """The board's own clock as it last reported it [ms]."""
        return self._tick_ms

    def readback(self) -> tuple[OutputState, ...]:
        """Every output as read back, by number."""
        return self._board.outputs

    def send(self, command: bytes, now_ms: int) -> BoardAnswer:
        """Carry a command to the board and its answer back; ``now_ms`` is pipeline time."""
        answer = self._board.apply(command, self._clock.at(now_ms))
        self._tick_ms = answer.tick_ms
        if isinstance(answer, Applied):
            self._note(now_ms)
        return answer

    def poll(self, now_ms: int) -> Batch | None:
        """Let the board run; return its report if one is due.

        It reports every interval of its model, and at once when an output has changed, by a
        command or because a lease ended. Call it every 100 ms or so.
        """
        self._board.tick(self._clock.at(now_ms))
        self._note(now_ms)
        if not self._changed and now_ms - self._reported_ms < self._interval_ms:
            return None
        self._changed = False
        self._reported_ms = now_ms
        self._tick_ms = self._clock.at(now_ms)
        return self._board.telemetry(self._site, now_ms)

    def closed_shares(self, start_ms: int, end_ms: int) -> dict[OutputKey, float]:
        """Return the share [0..1] of ``[start_ms, end_ms)`` that each output was on.

        Ask for intervals in their order, each after a ``poll`` at or after its end.
        """
        shares = self._log.closed_shares(start_ms, end_ms)
        return {(self.device, output): share for output, share in shares.items()}

    def _note(self, now_ms: int) -> None:
        self._changed |= self._log.note(self._board.outputs, now_ms)
