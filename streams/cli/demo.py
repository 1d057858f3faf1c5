"""`gridloom demo`: the whole loop on this machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.settings import load_settings
from streams.cli.console import err, out
from streams.stages import StopRequest

if TYPE_CHECKING:
    from streams.demo.runner import DemoRun

EXIT_INTERRUPTED = 130
_TITLE = "Gridloom demo: SimBench 1-LV-urban6, 15 min of data per minute"


def demo(
    windows: Annotated[int, typer.Option(min=1, help="5-second windows to run")] = 240,
    speed: Annotated[
        float, typer.Option(min=0.1, max=20, help="pipeline seconds per second")
    ] = 10.0,
    report: Annotated[Path | None, typer.Option(help="write the figures as JSON")] = None,
    plot: Annotated[Path | None, typer.Option(help="write the chart as an HTML page")] = None,
    secure: Annotated[
        bool, typer.Option("--secure", help="with TLS, a user and access rules for every role")
    ] = False,
) -> None:
    """Run the whole loop on a local Kafka: meters, windows, decisions, relays that obey."""
    stop = StopRequest().listen()  # before much is loaded: Ctrl-C would break an import
    from hardware.demo_site import demo_site
    from hardware.simbench_slice import load_slice
    from streams.demo.runner import DemoCancelledError, DemoOptions, DemoRunner
    from streams.demo.view import LiveView, PlainView

    settings = load_settings()
    site = demo_site(load_slice())
    live = err.is_terminal and not err.is_dumb_terminal
    view = (
        LiveView(err, site.model, windows, f"{_TITLE}, speed {speed:g}")
        if live
        else PlainView(err, windows)
    )
    try:
        with view:
            runner = DemoRunner(
                settings, site, DemoOptions(windows, speed, secure), view, stop.is_set
            )
            run = runner.run()
    except DemoCancelledError:
        err.print("stopped; nothing is left running")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    _show(run, plot)
    if report is not None:
        report.write_bytes(run.report.to_json())


def _show(run: "DemoRun", plot: Path | None) -> None:
    """The chart and the figures."""
    from streams.demo.charts import terminal_chart, write_page
    from streams.demo.report import as_table

    figures = run.report
    chart = terminal_chart(
        run.controlled_kw,
        figures.threshold_kw,
        figures.capacity_kw,
        width=min(110, out.width),
        height=20,
        uncontrolled_kw=run.uncontrolled_kw,
    )
    out.print(chart)
    out.print(as_table(figures))
    out.print("Each minute of pipeline time plays 15 minutes of recorded data.", style="dim")
    if plot is not None:
        limits = {"threshold_kw": figures.threshold_kw, "capacity_kw": figures.capacity_kw}
        write_page(plot, run.controlled_kw, run.uncontrolled_kw, **limits)
        out.print(f"chart: {plot}")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(demo)
