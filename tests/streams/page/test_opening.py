"""Which historian the page reads, while stacks come and go."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from deploy.folder_lock import FolderLock
from schemas.errors import ConfigurationError, HistorianError
from schemas.settings import Settings
from streams.historians.sqlite import SqliteHistorian
from streams.page.opening import HistorianChoice, is_told


def settings_in(folder: Path, **sections: Any) -> Settings:  # noqa: ANN401  as TOML has them
    return Settings.model_validate({"folder": folder, **sections})


def make_historian(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "historian.sqlite"
    SqliteHistorian(path).close()
    return path


def name_read(choice: HistorianChoice) -> str:
    with choice.open() as reader:
        return reader.name


def test_without_settings_the_local_stack_that_is_there_is_read(tmp_path: Path) -> None:
    path = make_historian(tmp_path / "local")
    assert name_read(HistorianChoice(lambda: settings_in(tmp_path))) == f"historian {path}"


def test_what_the_settings_name_counts_first(tmp_path: Path) -> None:
    make_historian(tmp_path / "local")
    named = make_historian(tmp_path / "elsewhere")
    told = settings_in(tmp_path, historian={"path": named})
    assert name_read(HistorianChoice(lambda: told)) == f"historian {named}"


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({}, False),
        ({"devices": {"port": 7000}}, False),
        ({"historian": {"kind": "sqlite"}}, True),
        ({"influxdb": {"url": "http://127.0.0.1:8086"}}, True),
        ({"kafka": {"bootstrap_servers": "kafka:9092"}}, True),
    ],
)
def test_settings_that_name_kafka_or_a_historian_leave_no_choice(
    tmp_path: Path, sections: dict[str, Any], *, told: bool
) -> None:
    assert is_told(settings_in(tmp_path, **sections)) is told


def test_an_older_run_does_not_take_the_place_of_one_that_ended(tmp_path: Path) -> None:
    """S1-12: a demo deletes its folder: the page is offline then, and shows no other site."""
    demo = make_historian(tmp_path / "demo-1")
    choice = HistorianChoice(lambda: settings_in(tmp_path))
    assert name_read(choice) == f"historian {demo}"
    shutil.rmtree(demo.parent)
    make_historian(tmp_path / "local")
    with pytest.raises(HistorianError, match="demo-1"):
        choice.open()


def test_a_stack_that_runs_takes_the_place_of_one_that_ended(tmp_path: Path) -> None:
    """A new `gridloom up` is found by a page that is open."""
    old = make_historian(tmp_path / "demo-1")
    choice = HistorianChoice(lambda: settings_in(tmp_path))
    assert name_read(choice) == f"historian {old}"
    new = make_historian(tmp_path / "local")
    kafka = tmp_path / "local" / "kafka"
    kafka.mkdir()
    (kafka / "server.properties").write_text("advertised.listeners=CLIENT://127.0.0.1:9\n")
    lock = FolderLock(kafka)
    assert name_read(choice) == f"historian {new}"
    lock.release()


def test_an_influxdb_without_an_address_is_refused(tmp_path: Path) -> None:
    """Bad input: the setting is named."""
    settings = settings_in(tmp_path, historian={"kind": "influxdb"})
    with pytest.raises(ConfigurationError, match="url"):
        HistorianChoice(lambda: settings).open()
