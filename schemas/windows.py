"""Window arithmetic: tumbling 5-second windows on the Unix epoch, ``[t, t + 5 s)``."""

from datetime import UTC, datetime, timedelta
from typing import Final

WINDOW_MS: Final = 5_000
"""Length of a window [ms]."""

LATENESS_MS: Final = 30_000
"""A window is final this long [ms] after its end; later readings for it are too late."""


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def window_start(time_ms: int) -> int:
    """Start [ms since the epoch] of the window that holds ``time_ms``."""
    return time_ms - time_ms % WINDOW_MS


def window_index(start_ms: int) -> int:
    """Number of a window since the epoch, from its start [ms]."""
    return start_ms // WINDOW_MS


def close_delay_ms(speed: float) -> int:
    """How long [ms of pipeline time] after its end a window's revision 0 waits.

    ``max(1 s, 0.2 x speed)``: a transport delay of 0.2 s of real time at any speed.
    """
    return round(1_000 * max(1.0, 0.2 * speed))


def iso_utc(time_ms: int) -> str:
    """``time_ms`` as ISO 8601 in UTC, to the millisecond where there is one."""
    stamp = _EPOCH + timedelta(milliseconds=time_ms)  # exact, as a float of seconds is not
    precision = "milliseconds" if time_ms % 1000 else "seconds"
    return stamp.isoformat(timespec=precision).replace("+00:00", "Z")
