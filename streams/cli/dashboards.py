"""`gridloom dashboards`: the Grafana view as files, in Grafana, and checked against real data."""

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from schemas.errors import ConfigurationError
from schemas.settings import Settings, load_settings
from schemas.windows import iso_utc
from streams.cli.connection import connected_settings
from streams.cli.console import out, say

if TYPE_CHECKING:
    from dashboards.grafana.datasources import Sources
    from streams.dashboards.checking import Checked
    from streams.dashboards.substitution import Span

EXIT_FAILED: Final = 1
TOKEN_VARIABLE: Final = "GRAFANA_TOKEN"  # noqa: S105  a variable's name

InfluxUid = Annotated[str | None, typer.Option(help="uid of Grafana's InfluxDB source")]
PrometheusUid = Annotated[str | None, typer.Option(help="uid of Grafana's Prometheus source")]

app = typer.Typer(
    help="Grafana dashboards and alert rules: build the files, publish, check every query.",
    no_args_is_help=True,
)


@app.command()
def build(
    folder: Annotated[Path, typer.Option(help="where the files go; Grafana's provisioning folder")],
    influxdb_uid: InfluxUid = None,
    prometheus_uid: PrometheusUid = None,
) -> None:
    """Write the files that Grafana provisions itself from; the same every time."""
    from dashboards.grafana.provisioning import write_provisioning

    try:
        written = write_provisioning(folder, _sources(influxdb_uid, prometheus_uid))
    except OSError as error:
        raise ConfigurationError(f"{folder} cannot be written: {error}") from error
    for path in written:
        out.print(path, soft_wrap=True)


@app.command()
def publish(
    url: Annotated[str, typer.Option(help="of Grafana, such as http://127.0.0.1:3000")],
    token_file: Annotated[
        Path | None, typer.Option(help=f"file with a token; default: ${TOKEN_VARIABLE}")
    ] = None,
    influxdb_uid: InfluxUid = None,
    prometheus_uid: PrometheusUid = None,
    overwrite: Annotated[bool, typer.Option(help="replace what others have changed")] = True,
) -> None:
    """Create or replace the dashboards in a running Grafana, and read them back."""
    from dashboards.publishing import Grafana
    from dashboards.publishing import publish as publish_to

    sources = _sources(influxdb_uid, prometheus_uid)
    done = publish_to(Grafana(url, _token(token_file)), sources, overwrite=overwrite)
    say(f"Grafana {done.grafana_version}, folder {done.folder}")
    for board in done.dashboards:
        out.print(
            f"{board.title}: {board.panels} panels, version {board.version}: {board.url}",
            soft_wrap=True,
        )
    for note in done.notes:
        out.print(Text(f"note: {note}", "yellow"), soft_wrap=True)


@app.command()
def check(
    prometheus: Annotated[str | None, typer.Option(help="URL; default: not asked")] = None,
    start: Annotated[
        str | None, typer.Option("--from", help="ISO time; default: the historian's last hour")
    ] = None,
    stop: Annotated[str | None, typer.Option("--to", help="ISO time")] = None,
    site: Annotated[
        str | None, typer.Option(help="default: the one with the newest window")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False,
) -> None:
    """Ask every question of every dashboard; fails where one of them cannot be answered."""
    from streams.dashboards.checking import check as check_all

    checked = check_all(
        _reader_settings(),
        prometheus,
        _span(start, stop),
        now_ms=round(time.time() * 1_000),
        site=site,
    )
    if as_json:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(checked), indent=2).decode()
        out.print(text, markup=False, soft_wrap=True)
    else:
        span = f"{iso_utc(checked.span.from_ms)} to {iso_utc(checked.span.to_ms)}"
        out.print(f"site {checked.site or '(none)'}, {span}")
        out.print(_table(checked))
    if checked.failed:
        raise typer.Exit(EXIT_FAILED)


def _sources(influxdb_uid: str | None, prometheus_uid: str | None) -> "Sources":
    """The data sources that are named, ours where none is."""
    from dashboards.grafana.datasources import Sources

    ours = Sources()
    return Sources(influxdb_uid or ours.influxdb, prometheus_uid or ours.prometheus)


def _reader_settings() -> Settings:
    """The configured InfluxDB; where there is none, that of the local stack that runs now."""
    settings = load_settings()
    return settings if settings.influxdb.url else connected_settings()


def _token(path: Path | None) -> str:
    """The token from its file, or else from the environment; never from an argument."""
    if path is None:
        token = os.environ.get(TOKEN_VARIABLE, "").strip()
        if not token:
            raise ConfigurationError(
                "there is no Grafana token",
                hint=f"name a file that holds it: --token-file; or set {TOKEN_VARIABLE}",
            )
        return token
    try:
        return path.expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the token file {path} cannot be read: {error}") from error


def _span(start: str | None, stop: str | None) -> "Span | None":
    """The range that is asked for, None where none is."""
    from streams.dashboards.substitution import Span

    if start is None and stop is None:
        return None
    if start is None or stop is None:
        raise ConfigurationError("--from and --to belong together", hint="name both, or neither")
    span = Span(from_ms=_time_ms("--from", start), to_ms=_time_ms("--to", stop))
    if span.from_ms >= span.to_ms:
        raise ConfigurationError(f"--from {start} is not before --to {stop}")
    return span


def _time_ms(option: str, text: str) -> int:
    """An ISO time, UTC unless it says otherwise [ms since the epoch]."""
    try:
        time_of_day = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{option}: {text!r} is not a time"
        raise ConfigurationError(message, hint="such as 2016-05-21T04:48:00Z") from error
    aware = time_of_day if time_of_day.tzinfo else time_of_day.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000)


def _table(checked: "Checked") -> Table:
    """One line per query."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column("dashboard", no_wrap=True)
    table.add_column("panel", no_wrap=True)
    table.add_column("query", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in checked.rows:
        rows = Text("failed", "bold red") if row.failed else Text(_counted(row.rows))
        note = Text(row.note, "red" if row.failed else "dim")
        table.add_row(Text(row.dashboard), Text(row.place), Text(row.ref_id), rows, note)
    return table


def _counted(rows: int | None) -> str:
    return "-" if rows is None else f"{rows:,}"


def register(parent: typer.Typer) -> None:
    """Add these commands."""
    parent.add_typer(app, name="dashboards")
