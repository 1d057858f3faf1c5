"""Points in time, as they are given on the command line."""

import re
import time
from datetime import UTC, datetime
from typing import Final

import typer

_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_UNIT_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def time_ms(text: str) -> int:
    """A point in time [ms since the epoch], from ISO 8601; without an offset it is UTC.

    Raises:
        typer.BadParameter: the text is no time.
    """
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no time such as 2024-03-01T06:00:00Z"
        raise typer.BadParameter(message) from error
    return round((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp() * 1_000)


def past_ms(text: str) -> int:
    """The same, or how long ago, as in ``90s``, ``30m``, ``2h``, ``7d``.

    Raises:
        typer.BadParameter: the text is neither.
    """
    ago = _AGO.fullmatch(text)
    if ago is None:
        return time_ms(text)
    return time.time_ns() // 1_000_000 - int(ago[1]) * _UNIT_MS[ago[2]]
