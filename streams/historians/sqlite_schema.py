"""The SQLite historian's file: its tables, its version, and how it is opened.

Measured with 110 series and 5,760 windows (2 cores), the key of ``meter_window`` decides:
names in the key take 40 MB where integer ids take 18 MB. Ids first and time second touch one
page per series in every window (1,000 series: 40,000 points/s with a commit per window); time
first appends (373,000). The site comes before the time, so that one site is read without all
others.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from schemas.errors import HistorianAwayError, HistorianError
from streams.historians.sqlite_errors import historian_errors

APPLICATION_ID: Final = 0x47524C4D
"""Marks the file as Gridloom's: the letters GRLM."""

SCHEMA_VERSION: Final = 2
"""Version of the tables below."""

_PAUSE_S: Final = 0.01

_TABLES: Final = (
    """
    CREATE TABLE site (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)
    """,
    """
    CREATE TABLE series (
        id INTEGER PRIMARY KEY,
        site_id INTEGER NOT NULL,
        device TEXT NOT NULL,
        quantity TEXT NOT NULL,
        UNIQUE (site_id, device, quantity)
    )
    """,
    """
    CREATE TABLE meter_window (
        site_id INTEGER NOT NULL,
        window_start_ms INTEGER NOT NULL,
        series_id INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        status TEXT NOT NULL,
        value REAL,
        PRIMARY KEY (site_id, window_start_ms, series_id)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE site_window (
        site TEXT NOT NULL,
        window_start_ms INTEGER NOT NULL,
        revision INTEGER NOT NULL,
        model_hash TEXT NOT NULL,
        completeness TEXT NOT NULL,
        load_kw REAL NOT NULL,
        generation_kw REAL NOT NULL,
        energy_import_kwh REAL,
        measured INTEGER NOT NULL,
        valid INTEGER NOT NULL,
        missing INTEGER NOT NULL,
        missing_rated_kw REAL NOT NULL,
        missing_series TEXT NOT NULL,
        relays TEXT NOT NULL,
        weather TEXT NOT NULL,
        PRIMARY KEY (site, window_start_ms)
    )
    """,
    """
    CREATE TABLE event (
        site TEXT NOT NULL,
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        window_start_ms INTEGER NOT NULL,
        at_ms INTEGER,
        decision_id TEXT NOT NULL,
        device TEXT,
        seq INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        reasons TEXT NOT NULL,
        switched_on INTEGER,
        switched_off INTEGER,
        load_kw REAL,
        uncontrolled_kw REAL,
        expected_kw REAL,
        threshold_kw REAL,
        violation_kw REAL,
        body TEXT NOT NULL,
        price_per_kwh REAL,
        currency TEXT,
        PRIMARY KEY (site, kind, key)
    )
    """,
    "CREATE INDEX event_by_window ON event (site, window_start_ms)",
    "CREATE INDEX event_by_decision ON event (decision_id)",
)

_UPGRADES: Final = {
    1: (
        "ALTER TABLE event ADD COLUMN price_per_kwh REAL",
        "ALTER TABLE event ADD COLUMN currency TEXT",
    ),
}
"""What leads from one version of the tables to the next; readers take either."""


def open_for_writing(path: Path, busy_timeout_ms: int) -> sqlite3.Connection:
    """A connection that writes durably; file, folder and tables are made where absent.

    Raises:
        HistorianAwayError: another process holds the file for longer than the time-out.
        HistorianError: it is no historian, or one that this version or user cannot write.
    """
    with historian_errors(path):
        _make_folder(path)
        connection = sqlite3.connect(path, timeout=busy_timeout_ms / 1000, isolation_level=None)
        with _closed_on_error(connection):
            _set_up(connection, path, busy_timeout_ms)
        return connection


def open_for_reading(path: Path, busy_timeout_ms: int) -> sqlite3.Connection:
    """A connection that cannot write.

    Raises:
        HistorianAwayError: there is no historian yet, or it is locked.
        HistorianError: it is no historian, or one that this version or user cannot read.
    """
    with historian_errors(path):
        _require(path, present=path.exists())
        address = f"{path.absolute().as_uri()}?mode=ro"
        timeout_s = busy_timeout_ms / 1000
        connection = sqlite3.connect(address, uri=True, timeout=timeout_s, isolation_level=None)
        with _closed_on_error(connection):
            _require(path, present=not _is_empty(connection, path))
        return connection


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Close ``connection`` where the body fails."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _make_folder(path: Path) -> None:
    """Make the folder of ``path``."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HistorianError(
            f"the folder of historian {path} cannot be made: {error.strerror}",
            hint="Name another path in the settings: [historian] path.",
        ) from error


def _set_up(connection: sqlite3.Connection, path: Path, busy_timeout_ms: int) -> None:
    """Check the file before anything in it is changed; then set it up."""
    _is_empty(connection, path)
    _use_write_ahead_log(connection, time.monotonic() + busy_timeout_ms / 1000)
    # FULL syncs the log at every commit: Kafka's offset, committed afterwards, is never ahead
    # of the file, not even after a power cut. Against NORMAL it costs a third of the rate with
    # one window of 110 series per commit, a tenth with ten, nothing with fifty.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    if _is_empty(connection, path):  # of two that start together, one makes the tables
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    _upgrade(connection)
    connection.execute("COMMIT")


def _upgrade(connection: sqlite3.Connection) -> None:
    """Bring the tables of an earlier version up to this one, step by step."""
    ((found,),) = connection.execute("PRAGMA user_version")
    for version in range(found, SCHEMA_VERSION):
        for statement in _UPGRADES[version]:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _use_write_ahead_log(connection: sqlite3.Connection, until_s: float) -> None:
    """Let readers read while the writer writes; try until ``until_s`` [s, monotonic].

    SQLite's own time-out does not cover this: of several processes that start together on a
    new file, about one in a hundred is refused at once.
    """
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() >= until_s:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def _is_empty(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file has no tables yet; an error where it has others than ours."""
    # One statement, so that all three come from one snapshot.
    application, version, tables = connection.execute(
        "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_master)"
        " FROM pragma_application_id, pragma_user_version"
    ).fetchone()
    if not (application or version or tables):
        return True
    if application != APPLICATION_ID:
        raise HistorianError(
            f"{path} is the database of another application",
            hint="Name another path in the settings: [historian] path.",
        )
    if version > SCHEMA_VERSION:
        raise HistorianError(
            f"historian {path} has schema version {version};"
            f" this Gridloom knows versions up to {SCHEMA_VERSION}",
            hint="Install a newer Gridloom, or name another path: [historian] path.",
        )
    return False


def _require(path: Path, *, present: bool) -> None:
    """An error where there is nothing to read yet."""
    if not present:
        raise HistorianAwayError(
            f"there is no historian at {path}",
            hint="It appears when store starts; check the settings: [historian] path.",
        )
