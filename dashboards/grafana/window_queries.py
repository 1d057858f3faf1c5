"""What is asked of the windows of a site: powers, completeness, how many series are known."""

from typing import Final

from dashboards.grafana.flux import (
    LABELLED,
    SINCE,
    at_most,
    by_range,
    flux,
    named,
    read,
    thinned,
    where,
)

SITES: Final = """\
import "influxdata/influxdb/schema"
schema.tagValues(
    bucket: v.defaultBucket,
    tag: "site",
    predicate: (r) => r._measurement == "site_window",
    start: v.timeRangeStart,
    stop: v.timeRangeStop,
)
"""
"""Every site that has windows in the range."""


SEVERITY: Final = """
    |> map(fn: (r) => ({r with _value:
        if r._value == "complete" then 0
        else if r._value == "degraded" then 1
        else 2
    }))
"""
"""Completeness as a number, so that the worst is the greatest."""


def powers() -> str:
    """Load, generation and net load of the site [kW].

    ``load_kw``, ``generation_kw``, ``net_kw``; and of ranges beyond 6 h ``net_kw_max``, the
    greatest net load within a mean.
    """
    fields = ("load_kw", "generation_kw", "net_kw", "net_kw_max")
    return flux(
        by_range(), read("bucket"), where("site_window", *fields), thinned("mean"), LABELLED
    )


def completeness() -> str:
    """The worst window per interval: 0 complete, 1 degraded, 2 blind; of the last 6 h."""
    return flux(
        at_most("6h"),
        read(during=SINCE),
        where("site_window", "completeness"),
        SEVERITY,
        thinned("max", "v.windowPeriod"),
        named('"windows"'),
    )


def newest_completeness() -> str:
    """The completeness of the newest window, in words."""
    return flux(
        read(),
        where("site_window", "completeness"),
        "|> last()",
        LABELLED,
    )


def series_by_status() -> str:
    """How many series were measured, still valid, and missing; of the last 6 h."""
    return flux(
        at_most("6h"),
        read(during=SINCE),
        where("site_window", "measured", "valid", "missing"),
        thinned("mean", "v.windowPeriod"),
        LABELLED,
    )
