"""`gridloom historian` against a real InfluxDB, and against what only looks like one."""

import stat
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from deploy.local_influx import LocalInflux
from schemas.errors import ConfigurationError, GridloomError, HistorianAwayError, HistorianError
from schemas.settings import load_settings
from schemas.windows import iso_utc
from streams.cli.historian import register
from tests.deploy.influx.history import MINUTE_MS, QUARTER_HOUR_MS, made_history
from tests.support.influx import InfluxBucket

pytestmark = pytest.mark.influxdb

START_MS = 1_705_312_800_000
WINDOWS = 400

app = typer.Typer()
register(app)

Gridloom = Callable[..., Result]


@pytest.fixture
def gridloom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gridloom:
    """Runs a command away from any settings of this machine; keywords are variables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRIDLOOM_FOLDER", str(tmp_path / "home"))

    def run(*arguments: str, **variables: str) -> Result:
        env = {f"GRIDLOOM_INFLUXDB__{name.upper()}": text for name, text in variables.items()}
        return CliRunner().invoke(app, ["historian", *arguments], env=env)

    return run


def configured(fresh: InfluxBucket, **others: str) -> dict[str, str]:
    """Variables that configure a test's own buckets."""
    own = {
        "url": fresh.url,
        "bucket": fresh.bucket,
        "token": fresh.tokens.store,
        "read_token": fresh.tokens.reader,
    }
    return own | others


def refused(result: Result) -> GridloomError:
    """The error that the command line shows as a sentence, with its hint."""
    error = result.exception
    assert isinstance(error, GridloomError), result.output
    return error


def operator_token(influx: LocalInflux) -> str:
    return str(influx.folder / "operator.token")


@contextmanager
def something_else(*, status: int, **headers: str) -> Iterator[str]:
    """A web server that answers everything alike; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, text in headers.items():
                self.send_header(name.replace("_", "-"), text)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_what_setup_prints_are_settings_that_check_finds_good(
    influx: LocalInflux, gridloom: Gridloom, tmp_path: Path
) -> None:
    """S1-06: an InfluxDB of one's own becomes the historian with one command."""
    arguments = ("--url", influx.url, "--operator-token-file", operator_token(influx))
    done = gridloom("setup", *arguments, "--bucket", "their é", "--folder", "own é")
    assert done.exit_code == 0, done.exception
    (tmp_path / "gridloom.toml").write_text(done.stdout, encoding="utf-8")
    settings = load_settings()
    assert settings.uses_influxdb
    assert (settings.influxdb.bucket, settings.influxdb.url) == ("their é", influx.url)
    assert settings.influxdb.store_secret() != settings.influxdb.reader_secret()
    files = [settings.influxdb.token_file, settings.influxdb.read_token_file]
    assert [path.parent for path in files if path] == [tmp_path / "own é"] * 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in files if path} == {0o600}
    checked = gridloom("check")
    assert checked.exit_code == 0, checked.output
    assert "Bucket their é_15m keeps points forever." in checked.stdout
    assert "Readers may read, and nothing else." in checked.stdout


def test_setup_again_prints_the_same(influx: LocalInflux, gridloom: Gridloom) -> None:
    arguments = ("--url", influx.url, "--operator-token-file", operator_token(influx))
    first = gridloom("setup", *arguments, "--bucket", "again")
    secrets = load_settings_of(first)
    second = gridloom("setup", *arguments, "--bucket", "again")
    assert (second.stdout, load_settings_of(second)) == (first.stdout, secrets)


def load_settings_of(result: Result) -> list[str]:
    """Contents of the token files that setup names."""
    section = tomllib.loads(result.stdout)["influxdb"]
    return [Path(section[key]).read_text("utf-8") for key in ("token_file", "read_token_file")]


def test_a_retention_that_replayed_history_may_not_fit_is_pointed_out(
    influx: LocalInflux, gridloom: Gridloom, tmp_path: Path
) -> None:
    done = gridloom(
        "setup",
        *("--url", influx.url, "--operator-token-file", operator_token(influx)),
        *("--bucket", "forgetful", "--retention-days", "30"),
    )
    (tmp_path / "gridloom.toml").write_text(done.stdout, encoding="utf-8")
    checked = gridloom("check")
    assert checked.exit_code == 0
    assert "Bucket forgetful keeps points for 30 days." in checked.stdout
    assert "--retention-days 0" in checked.stdout


def test_setup_with_a_token_that_is_wrong_or_may_not_is_refused(
    influx_bucket: InfluxBucket, gridloom: Gridloom, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    arguments = ("setup", "--url", influx_bucket.url, "--operator-token-file", str(token))
    assert "cannot be read" in refused(gridloom(*arguments)).message
    token.write_text("wrong", encoding="utf-8")
    assert "does not accept the token" in refused(gridloom(*arguments)).message
    token.write_text(influx_bucket.tokens.store, encoding="utf-8")
    error = refused(gridloom(*arguments))
    assert "may not set up" in error.message
    assert "operator's token" in error.hint


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        ("1.8.10", "is an InfluxDB 1.8.10, and Gridloom needs version 2"),
        ("3.2.1", "is an InfluxDB 3.2.1, and Gridloom needs version 2"),
        ("v2.7.12", "is an InfluxDB v2.7.12, and Gridloom needs version 2"),
    ],
)
def test_an_influxdb_without_the_api_of_version_2_is_refused(
    version: str, sentence: str, gridloom: Gridloom
) -> None:
    """Both of the others answer a ping with their version; the last one only claims to be 2."""
    with something_else(status=404, X_Influxdb_Version=version) as url:
        error = refused(gridloom("check", url=url, token="any"))  # noqa: S106  no secret
    assert isinstance(error, HistorianError)
    assert sentence in error.message
    assert error.hint


def test_something_else_than_an_influxdb_is_refused(gridloom: Gridloom) -> None:
    with something_else(status=200) as url:
        error = refused(gridloom("check", url=url, token="any"))  # noqa: S106  no secret
    assert "is not an InfluxDB" in error.message
    assert "8086" in error.hint


def test_an_influxdb_that_is_away_is_told_in_a_sentence(gridloom: Gridloom) -> None:
    for command in ("check", "downsample"):
        error = refused(gridloom(command, url="http://127.0.0.1:1", token="any"))  # noqa: S106
        assert isinstance(error, HistorianAwayError)
        assert error.message == "No InfluxDB answers at http://127.0.0.1:1."
        assert error.hint


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8086", "influxdb", "http://", "http://[", "ftp://127.0.0.1"]
)
def test_an_address_that_is_none_is_refused(url: str, gridloom: Gridloom) -> None:
    for command in ("check", "downsample"):
        error = refused(gridloom(command, url=url, token="any"))  # noqa: S106  no secret
        assert "is no address of an InfluxDB" in error.message
        assert "http://127.0.0.1:8086" in error.hint


def test_without_an_influxdb_in_the_settings_there_is_nothing_to_check(gridloom: Gridloom) -> None:
    for command in ("check", "downsample"):
        error = refused(gridloom(command))
        assert isinstance(error, ConfigurationError)
        assert "historian setup" in error.hint


def test_check_names_a_store_token_that_is_not_accepted(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    checked = gridloom("check", **configured(influx_bucket, token="wrong"))  # noqa: S106
    assert checked.exit_code == 1
    assert "does not accept the token of the role store" in checked.stdout
    assert "wrong" not in checked.stdout.replace("wrong ", "")
    assert "Readers may read, and nothing else." in checked.stdout


def test_check_names_a_bucket_and_an_organisation_that_are_not_there(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    checked = gridloom("check", **configured(influx_bucket, bucket="nowhere"))
    assert checked.exit_code == 1
    assert 'Bucket nowhere_1m takes no points: bucket "nowhere_1m" not found.' in checked.stdout
    assert 'Readers cannot read: bucket "nowhere" not found.' in checked.stdout
    checked = gridloom("check", **configured(influx_bucket, org="nobody"))
    assert checked.exit_code == 1
    assert 'organization name "nobody" not found' in checked.stdout
    assert "historian setup" in checked.stdout


def test_check_names_a_store_that_may_only_read(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    reader = influx_bucket.tokens.reader
    checked = gridloom("check", **configured(influx_bucket, token=reader))
    assert checked.exit_code == 1
    assert f"The role store may not write to bucket {influx_bucket.bucket}." in checked.stdout


def test_check_points_out_readers_that_may_write_and_names_those_that_cannot_read(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    store = influx_bucket.tokens.store
    checked = gridloom("check", **configured(influx_bucket, read_token=store))
    assert checked.exit_code == 0
    assert "Readers may also write." in checked.stdout
    checked = gridloom("check", **configured(influx_bucket, read_token="wrong"))  # noqa: S106
    assert checked.exit_code == 1
    assert "Readers cannot read: unauthorized access." in checked.stdout


def test_check_writes_nothing(influx_bucket: InfluxBucket, gridloom: Gridloom) -> None:
    gridloom("check", **configured(influx_bucket))
    for bucket in influx_bucket.operator.buckets:
        assert influx_bucket.rows(f'from(bucket: "{bucket}") |> range(start: 0)') == []


def test_downsample_takes_all_that_is_stored_and_shows_how_far_it_is(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    history = made_history(START_MS, WINDOWS)
    influx_bucket.write(history.lines())
    done = gridloom("downsample", **configured(influx_bucket))
    assert done.exit_code == 0, done.exception
    minutes, quarters = (
        sum(field == "count" for _, field, _ in history.means(each))
        for each in (MINUTE_MS, QUARTER_HOUR_MS)
    )
    said = f"{minutes} means of 1 minute and {quarters} of 15 minutes"
    assert said in done.stdout
    assert f"from {iso_utc(START_MS)} to {iso_utc(START_MS + WINDOWS * 5_000)}" in done.stdout
    assert "100%" in done.stderr


def test_downsample_takes_the_range_that_it_is_given(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    history = made_history(START_MS, WINDOWS)
    influx_bucket.write(history.lines())
    span = ("--from", iso_utc(START_MS), "--to", iso_utc(START_MS + QUARTER_HOUR_MS))
    done = gridloom("downsample", *span, **configured(influx_bucket))
    assert done.exit_code == 0, done.exception
    bucket = influx_bucket.operator.quarter_hour_bucket
    rows = influx_bucket.rows(f'from(bucket: "{bucket}") |> range(start: 0)')
    assert {round(row["_time"].timestamp() * 1_000) for row in rows} == {START_MS}


def test_downsample_refuses_a_range_that_is_none(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    variables = configured(influx_bucket)
    error = refused(gridloom("downsample", **variables))
    assert f"Bucket {influx_bucket.bucket} holds no windows" in error.message
    influx_bucket.write(made_history(START_MS, 12).lines())
    backwards = gridloom("downsample", "--from", "2024-02-01", "--to", "2024-01-31", **variables)
    assert backwards.exit_code == 2
    assert "2024-02-01T00:00:00Z" in backwards.stderr
    wrong = gridloom("downsample", "--from", "yesterday", **variables)
    assert wrong.exit_code == 2
    assert "2024-03-01T06:00:00Z" in wrong.stderr


def test_a_reader_s_token_cannot_downsample(
    influx_bucket: InfluxBucket, gridloom: Gridloom
) -> None:
    influx_bucket.write(made_history(START_MS, 12).lines())
    reader = influx_bucket.tokens.reader
    error = refused(gridloom("downsample", **configured(influx_bucket, token=reader)))
    assert isinstance(error, HistorianError)
