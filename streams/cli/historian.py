"""`gridloom historian`: set up an InfluxDB, look whether it serves, downsample history."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from schemas.errors import ConfigurationError, HistorianError
from schemas.settings import InfluxSettings, load_settings
from schemas.windows import iso_utc
from streams.cli.connection import connected_settings
from streams.cli.console import err, out
from streams.cli.times import time_ms

if TYPE_CHECKING:
    from deploy.influx_api import InfluxConnection

EXIT_DOES_NOT_SERVE = 1
_CHUNK_TIMEOUT_S = 300.0

historian = typer.Typer(
    help="An InfluxDB as the historian: set it up, check it, downsample history.",
    no_args_is_help=True,
)


_TIME = {"parser": time_ms, "metavar": "TIME"}
From = Annotated[int | None, typer.Option("--from", help="default: the first window", **_TIME)]
To = Annotated[int | None, typer.Option("--to", help="default: the last window", **_TIME)]
Days = Annotated[int | None, typer.Option(min=0, help="days that 5-second points stay; 0: forever")]


@historian.command(no_args_is_help=True)
def setup(
    url: Annotated[str, typer.Option(help="such as http://127.0.0.1:8086")],
    operator_token_file: Annotated[Path, typer.Option(help="file with a token that may set up")],
    folder: Annotated[Path | None, typer.Option(help="for the token files")] = None,
    org: Annotated[str, typer.Option(help="organisation")] = "gridloom",
    bucket: Annotated[str, typer.Option(help="bucket of the 5-second points")] = "gridloom",
    retention_days: Days = None,
) -> None:
    """Make organisation, buckets, tokens and tasks in an InfluxDB; print the settings for it."""
    from deploy.influx_api import InfluxConnection, influx_version
    from deploy.influx_provisioning import Retention, provision
    from deploy.secret_files import write_secret

    token = InfluxSettings(url=url, token_file=operator_token_file).store_secret()
    influx_version(url)
    connection = InfluxConnection(url, org, bucket, token)
    tokens = provision(connection, Retention(raw_days=retention_days))
    home = (folder or load_settings().home / "influxdb").expanduser().resolve()
    written = {"token_file": tokens.store, "read_token_file": tokens.reader}
    section = {"url": url, "org": org, "bucket": bucket}
    for key, secret in written.items():
        path = home / f"{bucket}.{key.removesuffix('_file').replace('_', '-')}"
        write_secret(path, secret)
        section[key] = str(path)
    # A JSON string is a TOML string.
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in section.items()]
    out.print("\n".join(["[influxdb]", *lines]), markup=False, soft_wrap=True)


@historian.command()
def check() -> None:
    """Tell whether the configured InfluxDB serves; fails where it does not."""
    from deploy.influx_examining import examine_influx

    connection, reader_token = _configured()
    findings = examine_influx(connection, reader_token)
    out.print(f"{connection.url}, organisation {connection.org}:", markup=False, soft_wrap=True)
    for finding in findings:
        mark = Text("ok   ", "green") if finding.is_ok else Text("wrong", "bold red")
        out.print(mark, Text(finding.sentence), soft_wrap=True)
        if finding.hint:
            out.print("     ", Text(finding.hint, "yellow"), soft_wrap=True)
    if not all(finding.is_ok for finding in findings):
        raise typer.Exit(EXIT_DOES_NOT_SERVE)


@historian.command()
def downsample(
    start: From = None,
    end: To = None,
) -> None:
    """Write the 1-minute and 15-minute means of stored history, such as what was replayed.

    New points are downsampled by InfluxDB itself; what is written already stays the same.
    """
    from deploy.influx_api import influx_version
    from deploy.influx_downsampling import downsample as downsample_range
    from deploy.influx_downsampling import stored_range

    connection, _ = _configured()
    influx_version(connection.url)
    stored = stored_range(connection)
    if stored is None:
        message = f"Bucket {connection.bucket} holds no windows to be downsampled."
        raise HistorianError(message, hint="The stage store writes them.")
    first_ms, last_ms = stored
    from_ms = first_ms if start is None else start
    to_ms = last_ms if end is None else end
    if from_ms >= to_ms:
        message = f"There is nothing between {iso_utc(from_ms)} and {iso_utc(to_ms)}."
        raise typer.BadParameter(message)
    columns = (TextColumn("downsampling"), BarColumn(), TaskProgressColumn())
    with Progress(*columns, TimeRemainingColumn(), console=err) as bar:
        task = bar.add_task("")

        def show(done_ms: int, of_ms: int) -> None:
            bar.update(task, completed=done_ms, total=of_ms)

        written = downsample_range(connection, from_ms, to_ms, show)
    out.print(
        f"{written.minutes:,} means of 1 minute and {written.quarter_hours:,} of 15 minutes,"
        f" from {iso_utc(from_ms)} to {iso_utc(to_ms)}",
        soft_wrap=True,
    )


def _configured() -> tuple["InfluxConnection", str]:
    """The configured InfluxDB with the token of the role store, and the reader's token."""
    from deploy.influx_api import InfluxConnection

    influx = connected_settings().influxdb
    if not influx.url:
        raise ConfigurationError(
            "No InfluxDB is configured as the historian.",
            hint="Set [influxdb] url; `gridloom historian setup` prints the whole section.",
        )
    store = InfluxConnection(
        influx.url, influx.org, influx.bucket, influx.store_secret(), _CHUNK_TIMEOUT_S
    )
    return store, influx.reader_secret()


def register(app: typer.Typer) -> None:
    """Add these commands."""
    app.add_typer(historian, name="historian")
