"""Draws the page with Streamlit: what ``dashboards.page`` builds of what the feed reads."""

import time
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from dashboards.page.actions import actions_in
from dashboards.page.cards import (
    Card,
    cards_html,
    commands_card,
    net_load_card,
    no_peak_card,
    no_savings_card,
    peak_card,
    savings_card,
)
from dashboards.page.chart import load_figure
from dashboards.page.completeness import completeness_text, stretches
from dashboards.page.lamps import lamps_html, lamps_of
from dashboards.page.log import log_html, log_rows
from dashboards.page.notices import Service, head_html, note_html, notice_html, offline_html
from dashboards.page.style import STYLE
from dashboards.page.times import clock_text, duration_text, stamp_text
from processors.accounting.figures import predicted_peak
from schemas.dispatch_plan import DispatchPlan
from streams.page.feed import Feed
from streams.page.looks import Look, Snapshot

REFRESH_S: Final = 5
"""Time between two looks [s] (S1-12)."""

SPANS_MIN: Final = (5, 15, 30, 60, 180)
"""Spans to choose from [min]."""

DEFAULT_SPAN_MIN: Final = 30

ROWS_PER_PAGE: Final = 300
"""Rows of the event log that are sent at once."""


def draw(feed: Feed, zone: ZoneInfo) -> None:
    """Draw the page, and draw it anew every few seconds."""
    st.set_page_config(page_title="Gridloom", page_icon="⚡", layout="wide")
    st.html(STYLE)
    st.fragment(_refreshed, run_every=REFRESH_S)(feed, zone)


def _refreshed(feed: Feed, zone: ZoneInfo) -> None:
    """Everything that changes."""
    head, site_place, span_place = st.columns([6, 1.7, 3.3], vertical_alignment="center")
    span_min = span_place.segmented_control(
        "Span",
        SPANS_MIN,
        default=DEFAULT_SPAN_MIN,
        format_func=_span_text,
        label_visibility="collapsed",
        key="span",
    )
    look = feed.look(st.session_state.get("site"), (span_min or DEFAULT_SPAN_MIN) * 60_000)
    shown = look.snapshot
    if shown is not None:
        site_place.selectbox("Site", shown.sites, label_visibility="collapsed", key="site")
    head.html(head_html("" if shown is None else shown.site, look.service, _newest(look, zone)))
    if look.notice is not None:
        offline = look.service is Service.OFFLINE
        st.html(offline_html(look.notice) if offline else notice_html(look.notice))
    if shown is not None:
        _draw_snapshot(shown, zone, current=look.service is not Service.OFFLINE)


def _span_text(minutes: int) -> str:
    """A span as it is offered."""
    return duration_text(60 * minutes)


def _newest(look: Look, zone: ZoneInfo) -> str:
    """What is to be said of the newest window: its age only where it may not be the present."""
    if look.snapshot is None:
        return ""
    newest_ms = look.snapshot.newest_ms
    text = f"newest window {stamp_text(newest_ms, zone)}"
    if look.service is Service.LIVE:
        return text
    age_s = time.time() - newest_ms / 1000
    side = "old" if age_s >= 0 else "ahead"
    return f"{text}, {duration_text(abs(age_s))} {side} by this machine's clock"


def _draw_snapshot(shown: Snapshot, zone: ZoneInfo, *, current: bool) -> None:
    """Cards, chart, lamps and log."""
    plans = [event for event in shown.events if isinstance(event, DispatchPlan)]
    st.html(cards_html(_cards(shown, plans, zone)))
    chart, side = st.columns([3.6, 1], gap="medium")
    figure = load_figure(shown.windows, plans, actions_in(shown.events), zone)
    chart.plotly_chart(figure, config={"displayModeBar": False}, key="load")
    counted = completeness_text(stretches(shown.windows))
    chart.html(note_html(f"{counted}. Source: {shown.source}"))
    with side:
        heading = "Relays" if current else "Relays: unknown by now"
        lamps = lamps_of(shown.windows[-1].relays, current=current)
        st.html(f'<div class="gl-side"><h3>{heading}</h3>{lamps_html(lamps)}</div>')
    _draw_log(shown, zone)


def _cards(shown: Snapshot, plans: Sequence[DispatchPlan], zone: ZoneInfo) -> list[Card]:
    """The key figures."""
    peak = predicted_peak(plans)
    figures, savings = shown.figures, shown.figures.savings
    return [
        net_load_card(shown.windows[-1], None if peak is None else peak.threshold_kw, zone),
        no_peak_card()
        if peak is None
        else peak_card(
            peak.uncontrolled_kw,
            peak.expected_kw,
            peak.threshold_kw,
            peak.horizon_s,
            clock_text(peak.window_start_ms, zone),
        ),
        commands_card(figures.commands, figures.day.start_ms, shown.first_ms, zone),
        no_savings_card()
        if savings is None
        else savings_card(
            savings.amount,
            savings.currency,
            savings.avoided_kwh,
            savings.decisions,
            savings.without_forecast,
        ),
    ]


def _draw_log(shown: Snapshot, zone: ZoneInfo) -> None:
    """Every event of the span, newest first, page by page where there are many."""
    rows = log_rows(shown.events)
    title, page_place, only_place = st.columns([5, 1.6, 1.8], vertical_alignment="center")
    only = only_place.toggle("only what switches", key="only")
    chosen = [row for row in rows if row.switches] if only else rows
    pages = max(1, -(-len(chosen) // ROWS_PER_PAGE))
    page = 1
    if pages > 1:
        page = page_place.selectbox(
            "Page",
            range(1, pages + 1),
            format_func=lambda number: f"page {number} of {pages}",
            label_visibility="collapsed",
            key="page",
        )
    counted = f"{len(chosen):,} of {len(rows):,}" if only else f"{len(rows):,}"
    title.html(f'<p class="gl-h" data-events="{len(rows)}">Event log: {counted} events</p>')
    first = (page - 1) * ROWS_PER_PAGE
    st.html(log_html(chosen[first : first + ROWS_PER_PAGE], zone))
