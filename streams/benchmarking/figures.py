"""What a benchmark reports: figures with their spread over the rounds, and bars."""

from collections.abc import Sequence
from statistics import median

import msgspec

from streams.benchmarking.machine import Machine


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """One figure over the rounds.

    Attributes:
        values: one per round, in their order.
    """

    min: float
    median: float
    max: float
    values: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """The spread of at least one value."""
    return Spread(min=min(values), median=median(values), max=max(values), values=tuple(values))


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """Something measured, in absolute terms: it holds for this machine and this hour only."""

    name: str
    unit: str
    measured: Spread


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio of two figures of the same round.

    Attributes:
        goal: least ratio that is wanted; None where none is set.
        met: whether the median reaches it; None without a goal.
    """

    name: str
    ratio: Spread
    goal: float | None
    met: bool | None


def bar(
    name: str, upper: Sequence[float], lower: Sequence[float], goal: float | None = None
) -> Bar:
    """The ratio ``upper / lower``, round by round."""
    ratio = spread([above / below for above, below in zip(upper, lower, strict=True)])
    met = None if goal is None else ratio.median >= goal
    return Bar(name=name, ratio=ratio, goal=goal, met=met)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one benchmark found.

    Attributes:
        sizes: how large the case was.
        notes: what a reader must know to judge the figures.
    """

    name: str
    sizes: dict[str, int]
    figures: tuple[Figure, ...]
    bars: tuple[Bar, ...]
    notes: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one or more benchmarks."""

    machine: Machine
    quick: bool
    rounds: int
    results: tuple[Result, ...]

    def to_json(self) -> bytes:
        """As it is written to ``--json``."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2)
