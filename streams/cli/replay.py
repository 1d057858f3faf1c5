"""`gridloom replay`: files into the telemetry topics."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from schemas.roles import REPLAY
from schemas.windows import iso_utc
from streams.cli.bars import Bar
from streams.cli.connection import connected_settings
from streams.cli.console import err, out, say
from streams.replay.options import ReplayOptions, ReplayReport


class ProgressBar(Bar):
    """Shows a replay on the terminal."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        super().__init__(Progress(*columns, TimeRemainingColumn(), console=err))
        self._task = self._bar.add_task("replaying", total=None, visible=False)

    def note(self, sentence: str) -> None:
        """A sentence above the bar."""
        say(sentence)

    def start(self, readings: int) -> None:
        """Show the bar."""
        self._bar.update(self._task, total=readings, visible=True)

    def advance(self, readings: int) -> None:
        """Move the bar."""
        self._bar.advance(self._task, readings)


def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV, CSV.gz or Parquet files")],
    site: Annotated[str | None, typer.Option(help="site; default: the first file's name")] = None,
    site_file: Annotated[Path | None, typer.Option(help="TOML file with the site's model")] = None,
    device: Annotated[str | None, typer.Option(help="device of files without that column")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="NAME=QUANTITY:UNIT, NAME=device or NAME=time")
    ] = None,
    quantity: Annotated[
        list[str] | None, typer.Option(help="what to send; default: active power, all weather")
    ] = None,
    interval: Annotated[float | None, typer.Option(help="spacing of the readings [s]")] = None,
    end_stamped: Annotated[bool, typer.Option(help="stamps mark the end of an interval")] = False,
    known_at_end: Annotated[
        bool, typer.Option(help="play values when they were known, at their interval's end")
    ] = False,
    rebase: Annotated[bool, typer.Option(help="shift the file's time to start now")] = False,
    speed: Annotated[float | None, typer.Option(help="refuse any other pipeline speed")] = None,
    batch: Annotated[int, typer.Option(min=1, help="readings per message")] = 1,
) -> None:
    """Replay meter and weather files into the telemetry topics."""
    from streams.replay.command import replay as replay_files

    options = ReplayOptions(
        site=site,
        site_file=site_file,
        device=device,
        columns=tuple(column or ()),
        quantities=tuple(quantity or ()),
        interval_s=interval,
        end_stamped=end_stamped,
        known_at_end=known_at_end,
        rebase=rebase,
        speed=speed,
        batch=batch,
    )
    with ProgressBar() as progress:
        report = replay_files(files, connected_settings(REPLAY), options, progress)
    _show(report)


def _show(report: ReplayReport) -> None:
    """What was sent, in a few lines."""
    state = "interrupted" if report.interrupted else "done"
    out.print(
        f"{state}: {report.readings:,} readings of {report.rows:,} rows to site {report.site},"
        f" {report.bad_rows:,} bad rows, {report.readings_per_s:,.0f} readings/s"
    )
    if report.first_ms is not None and report.last_ms is not None:
        out.print(f"from {iso_utc(report.first_ms)} to {iso_utc(report.last_ms)}")


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command(no_args_is_help=True)(replay)
