"""`gridloom chaos`: the whole loop with faults at random, held against an undisturbed align."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from schemas.settings import load_settings
from schemas.windows import WINDOW_MS
from streams.cli.console import err, out
from streams.cli.demo import EXIT_INTERRUPTED
from streams.stages import StopRequest

if TYPE_CHECKING:
    from streams.chaos.report import ChaosReport
    from streams.chaos.view import ChaosView


def chaos(
    seed: Annotated[int, typer.Option(help="decides which faults happen, and when")] = 1,
    minutes: Annotated[
        float, typer.Option(min=0.1, max=600, help="length of the disturbed phase")
    ] = 5.0,
    speed: Annotated[
        float, typer.Option(min=0.1, max=20, help="pipeline seconds per second")
    ] = 10.0,
    cluster: Annotated[
        bool, typer.Option(help="three brokers, of which the leading one is killed")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="write the figures as JSON")] = None,
) -> None:
    """Kill, pause and double processes of the running loop; then check that nothing shows."""
    stop = StopRequest().listen()  # before much is loaded: Ctrl-C would break an import
    from hardware.demo_site import demo_site
    from hardware.simbench_slice import load_slice
    from streams.chaos.plan import make_plan
    from streams.chaos.runner import ChaosRunner, run_chaos
    from streams.demo.runner import DemoCancelledError, DemoOptions, DemoRunner

    settings, seconds = load_settings(), 60 * minutes
    options = DemoOptions(round(1000 * seconds * speed / WINDOW_MS), speed, cluster=cluster)
    try:
        with _view(f"Gridloom chaos: seed {seed}, {minutes:g} minutes, speed {speed:g}") as view:
            demo = DemoRunner(settings, demo_site(load_slice()), options, view, stop.is_set)
            runner = ChaosRunner(demo, make_plan(seed, seconds), seconds, view)
            found = run_chaos(runner, seed)
    except DemoCancelledError:
        err.print("stopped; nothing is left running")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if report is not None:
        report.write_bytes(found.to_json())
    _show(found)
    raise typer.Exit(not found.is_clean)


def _view(title: str) -> "ChaosView":
    from streams.chaos.view import LiveChaos, PlainChaos

    live = err.is_terminal and not err.is_dumb_terminal
    return LiveChaos(err, title) if live else PlainChaos(err)


def _show(found: "ChaosReport") -> None:
    """The faults and the result."""
    from streams.chaos.report import faults_table, in_words

    out.print(faults_table(found))
    for problem in found.problems:
        out.print(f"- {problem}", markup=False)
    for line in in_words(found):
        out.print(line, markup=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(chaos)
