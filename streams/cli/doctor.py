"""`gridloom doctor`: what is installed, reachable, missing, and how to get it."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from schemas.errors import ConfigurationError
from schemas.settings import Settings, load_settings
from streams.cli.console import out

if TYPE_CHECKING:
    from streams.doctoring.findings import Finding

EXIT_CANNOT_RUN = 1

_MARKS = {"ok": ("ok", "green"), "absent": ("-", "dim"), "wrong": ("wrong", "bold red")}


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False,
) -> None:
    """Tell what is installed, reachable and missing; fails where the demo could not run."""
    import msgspec

    from streams.doctoring.findings import blocking
    from streams.doctoring.machine import examine_machine
    from streams.doctoring.services import examine_services

    findings: list[Finding] = []
    try:
        settings = load_settings()
    except ConfigurationError as error:
        settings = Settings()
        findings.append(blocking("settings", "; ".join((error.message, *error.problems))))
    findings += [*examine_machine(settings), *examine_services(settings)]
    healthy = not any(finding.blocks_demo for finding in findings)
    if as_json:
        report = {"demo_can_run": healthy, "findings": findings}
        text = msgspec.json.format(msgspec.json.encode(report), indent=2).decode()
        out.print(text, markup=False, soft_wrap=True)
    else:
        out.print(_table(findings))
        out.print("The demo can run." if healthy else "The demo cannot run: see what is wrong.")
    if not healthy:
        raise typer.Exit(EXIT_CANNOT_RUN)


def _table(findings: "list[Finding]") -> Table:
    """One line per finding: mark, name, what was found, and what to do."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for finding in findings:
        detail = Text(finding.detail)
        if finding.hint:
            detail.append(f"\n{finding.hint}", "yellow")
        mark, style = _MARKS[finding.health.value]
        table.add_row(Text(mark, style), Text(finding.name), detail)
    return table


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(doctor)
