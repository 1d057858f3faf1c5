"""The three key figures of a site (requirement S1-12); what is unknown is None, never zero."""

from collections.abc import Iterable

import msgspec

from processors.accounting.days import Day
from schemas.dispatch_plan import DispatchPlan


class PredictedPeak(msgspec.Struct, frozen=True, kw_only=True):
    """The peak that the newest plan foresees.

    Attributes:
        window_start_ms: the window that the plan rests on [ms since the epoch].
        uncontrolled_kw: greatest power ahead if every relay were on [kW], None when blind.
        expected_kw: greatest power ahead under the plan [kW], None when blind.
        threshold_kw: what the plan holds the site under [kW].
        horizon_s: how far ahead it looks [s], None where the plan does not say.
    """

    window_start_ms: int
    uncontrolled_kw: float | None
    expected_kw: float | None
    threshold_kw: float
    horizon_s: float | None


class Savings(msgspec.Struct, frozen=True, kw_only=True):
    """What plans that were let through saved, as they themselves foresaw it.

    An estimate: it rests on the look-ahead's forecast, not on a meter, and is gross of the
    rebound, that is of what loads draw later because they were off.

    Attributes:
        amount: money [currency], or None where a price is unknown or currencies are mixed.
        currency: of the amount (ISO 4217), None where unknown.
        avoided_kwh: energy that the amount is reckoned from [kWh].
        decisions: plans that it is reckoned from.
        without_forecast: plans let through that are not in it: blind, they foresaw nothing.
    """

    amount: float | None
    currency: str | None
    avoided_kwh: float
    decisions: int
    without_forecast: int


class DayFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of one calendar day, as far as its events are known.

    Attributes:
        day: where the day begins and ends.
        commands: commands that were sent; renewals of a lease are none.
        savings: None where no plan of the day is known.
    """

    day: Day
    commands: int
    savings: Savings | None


def predicted_peak(plans: Iterable[DispatchPlan]) -> PredictedPeak | None:
    """What the newest of a site's ``plans`` foresees, in whatever order; None without any."""
    newest = max(plans, key=lambda plan: plan.window_start_ms, default=None)
    if newest is None:
        return None
    return PredictedPeak(
        window_start_ms=newest.window_start_ms,
        uncontrolled_kw=newest.uncontrolled_kw,
        expected_kw=newest.expected_kw,
        threshold_kw=newest.threshold_kw,
        horizon_s=newest.lookahead_s,
    )
