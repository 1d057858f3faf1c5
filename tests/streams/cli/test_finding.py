"""Which Kafka a command talks to: configured, running on this machine, or the default."""

from pathlib import Path

import pytest

from deploy.folder_lock import FolderLock
from deploy.kafka_settings import server_properties
from deploy.local_influx import LocalInflux
from schemas.errors import ConfigurationError
from schemas.settings import InfluxSettings, Settings
from streams.cli.connection import connected_settings
from streams.finding import (
    LocalStack,
    historian_paths,
    historian_places,
    running_local_influx,
    running_local_kafka,
    running_local_stack,
)
from streams.historians.opening import InfluxPlace, SqlitePlace, open_historian


def lay_out(folder: Path, port: int) -> Path:
    """A Kafka's folder as its server leaves it: the properties and a pid file."""
    kafka = folder / "kafka"
    kafka.mkdir(parents=True)
    text = server_properties(port, port + 1)
    (kafka / "server.properties").write_text(text, encoding="ascii")
    (kafka / "kafka.pid").write_text("1\n", encoding="ascii")
    return kafka


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of Gridloom's, and no settings from anywhere else."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("GRIDLOOM_CONFIG", raising=False)
    monkeypatch.setenv("GRIDLOOM_FOLDER", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.mark.kafka
def test_a_kafka_that_runs_is_found(local_stack: LocalStack) -> None:
    settings = Settings(folder=local_stack.folder.parent)
    assert running_local_stack(settings) == local_stack
    assert running_local_kafka(settings) == local_stack.bootstrap_servers


def test_a_kafka_that_has_ended_is_not_found(home: Path) -> None:
    """Its pid file stays; only the lock tells that it runs."""
    folder = lay_out(home / "local", 29_000)
    settings = Settings(folder=home)
    assert running_local_kafka(settings) is None
    lock = FolderLock(folder)
    assert running_local_kafka(settings) == "127.0.0.1:29000"
    lock.release()
    assert running_local_kafka(settings) is None


def test_looking_for_a_kafka_leaves_its_folder_free(home: Path) -> None:
    folder = lay_out(home / "local", 29_000)
    assert running_local_kafka(Settings(folder=home)) is None
    FolderLock(folder).release()


def test_that_of_up_comes_before_that_of_a_demo(home: Path) -> None:
    locks = [FolderLock(lay_out(home / "demo-x1", 29_100))]
    assert running_local_kafka(Settings(folder=home)) == "127.0.0.1:29100"
    locks.append(FolderLock(lay_out(home / "local", 29_000)))
    assert running_local_kafka(Settings(folder=home)) == "127.0.0.1:29000"
    for lock in locks:
        lock.release()


def test_a_kafka_that_is_still_being_laid_out_is_not_found(home: Path) -> None:
    lock = FolderLock(home / "local" / "kafka")
    assert running_local_kafka(Settings(folder=home)) is None
    lock.release()


def test_a_command_uses_the_local_stack_and_its_folder(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = FolderLock(lay_out(home / "local", 29_000))
    settings = connected_settings()
    lock.release()
    assert settings.kafka.bootstrap_servers == "127.0.0.1:29000"
    assert settings.home == home / "local"
    assert "using the local stack" in capsys.readouterr().err


def test_without_any_the_default_stands(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = connected_settings()
    assert settings == Settings(folder=home)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("by", ["variable", "file"])
def test_what_is_configured_counts_first(
    home: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Even where it names the default address."""
    lock = FolderLock(lay_out(home / "local", 29_000))
    if by == "variable":
        monkeypatch.setenv("GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    else:
        text = '[kafka]\nbootstrap_servers = "127.0.0.1:9092"\n'
        Path("gridloom.toml").write_text(text, encoding="utf-8")
    settings = connected_settings()
    lock.release()
    assert settings.kafka.bootstrap_servers == "127.0.0.1:9092"
    assert settings.home == home


def test_every_historian_is_found_the_configured_one_first(home: Path) -> None:
    for folder in (home, home / "local", home / "demo-x1"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "historian.sqlite").touch()
    (home / "demo-x2").mkdir()
    assert historian_paths(Settings(folder=home)) == [
        home / "historian.sqlite",
        home / "local" / "historian.sqlite",
        home / "demo-x1" / "historian.sqlite",
    ]


@pytest.mark.influxdb
def test_the_influxdb_of_a_local_stack_is_found_while_it_runs(home: Path) -> None:
    """And serves: its address and its tokens are where its server leaves them."""
    assert running_local_influx(home / "local") is None
    with LocalInflux(home / "local" / "influxdb") as server:
        found = running_local_influx(home / "local", InfluxSettings(timeout_s=99.0))
        assert found is not None
        assert (found.url, found.org, found.bucket) == (server.url, server.org, server.bucket)
        assert (found.token_file, found.read_token_file) == (
            server.token_file,
            server.read_token_file,
        )
        assert found.timeout_s == 99.0
        (place,) = historian_places(Settings(folder=home))
        with place.open() as reader:
            assert reader.sites() == []
            assert reader.name == place.name
        lock = FolderLock(lay_out(home / "local", 29_000))
        settings = connected_settings()
        lock.release()
        assert settings.uses_influxdb
        with open_historian(settings) as historian:
            assert historian.name == place.name
    assert running_local_influx(home / "local") is None
    assert historian_places(Settings(folder=home)) == []


def test_an_influxdb_that_is_still_being_set_up_is_not_found(home: Path) -> None:
    lock = FolderLock(home / "local" / "influxdb", "InfluxDB")
    assert running_local_influx(home / "local") is None
    lock.release()


def test_a_configured_influxdb_comes_before_all_files(home: Path) -> None:
    for folder in (home, home / "local"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "historian.sqlite").touch()
    influxdb = InfluxSettings(url="http://127.0.0.1:1")
    assert historian_places(Settings(folder=home, influxdb=influxdb)) == [
        InfluxPlace(influxdb),
        SqlitePlace(home / "historian.sqlite"),
        SqlitePlace(home / "local" / "historian.sqlite"),
    ]


def test_a_historian_that_is_configured_without_an_address_is_an_error(home: Path) -> None:
    settings = Settings.model_validate({"folder": home, "historian": {"kind": "influxdb"}})
    with pytest.raises(ConfigurationError, match="no \\[influxdb\\] url"):
        open_historian(settings)
