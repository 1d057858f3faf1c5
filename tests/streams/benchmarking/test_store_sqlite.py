"""The historian beside bare sqlite3: the same rows end up in the file."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from streams.benchmarking.store_sqlite import write_points, write_rows
from streams.benchmarking.store_windows import SERIES, make_windows

WINDOWS = 7


def tables(path: Path) -> list[list[tuple[object, ...]]]:
    """What the tables of windows hold."""
    with closing(sqlite3.connect(path)) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT * FROM site_window ORDER BY window_start_ms",
                "SELECT * FROM meter_window ORDER BY window_start_ms, series_id",
            )
        ]


@pytest.mark.parametrize("most", [1, 3, WINDOWS])
def test_bare_sqlite_writes_the_very_rows_that_the_historian_writes(
    tmp_path: Path, most: int
) -> None:
    """Peers are given equal output (DESIGN, "Speed to reach")."""
    windows = make_windows(WINDOWS)
    assert write_points(tmp_path / "ours", windows, most) > 0
    assert write_rows(tmp_path / "bare", windows, most) > 0
    ours, bare = tables(tmp_path / "ours"), tables(tmp_path / "bare")
    assert ours == bare
    assert [len(rows) for rows in ours] == [WINDOWS, WINDOWS * SERIES]
