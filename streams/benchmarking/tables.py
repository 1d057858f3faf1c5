"""Reports on a terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.benchmarking.figures import Bar, Report, Result, Spread
from streams.benchmarking.machine import Machine
from streams.benchmarking.registry import ALL, BENCHMARKS

_LARGE: Final = 1_000


def listed() -> Table:
    """The benchmarks that there are."""
    table = Table("benchmark", "measures")
    for name, what in BENCHMARKS.items():
        table.add_row(name, what)
    table.add_row(ALL, "all of them, one after the other")
    return table


def shown(report: Report) -> Group:
    """Every result, and the machine."""
    parts = [part for result in report.results for part in _result(result)]
    parts += map(Text, _machine(report.machine))
    if report.quick:
        text = "A quick run: the figures say that it works, not how fast."
        parts.append(Text(text, style="yellow"))
    return Group(*parts)


def _result(result: Result) -> Iterator[RenderableType]:
    sizes = ", ".join(f"{size:,} {name.replace('_', ' ')}" for name, size in result.sizes.items())
    figures = Table("figure", "min", "median", "max", "unit", title=f"{result.name}: {sizes}")
    for figure in result.figures:
        figures.add_row(figure.name, *_cells(figure.measured), figure.unit)
    yield figures
    bars = Table("ratio", "min", "median", "max", "goal", title=f"{result.name}: within each round")
    for each in result.bars:
        bars.add_row(each.name, *_cells(each.ratio), _goal(each))
    yield bars
    for note in result.notes:
        yield Text(f"- {note}", style="dim")


def _goal(each: Bar) -> str:
    state = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}[each.met]
    return "" if each.goal is None else f">= {each.goal:g} {state}"


def _cells(figure: Spread) -> tuple[str, ...]:
    return tuple(map(_number, (figure.min, figure.median, figure.max)))


def _number(value: float) -> str:
    """Three digits of small numbers, whole large ones."""
    return f"{value:,.0f}" if value >= _LARGE else f"{value:.3g}"


def _machine(machine: Machine) -> Iterator[str]:
    packages = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    yield (
        f"machine: {machine.cpu}, {machine.cores} cores, {machine.memory_gib:g} GiB,"
        f" {machine.system}, Python {machine.python}, {packages}"
    )
    yield f"load average (1, 5, 15 min): {machine.load_before} before, {machine.load_after} after"
