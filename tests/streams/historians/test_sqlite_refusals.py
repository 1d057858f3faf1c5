"""Files and disks that cannot be used: a clear error with a hint, and nothing harmed."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from schemas.errors import HistorianAwayError, HistorianError
from streams.historians.mapping import to_point
from streams.historians.points import Measurement
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_errors import historian_errors
from streams.historians.sqlite_reader import open_reader
from tests.support import historian_messages as given
from tests.support.historian_messages import SITE

ROOT = Path(__file__).resolve().parents[3]
WINDOWS = 200
PAGE_BYTES = 4_096

WRITES_UNTIL_IT_FAILS = """
import resource, sys
from itertools import count
from pathlib import Path
from schemas.errors import HistorianError
from streams.historians.mapping import to_point
from streams.historians.sqlite import SqliteHistorian
from tests.support import historian_messages as given
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
series = given.names(500)
historian = SqliteHistorian(Path(sys.argv[1]))
for window in count():
    try:
        historian.write([to_point(given.chunk(window, series=series))])
    except HistorianError as error:
        print(window, error)
        print(error.hint)
        break
"""


@contextmanager
def _refused(match: str) -> Iterator[None]:
    """The body raises an error that is not worth another try, and has a hint."""
    with pytest.raises(HistorianError, match=match) as caught:
        yield
    assert not isinstance(caught.value, HistorianAwayError)
    assert caught.value.hint


def _fill(path: Path) -> None:
    with SqliteHistorian(path) as historian:
        historian.write([to_point(given.chunk(window)) for window in range(WINDOWS)])


def test_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_bytes(b"time,load_kw\n" * 1_000)
    for opener in (SqliteHistorian, open_reader):
        with _refused("is not an SQLite database"):
            opener(path)
    assert path.read_bytes() == b"time,load_kw\n" * 1_000


def test_damaged_file_is_told_when_it_is_read(path: Path) -> None:
    _fill(path)
    content = bytearray(path.read_bytes())
    content[5 * PAGE_BYTES :] = b"\xa5" * (len(content) - 5 * PAGE_BYTES)
    path.write_bytes(content)
    with open_reader(path) as reader:
        with _refused("is damaged"):
            reader.meter_windows(SITE, 0, 2**62)
        with _refused("is damaged"):
            reader.fingerprint()


def test_file_cut_short_is_told(path: Path) -> None:
    _fill(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with _refused("is damaged"), open_reader(path) as reader:
        reader.meter_windows(SITE, 0, 2**62)


def test_damaged_file_takes_no_half_batch(path: Path) -> None:
    _fill(path)
    content = bytearray(path.read_bytes())
    content[5 * PAGE_BYTES :] = b"\xa5" * (len(content) - 5 * PAGE_BYTES)
    path.write_bytes(content)
    with SqliteHistorian(path) as historian:
        points = [to_point(given.plan(1)), to_point(given.chunk(WINDOWS))]
        with _refused("is damaged"):
            historian.write(points)
        with _refused("is damaged"):
            historian.write(points)


def test_newer_schema_is_refused_by_name_of_both_versions(path: Path) -> None:
    _fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    for opener in (SqliteHistorian, open_reader):
        with _refused("schema version 99; this Gridloom knows versions up to 2"):
            opener(path)


def test_a_file_of_version_1_is_read_as_it_is_and_upgraded_by_its_writer(path: Path) -> None:
    with SqliteHistorian(path) as historian:
        historian.write([to_point(given.plan(1))])
    with open_reader(path) as reader:
        before = reader.fingerprint()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE event DROP COLUMN price_per_kwh")
        connection.execute("ALTER TABLE event DROP COLUMN currency")
        connection.execute("PRAGMA user_version = 1")
    with open_reader(path) as reader:
        assert reader.decision(given.plan(1).decision_id)[0].price_per_kwh is None
    with SqliteHistorian(path) as historian:
        assert historian.fingerprint() == before


def test_other_applications_database_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = path.read_bytes()
    for opener in (SqliteHistorian, open_reader):
        with _refused("database of another application"):
            opener(path)
    assert path.read_bytes() == before


def test_reader_before_the_first_write_is_told_to_wait(path: Path) -> None:
    with pytest.raises(HistorianAwayError, match="there is no historian") as caught:
        open_reader(path)
    assert "store" in caught.value.hint
    assert not path.exists()


def test_reader_of_an_empty_file_is_told_to_wait(path: Path) -> None:
    path.touch()
    with pytest.raises(HistorianAwayError, match="there is no historian"):
        open_reader(path)


def test_empty_file_becomes_a_historian(path: Path) -> None:
    """A crash while the file is made leaves nothing that must be cleared away by hand."""
    path.touch()
    _fill(path)
    with open_reader(path) as reader:
        assert reader.count(Measurement.METER_WINDOW) == 10 * WINDOWS


def test_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    with _refused("cannot be opened"):
        SqliteHistorian(tmp_path)


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    with _refused("folder of historian .* cannot be made"):
        SqliteHistorian(tmp_path / "taken" / "historian.sqlite")


def test_file_that_may_only_be_read_says_so(path: Path) -> None:
    _fill(path)
    with open_reader(path) as reader, _refused("cannot be written"), historian_errors(path):
        reader._connection.execute("DELETE FROM event")  # noqa: SLF001 - it has no such method


def test_full_disk_says_so(path: Path) -> None:
    """SQLite answers a full disk and a full quota of pages alike."""
    _fill(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA max_page_count = 1")  # as many as there are
        with _refused("the disk is full"), historian_errors(path):
            connection.execute("CREATE TABLE more AS SELECT * FROM meter_window")


def test_disk_that_refuses_a_write_leaves_whole_batches_only(path: Path) -> None:
    """The file size limit of the process stands for a disk that fails amid a batch."""
    done = subprocess.run(
        [sys.executable, "-c", WRITES_UNTIL_IT_FAILS, str(path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    failed, hint = done.stdout.splitlines()
    window, _, told = failed.partition(" ")
    assert "cannot be read or written" in told
    assert "Kafka keeps" in hint
    with open_reader(path) as reader:
        assert reader.count(Measurement.METER_WINDOW) == 500 * int(window)
    with SqliteHistorian(path) as historian:
        historian.write([to_point(given.chunk(int(window), series=given.names(500)))])
        assert historian.count(Measurement.METER_WINDOW) == 500 * (int(window) + 1)
