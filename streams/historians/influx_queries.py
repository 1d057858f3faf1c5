"""What the InfluxDB historian asks, in Flux. All filters are such as InfluxDB's storage applies."""

from collections.abc import Collection, Iterable
from typing import Final

from schemas.site_window import SeriesName, SeriesStatus
from streams.historians.influx_times import LAST_NS
from streams.historians.points import EventKind, Measurement

Span = tuple[int, int]
"""From, and to but not including [ns since the epoch]."""

ALL_TIMES: Final = (0, LAST_NS)
"""Everything; points may lie in the future, for the data clock is not ours."""

ONE_EACH: Final = {
    Measurement.SITE_WINDOW: "revision",
    Measurement.METER_WINDOW: "revision",
    Measurement.EVENT: "key",
}
"""A field that every point of a measurement has."""

_ADD_UP: Final = "|> count() |> group() |> sum()"


def count(bucket: str, measurement: Measurement) -> str:
    """Number of points; the storage counts each series by itself."""
    return f"{_source(bucket, ALL_TIMES, [_one_each(measurement)])} {_ADD_UP}"


def measured(bucket: str, site: str | None) -> str:
    """Number of active power points that were measured."""
    conditions = [
        _of(Measurement.METER_WINDOW),
        'r._field == "status"',
        'r.quantity == "active_power"',
        f"r._value == {text(SeriesStatus.MEASURED)}",
    ]
    if site is not None:
        conditions.append(_at(site))
    return f"{_source(bucket, ALL_TIMES, conditions)} {_ADD_UP}"


def sites(bucket: str) -> str:
    """First and last window of every site, and their number: one result each."""
    windows = _source(bucket, ALL_TIMES, [_one_each(Measurement.SITE_WINDOW)])
    return f"""
        windows = {windows}
        windows |> first() |> {_keep("_time", "site")} |> yield(name: "first")
        windows |> last() |> {_keep("_time", "site")} |> yield(name: "last")
        windows |> count() |> {_keep("_value", "site")} |> yield(name: "count")
    """


def any_sites(bucket: str) -> str:
    """Every site that has a point of any measurement; the same one may come often."""
    fields = [f"({_one_each(measurement)})" for measurement in Measurement]
    points = _source(bucket, ALL_TIMES, [_any(fields)])
    return f'{points} |> first() |> {_keep("site")} |> unique(column: "site")'


def series(bucket: str, site: str) -> str:
    """Device and quantity of every series of a site."""
    conditions = [_one_each(Measurement.METER_WINDOW), _at(site)]
    return f"{_source(bucket, ALL_TIMES, conditions)} |> first() |> {_keep('device', 'quantity')}"


def site_windows(bucket: str, site: str, span: Span) -> str:
    """The windows of a site, one row each."""
    conditions = [_of(Measurement.SITE_WINDOW), _at(site)]
    return f"{_source(bucket, span, conditions)} {_ROWS} |> {_drop('_measurement', 'site')}"


def meter_windows(
    bucket: str, site: str, span: Span, wanted: Iterable[SeriesName] | None = None
) -> str:
    """Fields of the windows of a site's series, one row each.

    Not pivoted: with 100 series and 1,000 windows that takes InfluxDB 1.8 s in place of 0.6 s.
    """
    conditions = [_of(Measurement.METER_WINDOW), _at(site)]
    if wanted is not None:
        pairs = [
            f"(r.device == {text(name.device)} and r.quantity == {text(name.quantity)})"
            for name in wanted
        ]
        conditions.append(_any(pairs))
    kept = _keep("_time", "_field", "_value", "device", "quantity")
    return f"{_source(bucket, span, conditions)} |> {kept}"


def events(bucket: str, site: str, span: Span, kinds: Collection[EventKind]) -> str:
    """What was decided and done about the windows of a site, one row each."""
    conditions = [_of(Measurement.EVENT), _at(site)]
    if len(kinds) < len(EventKind):
        conditions.append(_any([f"r.kind == {text(kind)}" for kind in sorted(kinds)]))
    return f"{_source(bucket, span, conditions)} {_ROWS} |> {_drop('_measurement', 'site')}"


def text(value: str) -> str:
    """A text as Flux writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return f'"{escaped}"'


def _source(bucket: str, span: Span, conditions: Iterable[str]) -> str:
    """The points in ``span`` that meet all conditions."""
    start, stop = span
    return (
        f"from(bucket: {text(bucket)})"
        f" |> range(start: time(v: {start}), stop: time(v: {stop}))"
        f" |> filter(fn: (r) => {' and '.join(conditions)})"
    )


def _of(measurement: Measurement) -> str:
    return f"r._measurement == {text(measurement)}"


def _one_each(measurement: Measurement) -> str:
    return f"{_of(measurement)} and r._field == {text(ONE_EACH[measurement])}"


def _at(site: str) -> str:
    return f"r.site == {text(site)}"


def _any(conditions: Iterable[str]) -> str:
    return f"({' or '.join(conditions)})"


def _keep(*columns: str) -> str:
    return f"keep(columns: [{', '.join(map(text, columns))}])"


def _drop(*columns: str) -> str:
    return f"drop(columns: [{', '.join(map(text, ('_start', '_stop', *columns)))}])"


_ROWS: Final = '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
"""One row per point, its fields as columns."""
