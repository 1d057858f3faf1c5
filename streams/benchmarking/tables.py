"""Reports on a terminal."""

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from streams.benchmarking.figures import Report, Result
from streams.benchmarking.registry import ALL, BENCHMARKS
from streams.benchmarking.sheets import MET, NOT_MET, Sheet, machine_lines, sheets_of


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
    parts += map(Text, machine_lines(report.machine))
    if report.quick:
        text = "A quick run: the figures say that it works, not how fast."
        parts.append(Text(text, style="yellow"))
    return Group(*parts)


def _result(result: Result) -> Iterator[RenderableType]:
    for sheet in sheets_of(result):
        yield _table(result.name, sheet)
    for note in result.notes:
        yield Text(f"- {note}", style="dim")


def _table(name: str, sheet: Sheet) -> Table:
    table = Table(*sheet.columns, title=f"{name}: {sheet.title}")
    for row in sheet.rows:
        table.add_row(*map(_coloured, row))
    return table


def _coloured(text: str) -> Text:
    """Whether a goal is met can be seen from afar."""
    shown = Text(text)
    shown.highlight_regex(rf"(?<!not ){MET}$", "green")
    shown.highlight_regex(rf"{NOT_MET}$", "red")
    return shown
