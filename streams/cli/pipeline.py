"""Commands that run the pipeline: demo, up, run, stop."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from deploy.folder_lock import FolderLock
from schemas.roles import OPERATOR
from schemas.settings import Settings, load_settings
from streams.cli.connection import connected_settings
from streams.cli.console import out, say
from streams.finding import local_folders
from streams.kafka import require_broker
from streams.local_pipeline import LocalPipeline, StageProcesses, fresh_clock
from streams.site_files import read_site_files
from streams.stage_registry import STAGES, check_stages
from streams.stages import StopRequest
from streams.stop_switch import set_stop

StageNames = Annotated[
    list[str] | None, typer.Argument(metavar="[STAGE]...", help=f"{', '.join(STAGES)}")
]
Speed = Annotated[
    float,
    typer.Option(min=0, help="pipeline seconds per second; 0: time comes from replayed data"),
]
SiteFiles = Annotated[
    list[Path] | None, typer.Option("--site", help="TOML file of a site to declare (repeatable)")
]


def up(
    stages: StageNames = None,
    port: Annotated[int | None, typer.Option(help="Kafka's port; default: a free one")] = None,
    speed: Speed = 1.0,
    site: SiteFiles = None,
    fresh: Annotated[bool, typer.Option(help="delete what an earlier run kept")] = False,
    secure: Annotated[
        bool, typer.Option("--secure", help="TLS, a user and access rules for every role")
    ] = False,
) -> None:
    """Run a local Kafka and the named stages until Ctrl-C, for your own producers."""
    names = stages or []
    check_stages(names)
    settings = load_settings()
    models = read_site_files(site or [])
    folder = settings.home / "local"
    if fresh:
        _delete(folder)
    stop = StopRequest().listen()
    with LocalPipeline(settings, folder, port=port, secure=secure, report=say) as pipeline:
        pipeline.up(fresh_clock(speed), models, stores="store" in names)
        pipeline.stages.start(names)
        pipeline.stages.wait_until_ready(names, cancelled=stop.is_set)
        out.print(f"Kafka: {pipeline.kafka.bootstrap_servers}", soft_wrap=True)
        if "store" in names:
            out.print(f"historian: {_historian_in_words(pipeline.settings)}", soft_wrap=True)
        if pipeline.kafka.users is not None:
            out.print(f"users: {pipeline.kafka.users.folder}", soft_wrap=True)
        out.print(f"folder: {folder}", soft_wrap=True)
        out.print(f"stages: {', '.join(names) or 'none'}; Ctrl-C stops everything")
        _watch(pipeline.stages, stop, pipeline.require_servers)


def _delete(folder: Path) -> None:
    """Delete what an earlier run kept, unless it still runs."""
    FolderLock(folder / "kafka").release()
    shutil.rmtree(folder)


def _historian_in_words(settings: Settings) -> str:
    """Where store writes to."""
    if settings.uses_influxdb:
        return f"InfluxDB {settings.influxdb.url}, bucket {settings.influxdb.bucket}"
    return f"SQLite {settings.historian_path}"


def run(
    stages: StageNames = None,
    slot: Annotated[
        int, typer.Option(min=0, max=99, help="number of this process among its like")
    ] = 0,
) -> None:
    """Run stages against the configured Kafka until Ctrl-C.

    Several processes of one stage share its partitions. Each needs a slot of its own: a second
    one in the same slot takes the place of the first.
    """
    names = stages or []
    check_stages(names)
    settings = load_settings()
    require_broker(settings.kafka)
    folder = settings.home / "logs" / (str(slot) if slot else "")
    processes = StageProcesses(settings, folder, slot, report=say)
    stop = StopRequest().listen()
    try:
        processes.start(names)
        processes.wait_until_ready(names, cancelled=stop.is_set)
        out.print(f"stages: {', '.join(names)}; logs in {folder}", soft_wrap=True)
        _watch(processes, stop, lambda: None)
    finally:
        processes.stop()


def _watch(processes: StageProcesses, stop: StopRequest, check: Callable[[], None]) -> None:
    """Restart what crashes, until asked to stop or ``check`` raises."""
    while not stop:
        check()
        processes.poll()  # tells of crashes by itself
        time.sleep(0.2)


def stop(
    release: Annotated[bool, typer.Option(help="let commands through again")] = False,
    reason: Annotated[str, typer.Option(help="for the record")] = "operator",
) -> None:
    """Stop all commands, everywhere; loads return to their own state as leases lapse."""
    folders = local_folders(load_settings().home)
    settings = connected_settings(OPERATOR)
    told = set_stop(settings, stopped=not release, reason=reason, folders=folders)
    out.print(told, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(up)
    app.command(no_args_is_help=True)(run)
    app.command()(stop)
