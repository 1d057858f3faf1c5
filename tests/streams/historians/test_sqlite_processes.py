"""Readers beside the writer, several writers, and writers that are killed."""

import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import ClassVar

import pytest

from schemas.errors import HistorianAwayError
from schemas.site_window import SeriesName
from streams.historians.mapping import to_point
from streams.historians.points import Measurement, Point
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_reader import open_reader
from tests.support import historian_messages as given
from tests.support.historian_messages import SITE, Halfway, start_of

ROOT = Path(__file__).resolve().parents[3]

PRELUDE = """
import sys, time
from pathlib import Path
from streams.historians.mapping import to_point
from streams.historians.sqlite import SqliteHistorian
from tests.support import historian_messages as given
path = Path(sys.argv[1])
"""

# Larger than SQLite's page cache: half of it is in the log before the commit.
SERIES, WINDOWS = 500, 400

DIES_HALFWAY = f"""
series = given.names({SERIES})
def batch(first, count):
    return [to_point(given.chunk(first + n, series=series)) for n in range(count)]
def wait():
    print("halfway", flush=True)
    time.sleep(600)
historian = SqliteHistorian(path)
historian.write(batch(0, 3))
historian.write(given.Halfway(batch(3, {WINDOWS}), wait))
"""

WRITES_ALL = """
with SqliteHistorian(path) as historian:
    for window in range(60):
        for revision in (int(sys.argv[2]), 1):
            historian.write([
                to_point(given.site_window(window, revision)),
                to_point(given.chunk(window, revision)),
            ])
"""

HOLDS_THE_LOCK = """
import sqlite3
connection = sqlite3.connect(path, isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.readline()
"""


@contextmanager
def _started(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A process that runs ``script`` and does not outlive the body."""
    with subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _points(first: int, count: int) -> Sequence[Point]:
    return [to_point(given.chunk(first + window)) for window in range(count)]


def test_reader_sees_whole_batches_while_the_writer_is_amid_one(
    historian: SqliteHistorian, path: Path
) -> None:
    historian.write(_points(0, 4))
    seen = []
    with open_reader(path) as reader:

        def look() -> None:
            seen.append(reader.count(Measurement.METER_WINDOW))
            seen.append(len(reader.meter_windows(SITE, 0, start_of(99))))

        historian.write(Halfway(_points(4, 6), look))
        look()
    assert seen == [40, 40, 100, 100]


def test_reader_that_opens_amid_a_batch_is_not_kept_waiting(
    historian: SqliteHistorian, path: Path
) -> None:
    counts = []

    def open_and_look() -> None:
        with open_reader(path, busy_timeout_ms=0) as reader:
            counts.append(reader.count(Measurement.METER_WINDOW))

    historian.write(Halfway(_points(0, 2), open_and_look))
    assert counts == [0]


class _Meddled(tuple[SeriesName, ...]):
    """Wanted series; while they are looked up, another window is written."""

    __slots__ = ()
    meddle: ClassVar[Callable[[], object]]

    def __contains__(self, name: object) -> bool:
        type(self).meddle()
        return super().__contains__(name)


def test_query_of_two_steps_sees_one_moment(historian: SqliteHistorian, path: Path) -> None:
    historian.write(_points(0, 1))
    wanted = _Meddled(given.names(2))
    _Meddled.meddle = lambda: historian.write(_points(1, 1))
    with open_reader(path) as reader:
        points = reader.meter_windows(SITE, 0, start_of(9), wanted)
        assert {point.window_start_ms for point in points} == {start_of(0)}
        assert len(reader.meter_windows(SITE, 0, start_of(9))) == 20


def test_killed_writer_leaves_whole_batches_only(path: Path) -> None:
    """A crash between write and commit loses nothing that Kafka was told of, and adds nothing."""
    with _started(DIES_HALFWAY, path) as process:
        assert _first_line(process) == "halfway"
        process.kill()
    uncommitted_bytes = path.with_name(f"{path.name}-wal").stat().st_size
    assert uncommitted_bytes > 1_000_000
    with open_reader(path) as reader:
        assert reader.count(Measurement.METER_WINDOW) == SERIES * 3
        last_ms = max(point.window_start_ms for point in reader.meter_windows(SITE, 0, 2**62))
        assert last_ms == start_of(2)
        after_crash = reader.fingerprint()
    with SqliteHistorian(path) as historian:
        assert historian.fingerprint() == after_crash
        historian.write(_points(3, 1))
        assert historian.count(Measurement.METER_WINDOW) == SERIES * 3 + 10


def test_two_writers_from_the_start_agree_with_one(path: Path, tmp_path: Path) -> None:
    """Both make the file; both write every window, older revisions among them."""
    with _started(WRITES_ALL, path, 0) as one, _started(WRITES_ALL, path, 2) as other:
        for process in (one, other):
            process.communicate()
            assert process.returncode == 0
    with SqliteHistorian(tmp_path / "alone.sqlite") as alone, open_reader(path) as reader:
        for window in range(60):
            newest = (given.site_window(window, 2), given.chunk(window, 2))
            alone.write([to_point(message) for message in newest])
        assert reader.fingerprint() == alone.fingerprint()


def test_locked_historian_is_away_and_takes_the_same_write_later(path: Path) -> None:
    with SqliteHistorian(path, busy_timeout_ms=20) as historian:
        with _started(HOLDS_THE_LOCK, path) as holder:
            assert _first_line(holder) == "locked"
            with pytest.raises(HistorianAwayError, match="locked by another process"):
                historian.write(_points(0, 1))
            assert historian.count(Measurement.METER_WINDOW) == 0
            holder.communicate("release\n")
        historian.write(_points(0, 1))
        assert historian.count(Measurement.METER_WINDOW) == 10


def test_historian_that_is_locked_when_opened_is_away(path: Path) -> None:
    SqliteHistorian(path).close()
    with _started(HOLDS_THE_LOCK, path) as holder:
        assert _first_line(holder) == "locked"
        with pytest.raises(HistorianAwayError, match="locked by another process"):
            SqliteHistorian(path, busy_timeout_ms=20)
        holder.communicate("release\n")


def test_historian_that_another_is_making_is_waited_for(path: Path) -> None:
    """SQLite itself does not wait for a lock when it changes the journal mode."""
    maker = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    release = Timer(0.1, maker.close)
    release.start()
    with SqliteHistorian(path) as historian:
        release.join()
        historian.write(_points(0, 1))
        assert historian.count(Measurement.METER_WINDOW) == 10


def test_closing_folds_the_log_into_the_file(path: Path) -> None:
    with SqliteHistorian(path) as historian:
        historian.write(_points(0, 4))
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
