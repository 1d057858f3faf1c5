"""How many points the SQLite historian takes per second, by windows per write."""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, Final

import numpy as np

from schemas.site_window import Completeness, SeriesName
from schemas.windows import WINDOW_MS
from streams.benchmarking.figures import Bar, Figure, Result, bar, spread
from streams.benchmarking.rounds import WARM_UPS, Bench, interleaved
from streams.historians.points import MeterPoints, Point, SitePoint
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_reader import BUSY_TIMEOUT_MS
from streams.historians.sqlite_rows import site_row
from streams.historians.sqlite_schema import open_for_writing

SERIES: Final = 100
_START_MS: Final = 1_700_000_000_000
_WINDOWS: Final = 2_000
_QUICK_WINDOWS: Final = 200
_PER_WRITE: Final = (1, 10, 100)
_SITE: Final = "bench"
_NAMES: Final = tuple(
    SeriesName(device=f"meter-{n:04d}", quantity="active_power") for n in range(SERIES)
)
_NOTES: Final = (
    "every write is one transaction that is on the disk when it returns",
    "the peer inserts the same rows, made beforehand, by executemany into equal tables",
    "the peer knows no revisions, and ids in place of names",
    "the disk is the one that the Gridloom folder lies on",
)

Row = tuple[Any, ...]
Window = tuple[SitePoint, MeterPoints]


def run(bench: Bench) -> Result:
    """Run ``store``."""
    windows = make_windows(_QUICK_WINDOWS if bench.quick else _WINDOWS)
    bench.progress.start("store", 2 * len(_PER_WRITE) * (WARM_UPS + bench.rounds))
    bench.folder.mkdir(parents=True, exist_ok=True)
    files = (bench.folder / f"store-{number}.sqlite" for number in count())
    cases: dict[str, Callable[[], float]] = {}
    for most in _PER_WRITE:
        cases[_title(most, peer=False)] = partial(_timed, write_points, windows, most, files)
        cases[_title(most, peer=True)] = partial(_timed, write_rows, windows, most, files)
    found = interleaved(cases, bench)
    return Result(
        name="store",
        sizes={"windows": len(windows), "series": SERIES},
        figures=tuple(
            Figure(name=name, unit="points/s", measured=spread(rates))
            for name, rates in found.items()
        ),
        bars=tuple(_bar(found, most) for most in _PER_WRITE),
        notes=_NOTES,
    )


def _title(most: int, *, peer: bool) -> str:
    return f"{'peer: bare sqlite3' if peer else 'historian'}, {most} windows a write"


def _bar(found: dict[str, list[float]], most: int) -> Bar:
    own, peer = found[_title(most, peer=False)], found[_title(most, peer=True)]
    return bar(f"historian / bare sqlite3, {most} windows a write", own, peer)


def make_windows(windows: int, site: str = _SITE) -> list[Window]:
    """So many windows of one site, every series measured."""
    values = np.random.default_rng(1).uniform(0.0, 9.9, (windows, SERIES)).round(3)
    return [
        _window(site, _START_MS + number * WINDOW_MS, tuple(row))
        for number, row in enumerate(values.tolist())
    ]


def _window(name: str, start_ms: int, values: tuple[float, ...]) -> Window:
    site = SitePoint(
        site=name,
        window_start_ms=start_ms,
        revision=0,
        model_hash="0" * 64,
        completeness=Completeness.COMPLETE,
        load_kw=sum(values),
        generation_kw=0.0,
        energy_import_kwh=None,
        measured=SERIES,
        valid=0,
        missing=0,
        missing_rated_kw=0.0,
        missing_series=(),
        relays=(),
        weather={},
    )
    meters = MeterPoints(
        site=name,
        window_start_ms=start_ms,
        revision=0,
        series=_NAMES,
        values=values,
        status="m" * SERIES,
    )
    return site, meters


def _timed(
    write: Callable[[Path, Sequence[Window], int], float],
    windows: Sequence[Window],
    most: int,
    files: Iterator[Path],
) -> float:
    """Points per second of one pass into a new file."""
    return len(windows) * (SERIES + 1) / write(next(files), windows, most)


def write_points(path: Path, windows: Sequence[Window], most: int) -> float:
    """Write with the historian, ``most`` windows at a time; the time it takes [s]."""
    writes: list[list[Point]] = [
        [point for window in windows[low : low + most] for point in window]
        for low in range(0, len(windows), most)
    ]
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
