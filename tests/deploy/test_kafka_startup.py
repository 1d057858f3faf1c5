"""The cache for quick starts: recorded once, never half."""

from pathlib import Path

import pytest

from deploy.kafka_jars import kafka_folder
from deploy.kafka_startup import startup_options
from schemas.errors import StackError

RECORD = "-XX:AOTCacheOutput="


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of the broker's, in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    kafka_folder().mkdir(parents=True)
    return kafka_folder()


def test_a_start_is_recorded_once(folder: Path) -> None:
    recorded_in: list[Path] = []

    def record(broker_folder: Path, option: str) -> None:
        recorded_in.append(broker_folder)
        Path(option.removeprefix(RECORD)).write_text("recorded", encoding="ascii")

    said: list[str] = []
    options = startup_options(record, said.append)
    (cache,) = folder.iterdir()
    assert options == (f"-XX:AOTCache={cache}",)
    assert cache.read_text(encoding="ascii") == "recorded"
    assert startup_options(record, said.append) == options
    assert len(recorded_in) == len(said) == 1


def test_kafka_starts_slowly_where_nothing_could_be_recorded(folder: Path) -> None:
    said: list[str] = []
    assert startup_options(lambda _folder, _option: None, said.append) == ()
    assert "Kafka starts slowly on this machine" in said[-1]
    assert list(folder.iterdir()) == []


def test_a_broker_that_fails_while_it_is_recorded_leaves_nothing(folder: Path) -> None:
    def record(_folder: Path, option: str) -> None:
        Path(option.removeprefix(RECORD)).touch()
        raise StackError("Kafka did not start in time.")

    with pytest.raises(StackError, match="did not start in time"):
        startup_options(record, lambda _: None)
    assert list(folder.iterdir()) == []
