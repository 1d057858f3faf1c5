"""Queries of the InfluxDB historian, and the reader that can do nothing else."""

from collections.abc import Collection
from hashlib import sha256
from typing import Final, Self

from schemas.identity import parse_decision_id
from schemas.settings import InfluxSettings
from schemas.site_window import SeriesName
from schemas.windows import WINDOW_MS
from streams.historians import influx_queries as flux
from streams.historians.influx_session import InfluxSession
from streams.historians.influx_tables import (
    Row,
    event_points,
    meter_points,
    rows_of,
    site_points,
    time_ms,
)
from streams.historians.influx_times import LAST_MS, span_ns
from streams.historians.ordering import events_in_order
from streams.historians.points import EventKind, EventPoint, Measurement, MeterPoint, SitePoint
from streams.historians.protocol import SiteSpan

_DAY_S: Final = 86_400

_NAMED_SERIES: Final = 50
"""Of more series than this all are read, and the wanted ones picked here (ours)."""


def open_influx_reader(settings: InfluxSettings) -> "InfluxReader":
    """A reader of the bucket that ``settings`` name.

    Raises:
        HistorianAwayError: nothing answers, or not now.
        HistorianError: it is no InfluxDB 2, or token, organisation or bucket are wrong.
        ConfigurationError: there is no token, or its file cannot be read.
    """
    return InfluxReader(InfluxSession(settings, settings.reader_secret()))


class InfluxReader:
    """Reads an InfluxDB historian; made by :func:`open_influx_reader`. Use it in one thread."""

    def __init__(self, connection: InfluxSession) -> None:
        self._connection = connection
        self._bucket = connection.settings.bucket

    @property
    def name(self) -> str:
        """What and where it is, in words."""
        return f"InfluxDB {self._connection.settings.url}, bucket {self._bucket}"

    @property
    def about(self) -> str:
        """What an operator wants to know of it besides."""
        settings, kept_s = self._connection.settings, self._connection.retention.kept_s
        kept = f"for {kept_s / _DAY_S:g} days" if kept_s else "for ever"
        where = f"{settings.url}, bucket {self._bucket} keeps points {kept}"
        return f"InfluxDB {self._connection.version}: {where}"

    def count(self, measurement: Measurement) -> int:
        """Number of points, missing ones included."""
        return self._number(flux.count(self._bucket, measurement))

    def measured_meter_windows(self, site: str | None = None) -> int:
        """Number of active power points that were measured, of one site or of all."""
        return self._number(flux.measured(self._bucket, site))

    def sites(self) -> list[SiteSpan]:
        """Every site that has windows, by name."""
        told: dict[str, dict[str, Row]] = {}
        for row in self._rows(flux.sites(self._bucket)):
            told.setdefault(row["site"], {})[row["result"]] = row
        return [_site_span(site, told[site]) for site in sorted(told)]

    def series(self, site: str) -> list[SeriesName]:
        """Every series of a site, by device and quantity."""
        rows = self._rows(flux.series(self._bucket, site))
        names = {(row["device"], row["quantity"]) for row in rows}
        return [SeriesName(device=device, quantity=quantity) for device, quantity in sorted(names)]

    def site_windows(self, site: str, from_ms: int, to_ms: int) -> list[SitePoint]:
        """The windows of a site."""
        start, stop = span_ns(from_ms, to_ms)
        if start >= stop:
            return []
        return site_points(self._asked(flux.site_windows(self._bucket, site, (start, stop))), site)

    def meter_windows(
        self, site: str, from_ms: int, to_ms: int, series: Collection[SeriesName] | None = None
    ) -> list[MeterPoint]:
        """The windows of some series of a site, or of all of them."""
        start, stop = span_ns(from_ms, to_ms)
        if start >= stop or (series is not None and not series):
            return []
        named = series if series is not None and len(series) <= _NAMED_SERIES else None
        query = flux.meter_windows(self._bucket, site, (start, stop), named)
        return meter_points(self._asked(query), series)

    def events(
        self, site: str, from_ms: int, to_ms: int, kinds: Collection[EventKind] = tuple(EventKind)
    ) -> list[EventPoint]:
        """What was decided and done about the windows of a site."""
        start, stop = span_ns(from_ms, to_ms)
        if start >= stop or not kinds:
            return []
        query = flux.events(self._bucket, site, (start, stop), kinds)
        return events_in_order(event_points(self._asked(query), site))

    def decision(self, decision_id: str) -> list[EventPoint]:
        """Every step of one decision: plan, verdict, setpoints, acknowledgements."""
        try:
            site, start_ms, _ = parse_decision_id(decision_id)
        except ValueError:
            return []
        events = self.events(site, start_ms, start_ms + WINDOW_MS)
        return [event for event in events if event.decision_id == decision_id]

    def fingerprint(self) -> str:
        """SHA-256 of everything that is stored: equal exactly where the content is equal."""
        digest = sha256()
        for site in sorted({row["site"] for row in self._rows(flux.any_sites(self._bucket))}):
            for read in (self.site_windows, self.meter_windows, self.events):
                digest.update(f"{site} {read.__name__}\n".encode())
                for point in read(site, 0, LAST_MS):
                    digest.update(f"{point!r}\n".encode())
        return digest.hexdigest()

    def close(self) -> None:
        """Let go of the connection; closing twice is harmless."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _asked(self, query: str) -> str:
        return self._connection.query(query)

    def _rows(self, query: str) -> list[Row]:
        """All rows that ``query`` answers."""
        return list(rows_of(self._asked(query)))

    def _number(self, query: str) -> int:
        """The one number that ``query`` answers; without any point it answers nothing."""
        return sum(int(row["_value"]) for row in self._rows(query))


def _site_span(site: str, told: dict[str, Row]) -> SiteSpan:
    """What the three results say about a site."""
    return SiteSpan(
        site=site,
        first_ms=time_ms(told["first"]["_time"]),
        last_ms=time_ms(told["last"]["_time"]),
        windows=int(told["count"]["_value"]),
    )
