"""`gridloom counterfactual`: what control did for the same days, metered, without Kafka."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.errors import ConfigurationError
from streams.cli.bars import Bar
from streams.cli.console import err, out, say
from streams.stages import StopRequest

if TYPE_CHECKING:
    from streams.counterfactual.report import Comparison

EXIT_INTERRUPTED = 130


class ProgressBar(Bar):
    """Shows a comparison on the terminal; elsewhere, one line per thing done.

    Args:
        stop: asks to stop.
    """

    def __init__(self, stop: StopRequest) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        super().__init__(Progress(*columns, console=err, disable=not err.is_terminal))
        self._task = self._bar.add_task("reading", total=None)
        self._stop = stop

    def start(self, doing: str, windows: int) -> None:
        """Begin the bar anew."""
        self._bar.reset(self._task, total=windows, description=doing)
        if not err.is_terminal:
            say(doing)

    def advance(self, windows: int) -> bool:
        """Move the bar; True where the user wants to stop."""
        self._bar.update(self._task, completed=windows)
        return self._stop.is_set()


def counterfactual(
    days: Annotated[int, typer.Option(min=1, help="days to simulate")] = 1,
    report: Annotated[Path | None, typer.Option(help="write the figures as JSON")] = None,
    plot: Annotated[Path | None, typer.Option(help="draw the days as an HTML page")] = None,
    site: Annotated[
        Path | None, typer.Option(help="TOML file with the site's model; default: the demo's")
    ] = None,
    data: Annotated[
        list[Path] | None, typer.Option(help="meter file; default: the demo's SimBench week")
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="as of replay: NAME=QUANTITY:UNIT, =device, =time")
    ] = None,
    device: Annotated[str | None, typer.Option(help="device of files without that column")] = None,
    first: Annotated[
        datetime | None,
        typer.Option("--from", formats=["%Y-%m-%d"], help="first day; default: the first whole"),
    ] = None,
    scale: Annotated[
        float | None,
        typer.Option(help="multiplies the base load; default 1 with --site, else the demo's peak"),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(help="of days and hours; default: Europe/Berlin, of --data UTC")
    ] = None,
    peak_hours: Annotated[str, typer.Option(help="hours of the day that cost most")] = "16-21",
    peak_price: Annotated[
        float | None, typer.Option(min=0, help="price in them; default: the site's, as always")
    ] = None,
    deferred: Annotated[
        list[str] | None,
        typer.Option(help="BOARD:OUTPUT that draws later what it missed; default: the demo's"),
    ] = None,
    catch_up: Annotated[
        float, typer.Option(min=0, max=10, help="how much more than its rating it then draws [1]")
    ] = 0.25,
    seed: Annotated[int, typer.Option(min=0, help="of the demo's noise")] = 20_160_521,
) -> None:
    """Simulate days without control, with a static rule and with dispatch, and meter each."""
    stop = StopRequest().listen()  # before much is loaded: Ctrl-C would break an import
    check_folders(report, plot)
    from streams.counterfactual.comparing import compare
    from streams.counterfactual.progress import CancelledError
    from streams.counterfactual.scenario import Options, open_scenario

    options = Options(
        days=days,
        site=site,
        data=tuple(data or ()),
        columns=tuple(column or ()),
        device=device,
        first=None if first is None else first.date(),
        scale=scale,
        timezone=timezone,
        peak_hours=peak_hours,
        peak_price=peak_price,
        deferred=None if deferred is None else tuple(deferred),
        catch_up=catch_up,
        seed=seed,
    )
    try:
        with ProgressBar(stop) as progress:
            scenario = open_scenario(options, say, progress)
            compared = compare(scenario.model, scenario.demand, scenario.terms, progress)
    except CancelledError:
        err.print("stopped; nothing was written")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    _show(compared.report, report, plot)


def check_folders(*files: Path | None) -> None:
    """See that what is reckoned can then be written.

    Raises:
        ConfigurationError: a file's folder is not there.
    """
    problems = [str(path) for path in files if path is not None and not path.parent.is_dir()]
    if problems:
        raise ConfigurationError("The folder of a file to write is not there.", problems=problems)


def _show(found: "Comparison", report: Path | None, plot: Path | None) -> None:
    """The table and what it says; the files that were asked for."""
    from streams.counterfactual.charts import write_page
    from streams.counterfactual.report import as_table, sentences_of

    out.print(as_table(found))
    for sentence in sentences_of(found):
        out.print(f"- {sentence}", markup=False)
    if report is not None:
        report.write_bytes(found.to_json())
    if plot is not None:
        write_page(found, plot)
        out.print(f"plot: {plot}")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(counterfactual)
