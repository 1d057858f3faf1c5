"""A result as tables of text: the same for a terminal and for a page."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from streams.benchmarking.figures import Calculated, Delay, Figure, Result, Spread
from streams.benchmarking.machine import Machine

MET: Final = "met"
NOT_MET: Final = "not met"

_LARGE: Final = 1_000
_SPREAD: Final = ("min", "median", "max")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table.

    Attributes:
        columns: headings; the first one's column names what the row is about.
        rows: as many texts as columns.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def sheets_of(result: Result) -> Iterator[Sheet]:
    """The tables of a result; none that has no rows."""
    found = (
        Sheet(sizes_of(result), ("figure", *_SPREAD, "unit", "goal"), _figures(result)),
        Sheet("within each round", ("ratio", *_SPREAD, "goal"), _bars(result)),
        Sheet(
            "delays in ms", ("hop", "p50", "p90", "p99", "max", "samples", "goal"), _hops(result)
        ),
        Sheet(
            "by calculation",
            ("what", "value", "unit", "how"),
            tuple(map(_calculation, result.calculated)),
        ),
    )
    return (_narrowed(sheet) for sheet in found if sheet.rows)


def goal_sheet(results: Iterable[Result]) -> Sheet:
    """Everything that has a goal."""
    rows = (
        (result.name, name, number(value), unit, goal)
        for result in results
        for name, value, unit, goal in _goals(result)
        if goal
    )
    return Sheet("goals", ("benchmark", "figure", "measured", "unit", "goal"), tuple(rows))


def _goals(result: Result) -> Iterator[tuple[str, float, str, str]]:
    for bar in result.bars:
        yield bar.name, bar.ratio.median, "ratio", _goal(">=", bar.goal, met=bar.met)
    for figure in result.figures:
        yield figure.name, figure.measured.median, figure.unit, _at_most(figure)
    for delay in result.delays:
        yield f"{delay.name}, p99", delay.p99_ms, "ms", _at_most(delay)


def _narrowed(sheet: Sheet) -> Sheet:
    """The table without columns in which nothing stands."""
    used = [n for n in range(len(sheet.columns)) if any(row[n] for row in sheet.rows)]
    rows = tuple(tuple(row[n] for n in used) for row in sheet.rows)
    return Sheet(sheet.title, tuple(sheet.columns[n] for n in used), rows)


def sizes_of(result: Result) -> str:
    """How large the case was, in words."""
    return ", ".join(f"{size:,} {name.replace('_', ' ')}" for name, size in result.sizes.items())


def machine_lines(machine: Machine) -> Iterator[str]:
    """The machine, and what it did besides."""
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    yield (
        f"machine: {machine.cpu}, {machine.cores} cores, {machine.memory_gib:g} GiB,"
        f" {machine.system}, Python {machine.python}, {packages}"
    )
    yield f"load average (1, 5, 15 min): {machine.load_before} before, {machine.load_after} after"


def number(value: float) -> str:
    """Three digits of small numbers, whole large ones."""
    return f"{value:,.0f}" if value >= _LARGE else f"{value:.3g}"


def _figures(result: Result) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (each.name, *_spread(each.measured), each.unit, _at_most(each)) for each in result.figures
    )


def _bars(result: Result) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (each.name, *_spread(each.ratio), _goal(">=", each.goal, met=each.met))
        for each in result.bars
    )


def _hops(result: Result) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            each.name,
            *map(number, (each.p50_ms, each.p90_ms, each.p99_ms, each.max_ms)),
            f"{each.samples:,}",
            _at_most(each),
        )
        for each in result.delays
    )


def _calculation(each: Calculated) -> tuple[str, ...]:
    return each.name, number(each.value), each.unit, each.how


def _spread(figure: Spread) -> tuple[str, ...]:
    return tuple(map(number, (figure.min, figure.median, figure.max)))


def _at_most(each: Figure | Delay) -> str:
    return _goal("<=", each.at_most, met=each.met)


def _goal(relation: str, bound: float | None, *, met: bool | None) -> str:
    return "" if bound is None else f"{relation} {bound:g} {MET if met else NOT_MET}"
