"""Key figures as cards: a value, what it means, and what it does not mean (S1-12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from zoneinfo import ZoneInfo

from dashboards.page.times import clock_text, duration_text, local
from schemas.site_window import Completeness, SiteWindow

UNKNOWN = "unknown"
"""What stands in place of a value that nobody knows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One key figure.

    Attributes:
        key: names it to programs.
        title: names it to people.
        value: with its unit, or :data:`UNKNOWN`.
        detail: what belongs to the value.
        caveat: what the value does not say.
    """

    key: str
    title: str
    value: str
    detail: str
    caveat: str


def net_load_card(window: SiteWindow, threshold_kw: float | None, zone: ZoneInfo) -> Card:
    """What the site drew in its newest window; unknown where the window is blind."""
    blind = window.completeness is Completeness.BLIND
    share = "" if threshold_kw is None else f"; {window.net_kw / threshold_kw:.0%} of the threshold"
    caveats = {
        Completeness.COMPLETE: "Mean of 5 s, from the grid; every series is known.",
        Completeness.DEGRADED: "Mean of 5 s; missing loads count on the safe side.",
        Completeness.BLIND: "Blind: most of the rated power has no value.",
    }
    return Card(
        key="net-load",
        title="Net load",
        value=UNKNOWN if blind else f"{window.net_kw:.1f} kW",
        detail=f"at {clock_text(window.window_start_ms, zone)}{'' if blind else share}",
        caveat=caveats[window.completeness],
    )


def peak_card(
    uncontrolled_kw: float | None,
    expected_kw: float | None,
    threshold_kw: float,
    horizon_s: float | None,
    window: str,
) -> Card:
    """What the newest plan foresees.

    Args:
        uncontrolled_kw: with every relay on [kW], None when blind.
        expected_kw: under the plan [kW], None when blind.
        threshold_kw: what the plan holds the site under [kW].
        horizon_s: how far ahead it looks [s], None where it does not say.
        window: time of the window that it rests on.
    """
    known = uncontrolled_kw is not None and expected_kw is not None
    horizon = "" if horizon_s is None else f" of {duration_text(horizon_s)}"
    return Card(
        key="peak",
        title="Predicted peak load",
        value=f"{uncontrolled_kw:.1f} kW" if known else UNKNOWN,
        detail=(
            f"{expected_kw:.1f} kW as planned; threshold {threshold_kw:g} kW"
            if known
            else f"the newest plan is blind; threshold {threshold_kw:g} kW"
        ),
        caveat=(
            f"With every relay on, over the site's look-ahead{horizon}, not over the next hour;"
            f" plan of {window}."
        ),
    )


def no_peak_card() -> Card:
    """Nothing was planned in the span."""
    return Card(
        key="peak",
        title="Predicted peak load",
        value=UNKNOWN,
        detail="no plan in this span",
        caveat="The dispatch stage makes a plan for every window.",
    )


def commands_card(commands: int, midnight_ms: int, known_from_ms: int, zone: ZoneInfo) -> Card:
    """How many commands were sent today.

    Args:
        commands: setpoints that were no renewals.
        midnight_ms: when the day began [ms since the epoch].
        known_from_ms: first window that the historian keeps of the site [ms since the epoch].
        zone: whose midnight it is.
    """
    since = f"since midnight of {local(midnight_ms, zone):%d %b %Y}, {zone.key}"
    late = known_from_ms > midnight_ms
    kept = f" Kept only from {clock_text(known_from_ms, zone)} on." if late else ""
    return Card(
        key="commands",
        title="Optimization commands sent today",
        value=f"{commands:,}",
        detail=since,
        caveat=f"Renewals of a lease are not counted.{kept}",
    )


def savings_card(
    amount: float | None,
    currency: str | None,
    avoided_kwh: float,
    decisions: int,
    without_forecast: int,
) -> Card:
    """What shedding saved today, as the plans themselves foresaw it.

    Args:
        amount: money [currency], None where unknown.
        currency: of the amount.
        avoided_kwh: energy that it is reckoned from [kWh].
        decisions: plans that it is reckoned from.
        without_forecast: plans let through that foresaw nothing, being blind.
    """
    known = amount is not None
    blind = f"; {without_forecast:,} blind ones left out" if without_forecast else ""
    return Card(
        key="savings",
        title="Energy cost savings today",
        value=f"{amount:.2f} {currency}" if known else UNKNOWN,
        detail=f"{avoided_kwh:.2f} kWh avoided, {decisions:,} decisions{blind}",
        caveat=(
            "Estimated by the look-ahead's forecast, before any rebound."
            if known
            else "A price is not known, or is in several currencies: no sum can be told."
        ),
    )


def no_savings_card() -> Card:
    """Nothing was planned today."""
    return Card(
        key="savings",
        title="Energy cost savings today",
        value=UNKNOWN,
        detail="no plan is known of today",
        caveat="Savings are reckoned from plans that the gate let through.",
    )


def cards_html(cards: Sequence[Card]) -> str:
    """The cards side by side."""
    return f'<div class="gl-cards">{"".join(_one(card) for card in cards)}</div>'


def _one(card: Card) -> str:
    unknown = " gl-value-unknown" if card.value == UNKNOWN else ""
    return (
        f'<section class="gl-card" data-kpi="{card.key}"><h3>{escape(card.title)}</h3>'
        f'<p class="gl-value{unknown}">{escape(card.value)}</p>'
        f'<p class="gl-detail">{escape(card.detail)}</p>'
        f'<p class="gl-caveat">{escape(card.caveat)}</p></section>'
    )
