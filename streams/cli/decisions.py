"""Commands about decisions and devices: explain, dispatch, devices."""

from pathlib import Path
from typing import Annotated

import typer

from schemas.settings import load_settings
from streams.cli.connection import connected_settings
from streams.cli.console import out

AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]


def explain(
    decision: Annotated[
        str | None,
        typer.Argument(metavar="DECISION_ID", help="without one, lists the newest that switched"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tell a decision's whole way, from the window to what the device confirmed."""
    import msgspec

    from streams.explaining.asking import explain as ask
    from streams.explaining.listing import newest_switches
    from streams.explaining.rendering import show_listing, show_story

    settings = connected_settings()
    if decision is None:
        listing = newest_switches(settings)
        if as_json:
            print_json(msgspec.json.format(msgspec.json.encode(listing), indent=2))
        else:
            out.print(show_listing(listing))
        return
    story = ask(settings, decision)
    if as_json:
        print_json(story.to_json())
    else:
        out.print(show_story(story))


def dispatch(
    case: Annotated[
        Path,
        typer.Argument(
            metavar="CASE.json",
            help='{"site": a site model, "window": an aligned window, "state": what is remembered}.'
            ' Of the window only "load_kw" has to be given, the state not at all; outputs that'
            ' its "relays" do not name are unknown. Or a planning case, which has a "horizon":'
            " docs/reference/planning.md describes it.",
        ),
    ],
    as_json: AsJson = False,
    plot: Annotated[Path | None, typer.Option(help="write the chart as an HTML page")] = None,
) -> None:
    """Solve one case offline, a window or the hours to come, and say why all is as planned."""
    from streams.cases.answering import answer_case

    answer = answer_case(case)
    if as_json:
        print_json(answer.json)
    else:
        out.print(answer.words)
        out.print(answer.chart(min(100, out.width)))
    if plot is not None:
        answer.write_page(plot)


def devices(as_json: AsJson = False) -> None:
    """Show every device as the running device view knows it: outputs and last answer."""
    import msgspec

    from streams.devices.client import fetch_devices, render

    views = fetch_devices(load_settings())
    if as_json:
        print_json(msgspec.json.format(msgspec.json.encode(views), indent=2))
    elif views:
        out.print(render(views))
    else:
        out.print("no device has been heard yet")


def print_json(text: bytes) -> None:
    """JSON as it is: neither wrapped nor coloured."""
    out.print(text.decode(), markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(explain)
    app.command(no_args_is_help=True)(dispatch)
    app.command()(devices)
