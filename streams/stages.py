"""How a stage's process runs: signals, the loop, and what happens when it fails."""

import gc
import signal
from collections.abc import Callable
from types import FrameType
from typing import Final

_COLLECT_AFTER: Final = 100_000
"""Objects made, and not freed, before the collector looks for cycles. A step's records alone are
thousands; by default they are searched through again and again, for cycles that they never have."""


class StopRequest:
    """Set by SIGTERM or SIGINT; a stage finishes what it has begun and leaves."""

    def __init__(self) -> None:
        self._stopped = False

    def __bool__(self) -> bool:
        return self._stopped

    def is_set(self) -> bool:
        """Whether the signal has come."""
        return self._stopped

    def listen(self) -> "StopRequest":
        """Take the process's termination signals from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._stopped = True


def collect_seldom() -> None:
    """Let the collector pass over what is there now, and look at what comes only now and then."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER)


def run_until_stopped(
    step: Callable[[], None], close: Callable[[], None], turned: Callable[[], None]
) -> None:
    """Call ``step`` until the process is asked to stop, then ``close``; ``turned`` after each step.

    A stage that fails is not closed: it leaves as it is, and starts anew from what it had
    committed. Closing could commit, or wait for a broker that is away.
    """
    stop = StopRequest().listen()
    collect_seldom()
    while not stop:
        step()
        turned()
    close()
