"""The embedded historian: one SQLite file, one process that writes, many that read."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path
from typing import assert_never

from schemas.site_window import SeriesName
from streams.historians import sqlite_queries as sql
from streams.historians.points import EventPoint, MeterPoints, Point, SitePoint
from streams.historians.protocol import RefusedPoint
from streams.historians.sqlite_errors import historian_errors
from streams.historians.sqlite_reader import BUSY_TIMEOUT_MS, SqliteReader
from streams.historians.sqlite_rows import event_row, site_row
from streams.historians.sqlite_schema import open_for_writing


class SqliteHistorian(SqliteReader):
    """A historian in the file ``path``, which is made where it does not exist.

    Use it in one thread. Further writers, in other processes, wait for each other.

    Args:
        path: the file; SQLite keeps two more beside it, ``-wal`` and ``-shm``.
        busy_timeout_ms: how long to wait for another process's lock [ms].

    Raises:
        HistorianAwayError: another process holds the file for longer than the time-out.
        HistorianError: it is no historian, or one that this version or user cannot write.
    """

    def __init__(self, path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> None:
        super().__init__(path, open_for_writing(path, busy_timeout_ms))
        self._registry = _SeriesRegistry(self._connection)

    def write(self, points: Sequence[Point]) -> tuple[RefusedPoint, ...]:
        """Write all points, or none; on return they are on the disk. None is ever refused.

        Writing the same again, or an older revision, changes nothing. One call is one
        transaction: give it many points, for every call waits for the disk.

        Raises:
            HistorianAwayError: nothing was written, and the same call may succeed later.
            HistorianError: nothing was written, and it never will be.
        """
        with self._transaction():
            for point in points:
                self._put(point)
        return ()

    def _put(self, point: Point) -> None:
        """Write one point, or one column of points."""
        match point:
            case MeterPoints():
                self._put_meters(point)
            case SitePoint():
                self._connection.execute(sql.PUT_SITE, site_row(point))
            case EventPoint():
                self._connection.execute(sql.PUT_EVENT, event_row(point))
            case _:
                assert_never(point)

    def _put_meters(self, points: MeterPoints) -> None:
        """Write a column of points; the rows are put together without a loop in Python."""
        site_id, series_ids = self._registry.ids(points.site, points.series)
        rows = zip(
            repeat(site_id),
            repeat(points.window_start_ms),
            series_ids,
            repeat(points.revision),
            points.status,
            points.values,
            strict=False,  # repeat() has no end
        )
        self._connection.executemany(sql.PUT_METERS, rows)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Commit what the body writes; undo it where the body, or the commit, fails."""
        with historian_errors(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                self._registry.forget()
                if self._connection.in_transaction:  # after some errors SQLite has undone it
                    self._connection.execute("ROLLBACK")
                raise


class _SeriesRegistry:
    """The ids that stand for sites and series in the file; new ones are given on demand."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._site_ids: dict[str, int] = {}
        self._series_ids: dict[str, dict[SeriesName, int]] = {}

    def ids(self, site: str, series: Sequence[SeriesName]) -> tuple[int, list[int]]:
        """Id of ``site`` and of each of its ``series``, in their order."""
        known = self._series_ids.get(site, {})
        try:
            return self._site_ids[site], [known[name] for name in series]
        except KeyError:
            self._register(site, series)
        known = self._series_ids[site]
        return self._site_ids[site], [known[name] for name in series]

    def forget(self) -> None:
        """Drop what a transaction that was undone may have given."""
        self._site_ids.clear()
        self._series_ids.clear()

    def _register(self, site: str, series: Sequence[SeriesName]) -> None:
        """Give ids to what has none, and read all ids of the site."""
        self._connection.execute(sql.PUT_SITE_NAME, (site,))
        ((site_id,),) = self._connection.execute(sql.SITE_ID, (site,))
        named = ((site_id, name.device, name.quantity) for name in series)
        self._connection.executemany(sql.PUT_SERIES, named)
        self._site_ids[site] = site_id
        self._series_ids[site] = {
            SeriesName(device=device, quantity=quantity): id_
            for id_, device, quantity in self._connection.execute(sql.SERIES, (site,))
        }
