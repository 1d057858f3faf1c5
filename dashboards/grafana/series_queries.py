"""What is asked of the series of devices: relay states, power, what is missing."""

from typing import Final

from dashboards.grafana.flux import (
    SINCE,
    WIDE,
    Tags,
    at_most,
    by_range,
    flux,
    named,
    read,
    thinned,
    where,
)

DEVICES: Final = "/^(${device:regex})$/"
"""The devices that are chosen on the dashboard."""

_IMPORTS: Final = 'import "regexp"\nimport "strings"'
_RELAYS: Final = "/^relay_/"
_POWER: Final[Tags] = {"quantity": "active_power", "device": DEVICES}
_KNOWN: Final = """
    |> filter(fn: (r) => exists r.value and (if exists r.status then r.status != "x" else true))
    |> rename(columns: {value: "_value"})
"""
"""Of each series' points those that are known: a missing point may still carry the value of an
older revision. Means have no status, since nothing missing is in them."""

METERED_DEVICES: Final = """\
import "influxdata/influxdb/schema"
schema.tagValues(
    bucket: v.defaultBucket,
    tag: "device",
    predicate: (r) => r._measurement == "meter_window" and r.site == "${site:raw}",
    start: v.timeRangeStart,
    stop: v.timeRangeStop,
)
"""
"""Every device of the site that has points in the range."""


def relay_states(devices: str = "") -> str:
    """Every relay output: 1 on, 0 off, between them where it switched within an interval.

    Args:
        devices: regular expression of relay boards; empty for all.
    """
    tags = {"device": devices} if devices else {}
    return flux(
        'import "strings"',
        by_range(),
        read("bucket"),
        where("meter_window", "value", "status", tags={"quantity": _RELAYS, **tags}),
        WIDE,
        _KNOWN,
        thinned("mean"),
        named('r.device + strings.replace(v: r.quantity, t: "relay_", u: " output ", i: 1)'),
    )


def powers_by_device() -> str:
    """Active power of the twelve chosen devices with the greatest mean [kW]."""
    return flux(
        _IMPORTS,
        by_range(fine="3h", middle="2d"),
        f"greatest = {read('bucket')}",
        where("meter_window", "value", tags=_POWER),
        """
            |> mean()
            |> group()
            |> top(n: 12)
            |> findColumn(fn: (key) => true, column: "device")
        names = strings.replaceAll(v: strings.joinStr(arr: greatest, v: "|"), t: ".", u: "\\\\.")
        chosen = regexp.compile(v: "^(" + names + ")$")
        """,
        read("bucket"),
        where("meter_window", "value", "status", tags=_POWER),
        "|> filter(fn: (r) => r.device =~ chosen)",
        WIDE,
        _KNOWN,
        thinned("mean"),
        named("r.device"),
    )


def missing_series() -> str:
    """Series that were missing, the longest first: in how many windows of the last 6 h."""
    return flux(
        at_most("6h"),
        read(during=SINCE),
        where("meter_window", "status", tags={"device": DEVICES}),
        """
        |> filter(fn: (r) => r._value == "x")
        |> group(columns: ["device", "quantity"])
        |> count()
        |> group()
        |> keep(columns: ["device", "quantity", "_value"])
        |> rename(columns: {_value: "windows_missing"})
        |> sort(columns: ["windows_missing"], desc: true)
        |> limit(n: 50)
        """,
    )
