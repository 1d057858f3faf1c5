"""What the alert rules ask. Grafana evaluates them at the end of the time they look back on.

They may not name variables of a dashboard: each answers for every site, one series per site,
and needs no window newer than its range.
"""

from typing import Final

from dashboards.grafana.flux import DURING, flux, of_any_site, read
from dashboards.grafana.window_queries import SEVERITY

WINDOWS: Final = 6
"""How many windows in a row make an alert: half a minute of data."""

_PER_SITE: Final = '|> group(columns: ["site"])'
_LEAST_OF_LAST: Final = f"""
    |> sort(columns: ["_time"])
    |> tail(n: {WINDOWS})
    |> min()
    |> map(fn: (r) => ({{_time: r._time, _value: r._value, _field: "least", site: r.site}}))
    {_PER_SITE}
"""


def over_threshold() -> str:
    """The least of the last windows' excess over the plan's threshold [kW], per site."""
    return flux(
        'import "date"',
        f"net = {read()}",
        of_any_site("site_window", "net_kw"),
        f"limits = {read()}",
        of_any_site("event", "threshold_kw", tags={"kind": "plan"}),
        f"""
        union(tables: [net, limits])
        |> map(fn: (r) => ({{r with _time: date.truncate(t: r._time, unit: 5s)}}))
        {_PER_SITE}
        |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
        |> filter(fn: (r) => exists r.net_kw and exists r.threshold_kw)
        |> map(fn: (r) => ({{r with _value: r.net_kw - r.threshold_kw}}))
        """,
        _LEAST_OF_LAST,
    )


def blindness() -> str:
    """The best completeness of the last windows per site: 0 complete, 1 degraded, 2 blind."""
    return flux(
        read(),
        of_any_site("site_window", "completeness"),
        SEVERITY,
        "|> map(fn: (r) => ({r with _value: float(v: r._value)}))",
        _PER_SITE,
        _LEAST_OF_LAST,
    )


def unconfirmed_commands() -> str:
    """Setpoints older than 30 s without any acknowledgement, counted per site."""
    return flux(
        'import "date"',
        "patient = date.sub(d: 30s, from: v.timeRangeStop)",
        "from(bucket: v.defaultBucket)",
        DURING,
        of_any_site("event", "seq", tags={"kind": ("setpoint", "ack")}),
        f"""
        |> map(fn: (r) => ({{
            _time: r._time,
            site: r.site,
            device: r.device,
            seq: r._value,
            sent: if r.kind == "setpoint" and r._time < patient then 1.0 else 0.0,
            answered: if r.kind == "ack" then 1.0 else 0.0,
        }}))
        |> group(columns: ["site", "device", "seq"])
        |> reduce(
            identity: {{sent: 0.0, answered: 0.0}},
            fn: (r, accumulator) => ({{
                sent: accumulator.sent + r.sent,
                answered: accumulator.answered + r.answered,
            }}),
        )
        |> map(fn: (r) => ({{
            _time: v.timeRangeStop,
            _value: if r.sent > 0.0 and r.answered == 0.0 then 1.0 else 0.0,
            site: r.site,
        }}))
        |> group(columns: ["site", "_time"])
        |> sum()
        |> set(key: "_field", value: "unconfirmed")
        {_PER_SITE}
        """,
    )
