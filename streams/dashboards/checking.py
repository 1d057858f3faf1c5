"""Runs every query of every dashboard against real servers, and counts the rows."""

import json
from typing import Final

from msgspec import Struct

from dashboards.grafana.datasources import INFLUXDB
from schemas.errors import GridloomError, HistorianError
from schemas.settings import Settings
from schemas.windows import WINDOW_MS, iso_utc
from streams.dashboards.asking import AskInflux, AskPrometheus, asks_influx
from streams.dashboards.questions import Asked, all_questions
from streams.dashboards.substitution import Choice, Span, flux_text, promql_text

HOUR_MS: Final = 3_600_000


class Row(Struct, frozen=True, kw_only=True):
    """What one query gave.

    Attributes:
        rows: number of rows with anything in them; None where it was not, or could not be, asked.
        note: why there are none, what went wrong, or why it was not asked; else empty.
        failed: whether the query is wrong, or whoever should answer it does not.
    """

    dashboard: str
    place: str
    ref_id: str
    kind: str
    rows: int | None
    note: str = ""
    failed: bool = False


class Checked(Struct, frozen=True, kw_only=True):
    """Everything that was asked, of which site and about which span."""

    site: str
    span: Span
    rows: tuple[Row, ...]

    @property
    def failed(self) -> bool:
        """Whether any query failed."""
        return any(row.failed for row in self.rows)


def check(
    settings: Settings,
    prometheus_url: str | None,
    span: Span | None,
    *,
    now_ms: int,
    site: str | None = None,
) -> Checked:
    """Ask everything once.

    Args:
        settings: which InfluxDB.
        prometheus_url: which Prometheus; None: its questions are not asked.
        span: what the dashboards show of InfluxDB; None: the last hour that it holds. Prometheus
            is always asked about the hour before ``now_ms``, since its times are of the clock.
        now_ms: the time now [ms since the epoch].
        site: the site that is shown; None: the one with the newest window.

    Raises:
        ConfigurationError: there is no token for InfluxDB.
        HistorianError: no InfluxDB is configured, it is away or refuses, or it is empty.
        PrometheusError: the address is none.
    """
    influx = asks_influx(settings)
    prometheus = AskPrometheus(prometheus_url) if prometheus_url else None
    newest = _newest_window(influx, span, site)
    shown = span or Span(from_ms=newest[1] + WINDOW_MS - HOUR_MS, to_ms=newest[1] + WINDOW_MS)
    choice = Choice(site=newest[0])
    wall = Span(from_ms=now_ms - HOUR_MS, to_ms=now_ms)
    rows = [
        _ask_influx(influx, asked, shown, choice)
        if asked.kind == INFLUXDB
        else _ask_prometheus(prometheus, asked, wall)
        for asked in all_questions()
    ]
    return Checked(site=choice.site, span=shown, rows=tuple(rows))


def _newest_window(influx: AskInflux, span: Span | None, site: str | None) -> tuple[str, int]:
    """The site with the newest window, and that window's start [ms since the epoch]."""
    # Without a stop Flux ends at the wall clock's now; a pipeline may be ahead of that.
    during = "start: 0, stop: 2200-01-01T00:00:00Z" if span is None else _between(span)
    only = "" if site is None else f"|> filter(fn: (r) => r.site == {json.dumps(site)})"
    found = influx.records(
        f"""
        from(bucket: "{influx.bucket}")
            |> range({during})
            |> filter(fn: (r) => r._measurement == "site_window" and r._field == "net_kw")
            {only}
            |> last()
        """
    )
    if found:
        newest = max(found, key=lambda row: row["_time"])
        return newest["site"], round(newest["_time"].timestamp() * 1_000)
    if span is not None:
        return site or "", span.from_ms
    raise HistorianError(
        f"the bucket {influx.bucket} holds no windows{f' of site {site}' if site else ''} yet",
        hint="run `gridloom demo`, or the stages align and store, with this InfluxDB first",
    )


def _between(span: Span) -> str:
    """A span as Flux's range takes it."""
    return f"start: {iso_utc(span.from_ms)}, stop: {iso_utc(span.to_ms)}"


def _ask_influx(influx: AskInflux, asked: Asked, span: Span, choice: Choice) -> Row:
    """One Flux query."""
    shown = span if asked.look_back_s is None else span.last(asked.look_back_s)
    try:
        rows = influx.rows(flux_text(asked.text, shown, choice, influx.bucket))
    except (GridloomError, ValueError) as error:
        return _row(asked, None, _in_one_line(error), failed=True)
    return _row(asked, rows, "" if rows else asked.empty)


def _ask_prometheus(prometheus: AskPrometheus | None, asked: Asked, span: Span) -> Row:
    """One PromQL query."""
    if prometheus is None:
        return _row(asked, None, "not asked: no Prometheus is given")
    try:
        text = promql_text(asked.text, span)
        rows = prometheus.rows(text, span, instant=asked.instant)
    except (GridloomError, ValueError) as error:
        return _row(asked, None, _in_one_line(error), failed=True)
    return _row(asked, rows, "" if rows else asked.empty)


def _in_one_line(error: Exception) -> str:
    """An error with its details."""
    details = error.problems if isinstance(error, GridloomError) else ()
    message = error.message if isinstance(error, GridloomError) else str(error)
    return " ".join(": ".join((message, *details)).split())


def _row(asked: Asked, rows: int | None, note: str, *, failed: bool = False) -> Row:
    return Row(
        dashboard=asked.dashboard,
        place=asked.place,
        ref_id=asked.ref_id,
        kind=asked.kind,
        rows=rows,
        note=note,
        failed=failed,
    )
