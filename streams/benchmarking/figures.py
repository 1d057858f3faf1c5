"""What a benchmark reports: figures with their spread, bars, delays, growth, calculations."""

from collections.abc import Sequence
from statistics import median
from typing import Any

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
    """Something measured, in absolute terms: it holds for this machine and this hour only.

    Attributes:
        at_most: greatest median that is wanted; None where none is set.
        met: whether the median is within it; None without a goal.
    """

    name: str
    unit: str
    measured: Spread
    at_most: float | None = None
    met: bool | None = None


def figure(name: str, unit: str, values: Sequence[float], at_most: float | None = None) -> Figure:
    """A figure from its values, at least one, and whether it is within its goal."""
    measured = spread(values)
    met = None if at_most is None else measured.median <= at_most
    return Figure(name=name, unit=unit, measured=measured, at_most=at_most, met=met)


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


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """How long something took, over many times that it happened [ms].

    Attributes:
        samples: how many times.
        at_most: greatest 99th percentile that is wanted; None where none is set.
        met: whether the 99th percentile is within it; None without a goal.
    """

    name: str
    samples: int
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    at_most: float | None = None
    met: bool | None = None


def delay(name: str, taken_ms: Sequence[float], at_most: float | None = None) -> Delay:
    """The percentiles of at least one sample, each of them a sample that was really taken.

    With fewer than a hundred the 99th percentile is the longest of all.
    """
    ordered = sorted(taken_ms)

    def percentile(percent: int) -> float:
        return ordered[-(-len(ordered) * percent // 100) - 1]

    p99_ms = percentile(99)
    return Delay(
        name=name,
        samples=len(ordered),
        p50_ms=percentile(50),
        p90_ms=percentile(90),
        p99_ms=p99_ms,
        max_ms=ordered[-1],
        at_most=at_most,
        met=None if at_most is None else p99_ms <= at_most,
    )


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """How one figure grows with a size.

    Attributes:
        size: what grows, such as ``meters``.
        points: size and figure, in the order of size.
        at_most: the figure that is not to be passed; None where none is set.
    """

    name: str
    size: str
    unit: str
    points: tuple[tuple[float, float], ...]
    at_most: float | None = None


class Calculated(msgspec.Struct, frozen=True, kw_only=True):
    """A figure that was not measured, but follows from figures that were.

    Attributes:
        how: the reckoning, in words.
    """

    name: str
    value: float
    unit: str
    how: str


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What one benchmark found.

    Attributes:
        sizes: how large the case was.
        notes: what a reader must know to judge the figures.
        summary: what a script asks for; the only result of a report has it at the top level, too.
    """

    name: str
    sizes: dict[str, int]
    figures: tuple[Figure, ...] = ()
    bars: tuple[Bar, ...] = ()
    delays: tuple[Delay, ...] = ()
    curves: tuple[Curve, ...] = ()
    calculated: tuple[Calculated, ...] = ()
    notes: tuple[str, ...] = ()
    summary: dict[str, Any] = msgspec.field(default_factory=dict)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one or more benchmarks."""

    machine: Machine
    quick: bool
    rounds: int
    results: tuple[Result, ...]

    def to_json(self) -> bytes:
        """As it is written to ``--json``."""
        summary = self.results[0].summary if len(self.results) == 1 else {}
        text = msgspec.json.encode({**summary, **msgspec.structs.asdict(self)})
        return msgspec.json.format(text, indent=2)
