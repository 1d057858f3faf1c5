"""Points: what a historian keeps. Every time is on the window grid; revision is never a tag.

=============  =========================  =================================================
measurement    tags (identify, with time) fields
=============  =========================  =================================================
site_window    site                       all else of :class:`SitePoint`
meter_window   site, device, quantity     revision, status, value
event          site, kind, key            all else of :class:`EventPoint`
=============  =========================  =================================================

A point is identified by its measurement, tags and time. Of two points with the same identity
the one with the greater revision stays; events have one revision only, and the first stays.
Missing is None with its status, so that a gap is visible and never a zero.
"""

from enum import StrEnum
from typing import NamedTuple, assert_never

import msgspec

from schemas.site_window import Completeness, RelayWindow, SeriesName, SeriesStatus


class Measurement(StrEnum):
    """The three kinds of point."""

    SITE_WINDOW = "site_window"
    METER_WINDOW = "meter_window"
    EVENT = "event"


class SitePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One site in one window; fields and units as in ``schemas.site_window.SiteWindow``."""

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


class MeterPoints(msgspec.Struct, frozen=True, kw_only=True):
    """Points of many series of a site in one window, column-wise: one point per series.

    Attributes:
        series: names, in the order of ``values`` and ``status``.
        values: value in the quantity's canonical unit; None where, and only where, missing.
        status: one ``SeriesStatus`` letter per series.
    """

    site: str
    window_start_ms: int
    revision: int
    series: tuple[SeriesName, ...]
    values: tuple[float | None, ...]
    status: str


class MeterPoint(NamedTuple):
    """One series in one window, as it is read back; ``value`` in the canonical unit.

    A plain tuple, because a chart asks for a hundred thousand of them.
    """

    window_start_ms: int
    device: str
    quantity: str
    revision: int
    status: SeriesStatus
    value: float | None


class EventKind(StrEnum):
    """The steps of a decision, in their order."""

    PLAN = "plan"
    VERDICT = "verdict"
    SETPOINT = "setpoint"
    ACK = "ack"


class EventPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a decision.

    Attributes:
        key: tells events of one site and kind apart; the same when the message is read again.
        window_start_ms: the window that the decision is about [ms since the epoch].
        at_ms: when it happened [ms of pipeline time]; None for a plan, which knows no clock.
        device: the device commanded, or None where it is about the whole site.
        seq: sequence number for the devices.
        outcome: a plan's status, a verdict's outcome, ``command`` or ``renewal`` for a
            setpoint, an acknowledgement's result.
        reasons: reason codes of the outputs, or of the refusal; sorted, each once.
        switched_on, switched_off: outputs that a plan, or by its readback a device, switches;
            None where the message does not say.
        load_kw, uncontrolled_kw, expected_kw, threshold_kw, violation_kw: as in a plan [kW];
            None for all other kinds.
        body: the whole message, as JSON.
        price_per_kwh, currency: as in a plan; None for all other kinds.
    """

    site: str
    kind: EventKind
    key: str
    window_start_ms: int
    at_ms: int | None
    decision_id: str
    device: str | None
    seq: int
    outcome: str
    reasons: tuple[str, ...]
    switched_on: int | None = None
    switched_off: int | None = None
    load_kw: float | None = None
    uncontrolled_kw: float | None = None
    expected_kw: float | None = None
    threshold_kw: float | None = None
    violation_kw: float | None = None
    body: str
    price_per_kwh: float | None = None
    currency: str | None = None


Point = SitePoint | MeterPoints | EventPoint
"""What a historian is given; match it with ``assert_never``."""


def measurement_of(point: Point) -> Measurement:
    """Which kind of point it is."""
    match point:
        case SitePoint():
            return Measurement.SITE_WINDOW
        case MeterPoints():
            return Measurement.METER_WINDOW
        case EventPoint():
            return Measurement.EVENT
        case _:
            assert_never(point)


def points_in(point: Point) -> int:
    """How many points it is: a column holds many."""
    return len(point.series) if isinstance(point, MeterPoints) else 1
