"""`gridloom dashboards`: files, publishing and checking from the command line."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboards.grafana.provisioning import CHECKED_IN, provisioning_files
from dashboards.refusals import GrafanaError
from schemas.errors import ConfigurationError, HistorianError
from streams.cli import console, dashboards
from tests.support.grafana_run import GrafanaRun
from tests.support.grafana_server import TOKEN, GrafanaServer, grafana_server
from tests.support.influx import InfluxBucket

Command = Callable[..., Result]

BEFORE = ("--from", "2001-01-01T00:00:00Z", "--to", "2001-01-02")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Runs the command with arguments, in an empty folder, on a wide terminal."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console.out, "width", 200)
    monkeypatch.setenv("GRIDLOOM_FOLDER", str(tmp_path))
    monkeypatch.delenv(dashboards.TOKEN_VARIABLE, raising=False)

    def run(*arguments: str) -> Result:
        result = CliRunner().invoke(dashboards.app, arguments)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def server() -> Iterator[GrafanaServer]:
    """A server that keeps to Grafana's API."""
    with grafana_server() as running:
        yield running


@pytest.fixture
def from_influx(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> InfluxBucket:
    """The settings of the environment name the InfluxDB that holds the run."""
    bucket = request.getfixturevalue("filled")
    assert isinstance(bucket, InfluxBucket)
    token = tmp_path / "token"
    token.write_text(bucket.tokens.reader + "\n", encoding="ascii")
    monkeypatch.setenv("GRIDLOOM_INFLUXDB__URL", bucket.url)
    monkeypatch.setenv("GRIDLOOM_INFLUXDB__BUCKET", bucket.bucket)
    monkeypatch.setenv("GRIDLOOM_INFLUXDB__READ_TOKEN_FILE", str(token))
    return bucket


def test_build_writes_what_is_checked_in(command: Command, tmp_path: Path) -> None:
    result = command("build", "--folder", str(tmp_path / "grafana"))
    assert len(result.stdout.split()) == len(provisioning_files())
    for path in map(Path, result.stdout.split()):
        same = CHECKED_IN / path.relative_to(tmp_path / "grafana")
        assert path.read_bytes() == same.read_bytes()


def test_build_can_name_other_data_sources(command: Command, tmp_path: Path) -> None:
    command("build", "--folder", str(tmp_path), "--influxdb-uid", "a", "--prometheus-uid", "b")
    rules = (tmp_path / "alerting" / "gridloom.yaml").read_text(encoding="utf-8")
    assert 'datasourceUid: "a"' in rules
    assert 'datasourceUid: "b"' in rules
    assert "gridloom-influxdb" not in rules


def test_build_into_a_file_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x", encoding="ascii")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        command("build", "--folder", str(tmp_path / "taken"))


def test_publish_takes_the_token_from_a_file(
    command: Command, server: GrafanaServer, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n", encoding="ascii")
    result = command("publish", "--url", server.url, "--token-file", str(token))
    assert "Gridloom: operations: " in result.stdout
    assert f"version 1: {server.url}/d/gridloom-operations/" in result.stdout
    assert len(server.boards) == 3


def test_publish_takes_the_token_from_the_environment(
    command: Command, server: GrafanaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(dashboards.TOKEN_VARIABLE, TOKEN)
    server.sources = []
    result = command("publish", "--url", server.url, "--influxdb-uid", "mine")
    assert "note: there is no data source with the uid mine (of type influxdb)" in result.stdout
    assert "no data source with the uid gridloom-prometheus" in result.stdout


def test_publish_leaves_others_changes_if_asked_to(
    command: Command, server: GrafanaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(dashboards.TOKEN_VARIABLE, TOKEN)
    command("publish", "--url", server.url)
    with pytest.raises(GrafanaError, match="412"):
        command("publish", "--url", server.url, "--no-overwrite")


def test_publish_without_a_token_is_told(command: Command, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no Grafana token"):
        command("publish", "--url", "http://127.0.0.1:1")
    missing = str(tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match=r"the token file .* cannot be read"):
        command("publish", "--url", "http://127.0.0.1:1", "--token-file", missing)


@pytest.mark.influxdb
@pytest.mark.usefixtures("from_influx")
def test_check_prints_rows_by_dashboard_and_panel(command: Command, run: GrafanaRun) -> None:
    """Issue 4: each dashboard's panels with the row counts of their queries."""
    result = command("check")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"site {run.site}, 2023-11-14T21:17:00Z to ")
    (line,) = [each for each in result.stdout.splitlines() if "Completeness of windows" in each]
    assert line.split()[:2] == ["Gridloom:", "operations"]
    assert line.split()[-2:] == ["A", "44"]


@pytest.mark.influxdb
@pytest.mark.usefixtures("from_influx")
def test_check_says_why_nothing_is_shown(command: Command) -> None:
    result = command("check", *BEFORE)
    assert result.exit_code == 0
    assert "no relay states in this range" in result.stdout
    assert "2001-01-01T00:00:00Z to 2001-01-02T00:00:00Z" in result.stdout


@pytest.mark.influxdb
@pytest.mark.usefixtures("from_influx")
def test_check_fails_where_a_query_does(command: Command) -> None:
    result = command("check", "--json", "--prometheus", "http://127.0.0.1:1")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)["rows"]
    failed = {row["kind"] for row in rows if row["failed"]}
    assert failed == {"prometheus"}
    assert all("cannot be reached" in row["note"] for row in rows if row["failed"])


def test_check_without_influxdb_is_told(command: Command) -> None:
    with pytest.raises(HistorianError, match="the historian that is configured is none"):
        command("check")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "2001-01-01"), "belong together"),
        (("--from", "soon", "--to", "2001-01-01"), "'soon' is not a time"),
        (("--from", "2001-01-02", "--to", "2001-01-01"), "is not before"),
    ],
)
def test_a_span_that_makes_no_sense_is_told(
    command: Command, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        command("check", *arguments)
