"""The SQLite historian, and bare sqlite3 that writes the same rows."""

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from streams.benchmarking.store_windows import Window, writes_of
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_reader import BUSY_TIMEOUT_MS
from streams.historians.sqlite_rows import site_row
from streams.historians.sqlite_schema import open_for_writing

Row = tuple[Any, ...]


def write_points(path: Path, windows: Sequence[Window], most: int) -> float:
    """Write with the historian, ``most`` windows at a time; the time it takes [s]."""
    writes = writes_of(windows, most)
    with SqliteHistorian(path) as historian:
        began_s = time.perf_counter()
        for points in writes:
            historian.write(points)
        return time.perf_counter() - began_s


def write_rows(path: Path, windows: Sequence[Window], most: int) -> float:
    """Insert the same as rows, ``most`` windows at a time; the time it takes [s]."""
    writes = [_rows(windows[low : low + most]) for low in range(0, len(windows), most)]
    with closing(open_for_writing(path, BUSY_TIMEOUT_MS)) as connection:
        began_s = time.perf_counter()
        for site_rows, meter_rows in writes:
            _insert(connection, site_rows, meter_rows)
        return time.perf_counter() - began_s


def _rows(windows: Sequence[Window]) -> tuple[list[Row], list[Row]]:
    """Rows of tables ``site_window`` and ``meter_window``."""
    meter_rows = [
        (1, meters.window_start_ms, series, 0, "m", value)
        for _, meters in windows
        for series, value in enumerate(meters.values, start=1)
    ]
    return [site_row(site) for site, _ in windows], meter_rows


def _insert(connection: sqlite3.Connection, site_rows: list[Row], meter_rows: list[Row]) -> None:
    places = ", ".join("?" * len(site_rows[0]))
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(f"INSERT INTO site_window VALUES ({places})", site_rows)  # noqa: S608  question marks
    connection.executemany("INSERT INTO meter_window VALUES (?, ?, ?, ?, ?, ?)", meter_rows)
    connection.execute("COMMIT")
