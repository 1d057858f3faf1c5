"""`gridloom plan`: the hours to come of a site, from its model, its meters and its state."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streams.cli.console import out, say
from streams.cli.counterfactual import check_folders
from streams.cli.decisions import AsJson, print_json
from streams.cli.times import time_ms


def plan(
    site: Annotated[Path, typer.Option(help="TOML file with the site's model")],
    data: Annotated[list[Path], typer.Option(help="meter file with the days before; repeatable")],
    column: Annotated[
        list[str] | None, typer.Option(help="as of replay: NAME=QUANTITY:UNIT, =device, =time")
    ] = None,
    device: Annotated[str | None, typer.Option(help="device of files without that column")] = None,
    at: Annotated[
        str | None, typer.Option(help="now, such as 2026-03-16T06:00Z; default: the files' end")
    ] = None,
    hours: Annotated[int, typer.Option(min=1, max=168, help="hours to plan")] = 24,
    state: Annotated[
        Path | None, typer.Option(help="JSON file: charge of the batteries, vehicles at chargers")
    ] = None,
    timezone: Annotated[str, typer.Option(help="of the site's clock")] = "UTC",
    peak_hours: Annotated[str, typer.Option(help="hours of the day that cost most")] = "16-21",
    peak_price: Annotated[
        float | None, typer.Option(min=0, help="price in them; default: the site's, as always")
    ] = None,
    quantile: Annotated[
        float,
        typer.Option(min=0, max=1, help="share of forecast errors to keep a reserve for; 0: none"),
    ] = 0.95,
    save_case: Annotated[
        Path | None, typer.Option(help="write the case, for `gridloom dispatch`")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="write the chart as an HTML page")] = None,
    as_json: AsJson = False,
) -> None:
    """Forecast the hours to come from meter files, plan them, and say why all is as planned."""
    from streams.cases.answering import answer_planning_case
    from streams.cases.site_planning import Options, site_case

    check_folders(save_case, plot)
    options = Options(
        site=site,
        data=tuple(data),
        columns=tuple(column or ()),
        device=device,
        at_ms=None if at is None else time_ms(at),
        hours=hours,
        state=state,
        timezone=timezone,
        peak_hours=peak_hours,
        peak_price=peak_price,
        quantile=quantile,
    )
    case = site_case(options, say)
    if save_case is not None:
        save_case.write_bytes(msgspec.json.format(msgspec.json.encode(case), indent=2))
    answer = answer_planning_case(case, f"the case of {site}")
    if as_json:
        print_json(answer.json)
    else:
        out.print(answer.words)
        out.print(answer.chart(min(100, out.width)))
    if plot is not None:
        answer.write_page(plot)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(no_args_is_help=True)(plan)
