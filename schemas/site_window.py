"""Aligned windows: what align publishes and dispatch, the historian and operators read."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from schemas.messages import Message


class Completeness(StrEnum):
    """How much of a window is known.

    Complete: every required series is measured or valid. Blind: the required series that are
    missing make up more than half of the site's rated power. Degraded: anything between.
    """

    COMPLETE = "complete"
    DEGRADED = "degraded"
    BLIND = "blind"


class SeriesStatus(StrEnum):
    """How a window's value of one series is known (one letter, as chunks carry one each)."""

    MEASURED = "m"
    """Covered by a reading within its own interval."""
    VALID = "v"
    """Held over from a reading that is not older than its hold time."""
    MISSING = "x"
    """Unknown; never zero."""


class RelayWindow(msgspec.Struct, frozen=True, kw_only=True):
    """State of one relay output at the window's end.

    Attributes:
        device: relay board.
        output: output on the board, from 1.
        on: closed (True), open (False), or unknown (None).
        load_kw: mean power that its own sub-meter saw [kW], or None.
    """

    device: str
    output: int
    on: bool | None
    load_kw: float | None = None


class SiteWindow(Message, frozen=True, kw_only=True):
    """The aggregate of one site over one window; topic ``windows.site``.

    Attributes:
        window_start_ms: start [ms since the epoch]; the window is 5 s long.
        revision: 0 for the first; a later one replaces it.
        model_hash: hash of the site model that it was made with.
        completeness: complete, degraded or blind.
        load_kw: sum of all loads, relay loads included, with missing ones counted on the safe
            side: the last value while valid, then the rating [kW].
        generation_kw: sum of all generation, negative or zero; missing counts 0 [kW].
        energy_import_kwh: sum of the counters' increase, or None where no counter is known.
        measured, valid, missing: number of series of each status.
        missing_rated_kw: rated power of the required series that are missing [kW].
        missing_series: the first twenty missing required series, ``device/quantity``.
        relays: every relay output of the site.
        weather: last valid value by quantity [canonical unit], unknown ones absent.
    """

    site: str
    window_start_ms: int
    revision: int
    model_hash: str
    completeness: Completeness
    load_kw: float
    generation_kw: float
    energy_import_kwh: float | None
    measured: int
    valid: int
    missing: int
    missing_rated_kw: float
    missing_series: tuple[str, ...]
    relays: tuple[RelayWindow, ...]
    weather: dict[str, float]

    @property
    def net_kw(self) -> float:
        """What the site draws from the grid [kW]: load plus (negative) generation."""
        return self.load_kw + self.generation_kw


class SeriesName(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Names a series within its site."""

    device: str
    quantity: str


class MeterWindows(Message, frozen=True, kw_only=True):
    """Values of up to 500 series of one site in one window; topic ``windows.meter``.

    Attributes:
        chunk: number of the chunk within the site, from 0.
        series: names, in the order of ``values`` and ``status``.
        values: value in the quantity's canonical unit, or None where missing.
        status: one :class:`SeriesStatus` letter per series.
    """

    site: str
    window_start_ms: int
    revision: int
    chunk: int
    series: tuple[SeriesName, ...]
    values: tuple[float | None, ...]
    status: str


class RawMeterWindows(Message, frozen=True, kw_only=True):
    """:class:`MeterWindows` to be written, with names that are JSON already.

    The names are most of the message, and the same in every window of a site.
    """

    site: str
    window_start_ms: int
    revision: int
    chunk: int
    series: msgspec.Raw
    values: tuple[float | None, ...]
    status: str


def as_raw(names: Sequence[SeriesName]) -> msgspec.Raw:
    """Names of series as JSON."""
    return msgspec.Raw(msgspec.json.encode(names))
