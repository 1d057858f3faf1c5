"""Whether a stage's process is alive, and whether it is ready, for whoever asks over HTTP.

*Alive*: its loop turns. *Ready*: it does its work, now: it has its partitions, its servers answer,
and it does not replay. Checks are asked when somebody wants to know, so they cost the stage
nothing; they run in another thread, and only look.
"""

import os
import time
from collections.abc import Callable
from typing import Final

import msgspec

STALL_S: Final = 60.0
"""A loop that has not turned for so long stands still [s]: longer than any step may take (ours)."""

Check = Callable[[], str | None]
"""Says what is not as it should be, or None."""


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """What ``/healthz`` and ``/readyz`` answer; without problems, with status 200.

    Attributes:
        pid: of the process that answers.
        problems: everything that is not as it should be, in words.
    """

    stage: str
    slot: int
    pid: int
    problems: tuple[str, ...]


class Health:
    """The condition of one process of a stage.

    Args:
        stage: its name.
        slot: which of the stage's processes it is.
        now_s: a clock that never runs backwards [s].
    """

    def __init__(self, stage: str, slot: int, now_s: Callable[[], float] = time.monotonic) -> None:
        self._stage, self._slot = stage, slot
        self._now_s = now_s
        self._turned_s = now_s()
        self._has_turned = False
        self._checks: list[Check] = []

    def turned(self) -> None:
        """The loop has come around: the stage neither hangs nor starts any more."""
        self._turned_s = self._now_s()
        self._has_turned = True

    def require(self, check: Check) -> None:
        """Count the stage as ready only while ``check`` finds nothing."""
        self._checks.append(check)

    def alive(self) -> Condition:
        """Whether its loop turns."""
        return self._condition([self._stall()])

    def ready(self) -> Condition:
        """Whether it does its work."""
        starting = None if self._has_turned else "it is starting"
        return self._condition([self._stall(), starting, *(check() for check in self._checks)])

    def _stall(self) -> str | None:
        still_s = self._now_s() - self._turned_s
        return f"its loop has not turned for {still_s:.0f} s" if still_s > STALL_S else None

    def _condition(self, found: list[str | None]) -> Condition:
        problems = tuple(problem for problem in found if problem)
        return Condition(stage=self._stage, slot=self._slot, pid=os.getpid(), problems=problems)
