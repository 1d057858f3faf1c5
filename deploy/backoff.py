"""How long to wait before a crashed stage is started again."""


class Backoff:
    """Delays that double with every crash, until one run lasted long enough.

    Args:
        first_s: delay after the first crash [s].
        limit_s: no delay is longer [s].
        reset_after_s: a run of at least this length starts the row anew [s].
    """

    def __init__(
        self, *, first_s: float = 0.5, limit_s: float = 30.0, reset_after_s: float = 30.0
    ) -> None:
        self._first_s = first_s
        self._limit_s = limit_s
        self._reset_after_s = reset_after_s
        self._next_s = first_s

    def delay_after(self, ran_s: float) -> float:
        """Delay before the next start [s], after a run that crashed when it was ``ran_s`` old."""
        delay_s = self._first_s if ran_s >= self._reset_after_s else self._next_s
        self._next_s = min(2 * delay_s, self._limit_s)
        return delay_s
