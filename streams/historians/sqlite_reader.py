"""Queries of the SQLite historian, and the reader that can do nothing else."""

import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final, Self

from schemas.site_window import SeriesName, SeriesStatus
from streams.historians import sqlite_queries as sql
from streams.historians.ordering import events_in_order
from streams.historians.points import EventKind, EventPoint, Measurement, MeterPoint, SitePoint
from streams.historians.protocol import SiteSpan
from streams.historians.sqlite_errors import historian_errors
from streams.historians.sqlite_rows import Row, event_point, site_point
from streams.historians.sqlite_schema import open_for_reading

BUSY_TIMEOUT_MS: Final = 5_000
"""How long to wait for another process's lock [ms] before it counts as away."""

_STATUSES: Final = {status.value: status for status in SeriesStatus}


def open_reader(path: Path, *, busy_timeout_ms: int = BUSY_TIMEOUT_MS) -> "SqliteReader":
    """A reader of the historian at ``path``; it neither disturbs the writer nor waits for it.

    Raises:
        HistorianAwayError: there is no historian yet, or it is locked.
        HistorianError: it is no historian, or one that this version or user cannot read.
    """
    return SqliteReader(path, open_for_reading(path, busy_timeout_ms))


class SqliteReader:
    """Reads an SQLite historian; made by :func:`open_reader`. Use it in one thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection

    @property
    def name(self) -> str:
        """What and where it is, in words."""
        return f"historian {self._path}"

    @property
    def about(self) -> str:
        """What an operator wants to know of it besides."""
        size_mb = self._path.stat().st_size / 1_000_000
        return f"SQLite {sqlite3.sqlite_version}: {self._path}, {size_mb:.1f} MB"

    def count(self, measurement: Measurement) -> int:
        """Number of points, missing ones included."""
        return self._number(sql.COUNT[measurement], {})

    def measured_meter_windows(self, site: str | None = None) -> int:
        """Number of active power points that were measured, of one site or of all."""
        return self._number(sql.MEASURED, {"site": site})

    def sites(self) -> list[SiteSpan]:
        """Every site that has windows, by name."""
        return [
            SiteSpan(site=site, first_ms=first_ms, last_ms=last_ms, windows=windows)
            for site, first_ms, last_ms, windows in self._rows(sql.SITES, ())
        ]

    def series(self, site: str) -> list[SeriesName]:
        """Every series of a site, by device and quantity."""
        return list(self._series_by_id(site).values())

    def site_windows(self, site: str, from_ms: int, to_ms: int) -> list[SitePoint]:
        """The windows of a site."""
        return [site_point(row) for row in self._rows(sql.SITE_WINDOWS, (site, from_ms, to_ms))]

    def meter_windows(
        self, site: str, from_ms: int, to_ms: int, series: Collection[SeriesName] | None = None
    ) -> list[MeterPoint]:
        """The windows of some series of a site, or of all of them."""
        span = {"site": site, "from_ms": from_ms, "to_ms": to_ms}
        with self._snapshot():  # no row of a series that is newer than the names
            names = self._series_by_id(site)
            if series is None:
                rows = self._rows(sql.ALL_METERS, span)
            else:
                ids = [id_ for id_, name in names.items() if name in series]
                rows = self._rows(sql.SOME_METERS, {**span, "ids": json.dumps(ids)})
        ranks = {id_: rank for rank, id_ in enumerate(names)}
        if list(ranks) != sorted(ranks):  # series were added later: ids are not in name order
            rows.sort(key=lambda row: (row[0], ranks[row[1]]))
        return [_meter_point(names[row[1]], row) for row in rows]

    def events(
        self, site: str, from_ms: int, to_ms: int, kinds: Collection[EventKind] = tuple(EventKind)
    ) -> list[EventPoint]:
        """What was decided and done about the windows of a site."""
        wanted = json.dumps(sorted(kinds))
        rows = self._rows(sql.EVENTS, (site, from_ms, to_ms, wanted))
        return events_in_order(map(event_point, rows))

    def decision(self, decision_id: str) -> list[EventPoint]:
        """Every step of one decision: plan, verdict, setpoints, acknowledgements."""
        return events_in_order(map(event_point, self._rows(sql.DECISION, (decision_id,))))

    def fingerprint(self) -> str:
        """SHA-256 of everything that is stored: equal exactly where the content is equal."""
        digest = sha256()
        with self._snapshot():
            for query in sql.CONTENT:
                digest.update(query.encode())
                for row in self._connection.execute(query):
                    digest.update(repr(row).encode())
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        with historian_errors(self._path):
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """Everything read in the body is of one moment."""
        with historian_errors(self._path):
            self._connection.execute("BEGIN")
            try:
                yield
            finally:
                if self._connection.in_transaction:  # SQLite itself ends it after some errors
                    self._connection.execute("ROLLBACK")

    def _series_by_id(self, site: str) -> dict[int, SeriesName]:
        """A site's series by their id, in the order of device and quantity."""
        rows = self._rows(sql.SERIES, (site,))
        return {id_: SeriesName(device=device, quantity=quantity) for id_, device, quantity in rows}

    def _number(self, query: str, values: Mapping[str, object]) -> int:
        """The one number that ``query`` answers."""
        ((number,),) = self._rows(query, values)
        return int(number)

    def _rows(self, query: str, values: Mapping[str, object] | tuple[object, ...]) -> list[Row]:
        """All rows that ``query`` answers."""
        with historian_errors(self._path):
            return self._connection.execute(query, values).fetchall()


def _meter_point(name: SeriesName, row: Row) -> MeterPoint:
    """Point of a row of table ``meter_window``."""
    start_ms, _, revision, status, value = row
    return MeterPoint(start_ms, name.device, name.quantity, revision, _STATUSES[status], value)
