"""What is wrong with single values: numbers, series, whole numbers."""

import math
from collections.abc import Iterator

from schemas.planning_case import Series
from schemas.units import VALUE_LIMIT


def number(
    value: float,
    place: str,
    *,
    least: float = 0.0,
    most: float = VALUE_LIMIT,
    open_end: bool = False,
) -> Iterator[str]:
    """A sentence if ``value`` is no number from ``least`` to ``most``.

    Args:
        value: the value.
        place: where it stands.
        least: its lower bound.
        most: its upper bound.
        open_end: whether ``least`` itself is refused.
    """
    if not math.isfinite(value):
        yield f"{place}: {value} is not a finite number"
    elif not least <= value <= most or (open_end and value == least):
        bound = f"above {least:g}" if open_end else f"{least:g}"
        yield f"{place}: {value:g} is not from {bound} to {most:g}"


def series(value: Series, place: str, steps: int, *, least: float = -VALUE_LIMIT) -> Iterator[str]:
    """Sentences if ``value`` is not one number, or as many as steps, of at least ``least``.

    Of several wrong values the first is named, and how many there are.
    """
    if isinstance(value, float | int):
        yield from number(value, place, least=least)
        return
    if len(value) != steps:
        yield f"{place}: {len(value)} values for {steps} steps"
    wrong = [
        (at, found)
        for at, each in enumerate(value)
        for found in number(each, f"{place}[{at}]", least=least)
    ]
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        yield f"{wrong[0][1]}{more}"


def whole(value: int, place: str, least: int, most: int) -> Iterator[str]:
    """A sentence if ``value`` is not from ``least`` to ``most``."""
    if not least <= value <= most:
        yield f"{place}: {value} is not from {least} to {most}"
