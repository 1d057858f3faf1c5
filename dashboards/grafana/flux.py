"""Pieces that Flux queries are put together from.

A query reads points as ``streams.historians`` lays them out in InfluxDB: measurements
``site_window`` and ``meter_window`` (time: start of the window) and ``event`` (time: start of the
window plus less than 5 s). Grafana takes a result with ``_time`` and ``_value`` for a time series,
named by ``_field`` and labelled by all other columns without an underscore; any other result is
a table.
"""

from collections.abc import Mapping
from textwrap import dedent
from typing import Final

DURING: Final = "|> range(start: v.timeRangeStart, stop: v.timeRangeStop)"
"""Within what the dashboard shows."""

WIDE: Final = '|> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")'
"""The fields of a point side by side."""

LABELLED: Final = '|> keep(columns: ["_time", "_value", "_field"])'
"""A time series whose name is all that is said of it."""

Tags = Mapping[str, str | tuple[str, ...]]
"""What tags must be: a value, one of several, or a regular expression between slashes."""


def flux(*pieces: str) -> str:
    """One query from its pieces, in their order."""
    return "\n".join(dedent(piece).strip() for piece in pieces) + "\n"


def by_range(*, fine: str = "6h", middle: str = "4d") -> str:
    """Names ``bucket`` and ``every``: which points to read, and how to thin them.

    Up to ``fine`` it is the 5-second points, up to ``middle`` the 1-minute means, beyond that
    the 15-minute means: a month is 3,000 points of a series. ``every`` is never shorter
    than the distance of the points, so that an empty interval is a gap.
    """
    return f"""
        span = int(v: v.timeRangeStop) - int(v: v.timeRangeStart)
        bucket =
            if span <= int(v: {fine}) then v.defaultBucket
            else if span <= int(v: {middle}) then v.defaultBucket + "_1m"
            else v.defaultBucket + "_15m"
        apart =
            if span <= int(v: {fine}) then int(v: 5s)
            else if span <= int(v: {middle}) then int(v: 1m)
            else int(v: 15m)
        asked = int(v: v.windowPeriod)
        every = duration(v: if asked > apart then asked else apart)
    """


def at_most(length: str) -> str:
    """Names ``since``: the start of the range, but no more than ``length`` before its end."""
    return f"""
        earliest = int(v: v.timeRangeStop) - int(v: {length})
        shown = int(v: v.timeRangeStart)
        since = time(v: if shown > earliest then shown else earliest)
    """


def read(bucket: str = "v.defaultBucket", during: str = DURING) -> str:
    """The points of a bucket within a time."""
    return f"from(bucket: {bucket})\n{during}"


SINCE: Final = "|> range(start: since, stop: v.timeRangeStop)"
"""Within what :func:`at_most` leaves of the range."""


def where(measurement: str, *fields: str, tags: Tags | None = None) -> str:
    """Only these fields of one measurement, of the site that is shown, and of these tags."""
    return of_any_site(measurement, *fields, tags={"site": "${site:raw}", **(tags or {})})


def of_any_site(measurement: str, *fields: str, tags: Tags | None = None) -> str:
    """Only these fields of one measurement, of all sites, and of these tags."""
    terms = [f'r._measurement == "{measurement}"']
    terms += [_any_of(tag, values) for tag, values in (tags or {}).items()]
    terms.append(_any_of("_field", fields))
    return f"|> filter(fn: (r) => {' and '.join(terms)})"


def _any_of(column: str, values: str | tuple[str, ...]) -> str:
    """Compares a column with a value, with any of several, or with a regular expression."""
    if isinstance(values, str):
        values = (values,)
    terms = [f"r.{column} =~ {v}" if v.startswith("/") else f'r.{column} == "{v}"' for v in values]
    return terms[0] if len(terms) == 1 else f"({' or '.join(terms)})"


def thinned(fn: str, every: str = "every", *, gaps: bool = True) -> str:
    """One value per interval, at the interval's start; an empty interval is null, or left out."""
    empty = "true" if gaps else "false"
    return f'|> aggregateWindow(every: {every}, fn: {fn}, timeSrc: "_start", createEmpty: {empty})'


def named(name: str) -> str:
    """Time series named by a Flux expression over the columns of ``r``, and by nothing else."""
    return f"""
        |> map(fn: (r) => ({{_time: r._time, _value: r._value, _field: {name}}}))
        |> group(columns: ["_field"])
    """
