"""Puts values in the place of Grafana's variables, as Grafana itself does it.

In Flux, Grafana's InfluxDB data source replaces ``v.timeRangeStart`` and its like in the text;
both, and ``$__...`` variables, are documented at
https://grafana.com/docs/grafana/latest/dashboards/variables/add-template-variables/ and
https://grafana.com/docs/grafana/latest/datasources/influxdb/query-editor/.
"""

import re
from typing import Final

from msgspec import Struct

from schemas.windows import iso_utc

MAX_POINTS: Final = 1_000
"""How many points a panel about as wide as a screen asks for."""

SCRAPE_INTERVAL_S: Final = 2
"""As the data source is told in ``dashboards.grafana.provisioning``."""
_NICE_S: Final = (5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 21_600, 86_400)
_MS: Final = 1_000
_LEFT_OVER: Final = re.compile(r"\$\{[^}]*\}|\$__\w+|\bv\.\w+")


class Span(Struct, frozen=True, kw_only=True):
    """The range that a dashboard shows, ``[from_ms, to_ms)`` [ms since the epoch]."""

    from_ms: int
    to_ms: int

    @property
    def length_s(self) -> int:
        """How long it is [s], at least 1."""
        return max(1, (self.to_ms - self.from_ms) // _MS)

    @property
    def step_s(self) -> int:
        """Distance of the points that a panel asks for [s], at least a window."""
        wanted_s = self.length_s / MAX_POINTS
        return next((nice for nice in _NICE_S if nice >= wanted_s), _NICE_S[-1])

    def last(self, seconds: int) -> "Span":
        """Its last seconds."""
        return Span(from_ms=self.to_ms - seconds * _MS, to_ms=self.to_ms)


class Choice(Struct, frozen=True, kw_only=True):
    """What is chosen on a dashboard; no devices are all of them. ``timezone``: IANA name."""

    site: str
    devices: tuple[str, ...] = ()
    timezone: str = "utc"

    @property
    def device_pattern(self) -> str:
        """The chosen devices as Grafana writes them into a regular expression."""
        escaped = [re.sub(r"[-\\^$*+?.()|\[\]{}/]", r"\\\g<0>", name) for name in self.devices]
        if not escaped:
            return ".*"
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def flux_text(text: str, span: Span, choice: Choice, bucket: str) -> str:
    """A Flux query as InfluxDB gets it.

    Raises:
        ValueError: it has a variable that Grafana would leave alone, too.
    """
    return _replaced(
        text,
        {
            "v.timeRangeStart": iso_utc(span.from_ms),
            "v.timeRangeStop": iso_utc(span.to_ms),
            "v.windowPeriod": f"{span.step_s}s",
            "v.defaultBucket": f'"{bucket}"',
            "${site:raw}": choice.site,
            "${device:regex}": choice.device_pattern,
            "${__timezone}": choice.timezone,
        },
    )


def promql_text(text: str, span: Span) -> str:
    """A PromQL query as Prometheus gets it.

    Raises:
        ValueError: it has a variable that Grafana would leave alone, too.
    """
    rate_s = max(span.step_s + SCRAPE_INTERVAL_S, 4 * SCRAPE_INTERVAL_S)
    return _replaced(
        text,
        {
            "$__rate_interval": f"{rate_s}s",
            "$__interval": f"{span.step_s}s",
            "$__range": f"{span.length_s}s",
        },
    )


def _replaced(text: str, values: dict[str, str]) -> str:
    for variable, value in values.items():
        text = text.replace(variable, value)
    if unknown := sorted(set(_LEFT_OVER.findall(text))):
        raise ValueError(f"no value for {', '.join(unknown)}")
    return text
