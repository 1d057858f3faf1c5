"""`gridloom bench`: benchmarks, and a table of what they found."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.processes import orderly_signals
from schemas.settings import Settings, load_settings
from streams.benchmarking.registry import ALL, BENCHMARKS, benchmarks_named, run_benchmarks
from streams.benchmarking.rounds import Bench
from streams.cli.bars import Bar
from streams.cli.console import err, out, say

READINGS: Final = 1_000_000
QUICK_READINGS: Final = 100_000


class ProgressBar(Bar):
    """Shows a benchmark on the terminal; elsewhere, one line per step."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        super().__init__(
            Progress(*columns, TimeElapsedColumn(), console=err, disable=not err.is_terminal)
        )
        self._task = self._bar.add_task("", total=None)
        self._title = ""

    def start(self, title: str, steps: int) -> None:
        """Begin a bar anew."""
        self._title = title
        self._bar.reset(self._task, total=steps, completed=-1)

    def step(self, doing: str) -> None:
        """Move the bar, and say what it waits for."""
        self._bar.update(self._task, advance=1, description=f"{self._title}: {doing}")
        if not err.is_terminal:
            say(f"{self._title}: {doing}")

    def note(self, sentence: str) -> None:
        """A sentence above the bar."""
        say(sentence)


def bench(
    name: Annotated[str | None, typer.Argument(help=f"{', '.join(BENCHMARKS)} or {ALL}")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="write the report as JSON")] = None,
    plot: Annotated[Path | None, typer.Option(help="draw the report as an HTML page")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="rounds that count; medians of them")] = 5,
    quick: Annotated[bool, typer.Option(help="small cases, to see that all works")] = False,
    peers: Annotated[bool, typer.Option(help="align: measure other stream engines, too")] = True,
    readings: Annotated[
        int | None, typer.Option(min=10_000, help=f"size of align; default {READINGS:,}")
    ] = None,
    windows: Annotated[
        int | None, typer.Option(min=1, help="length of latency, in windows of 5 s; default 30")
    ] = None,
) -> None:
    """Measure Gridloom beside its peers; without a name, list the benchmarks."""
    from streams.benchmarking.tables import listed, shown

    if name is None:
        out.print(listed())
        return
    names = benchmarks_named(name)
    size = readings or (QUICK_READINGS if quick else READINGS)
    settings = load_settings()
    with _scratch_folder(settings) as folder, orderly_signals(), ProgressBar() as progress:
        report = run_benchmarks(
            names,
            Bench(
                settings=settings,
                folder=folder,
                progress=progress,
                readings=size,
                rounds=rounds,
                quick=quick,
                windows=windows,
                peers=peers,
            ),
        )
    out.print(shown(report))
    if json is not None:
        json.write_bytes(report.to_json())
    if plot is not None:
        from streams.benchmarking.plots import write_page

        write_page(report, plot)
        out.print(f"plot: {plot}")


@contextmanager
def _scratch_folder(settings: Settings) -> Iterator[Path]:
    """A folder on the disk that Gridloom uses; nothing of it is left behind."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=settings.home) as folder:
        yield Path(folder)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(bench)
