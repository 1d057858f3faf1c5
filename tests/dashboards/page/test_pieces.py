"""Pieces of the page: lamps, windows' completeness, cards, notices, sentences."""

from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from dashboards.page.cards import (
    UNKNOWN,
    cards_html,
    commands_card,
    net_load_card,
    peak_card,
    savings_card,
)
from dashboards.page.completeness import completeness_text, stretches
from dashboards.page.lamps import Look, lamps_html, lamps_of
from dashboards.page.notices import Notice, Service, head_html, note_html, notice_html, offline_html
from dashboards.page.times import clock_text, duration_text, fixed_zone, stamp_text
from schemas.site_window import Completeness, RelayWindow, SiteWindow
from schemas.windows import WINDOW_MS
from tests.support.historian_messages import site_window

BERLIN = ZoneInfo("Europe/Berlin")
NOON_MS = 1_767_265_200_000  # 2026-01-01 12:00 in Berlin
RELAYS = (
    RelayWindow(device="board-1", output=1, on=True, load_kw=29.5),
    RelayWindow(device="board-1", output=2, on=False, load_kw=0.0),
    RelayWindow(device="board-1", output=3, on=None),
)


def window(index: int, kind: Completeness = Completeness.COMPLETE) -> SiteWindow:
    """A window of some completeness."""
    return replace(site_window(index), completeness=kind, load_kw=70.0, generation_kw=0.0)


def test_a_relay_that_is_on_shows_on_and_an_unknown_one_shows_neither() -> None:
    """S1-D13: the original's lamps were all off; off and unknown are told apart, too."""
    lamps = lamps_of(RELAYS, current=True)
    assert [(lamp.name, lamp.look) for lamp in lamps] == [
        ("board-1/1", Look.ON),
        ("board-1/2", Look.OFF),
        ("board-1/3", Look.UNKNOWN),
    ]


def test_lamps_say_in_words_what_they_show() -> None:
    """S1-12: no state is told by its colour alone."""
    html = lamps_html(lamps_of(RELAYS, current=True))
    for state in ("on", "off", "unknown"):
        assert html.count(f'data-state="{state}"') == 1
        assert html.count(f'<span class="gl-lamp-state">{state}</span>') == 1
    assert "29.5 kW" in html
    assert "None" not in html


def test_of_the_past_every_lamp_is_unknown() -> None:
    """S1-12: when the service is offline, a lamp does not claim to know."""
    assert {lamp.look for lamp in lamps_of(RELAYS, current=False)} == {Look.UNKNOWN}
    assert {lamp.load_kw for lamp in lamps_of(RELAYS, current=False)} == {None}


def test_a_site_without_relays_says_so() -> None:
    assert "no relay" in lamps_html([])


def test_windows_that_are_not_there_are_counted_as_absent() -> None:
    """A gap is visible and never a zero."""
    kinds = [Completeness.COMPLETE, Completeness.COMPLETE, Completeness.DEGRADED]
    windows = [window(index, kind) for index, kind in enumerate(kinds)]
    found = stretches([*windows, window(7, Completeness.BLIND)])
    assert [(each.kind, each.windows) for each in found] == [
        (Completeness.COMPLETE, 2),
        (Completeness.DEGRADED, 1),
        (None, 4),
        (Completeness.BLIND, 1),
    ]
    assert all(a.end_ms == b.start_ms for a, b in pairwise(found))
    assert completeness_text(found) == "Windows: 2 complete, 1 degraded, 1 blind, 4 absent"


def test_the_net_load_of_a_blind_window_is_unknown() -> None:
    """A blind window counts ratings: that is no load."""
    blind = net_load_card(window(0, Completeness.BLIND), 85.0, BERLIN)
    assert blind.value == UNKNOWN
    seen = net_load_card(window(0), 85.0, BERLIN)
    assert seen.value == "70.0 kW"
    assert "82% of the threshold" in seen.detail


def test_the_predicted_peak_tells_its_own_horizon() -> None:
    """S1-12: the look-ahead of 30 s is not called an hour."""
    card = peak_card(97.24, 84.0, 85.0, 30.0, "12:00:00")
    assert card.value == "97.2 kW"
    assert card.detail == "84.0 kW as planned; threshold 85 kW"
    assert "look-ahead of 30 s, not over the next hour" in card.caveat
    unsaid = peak_card(97.24, 84.0, 85.0, None, "12:00:00")
    assert "the site's look-ahead, not over the next hour" in unsaid.caveat
    assert peak_card(None, None, 85.0, 30.0, "12:00:00").value == UNKNOWN


def test_commands_say_since_when_they_are_counted_and_known() -> None:
    """S1-12: a historian that began at noon knows nothing of the morning."""
    midnight_ms = NOON_MS - 12 * 3_600_000
    late = commands_card(1234, midnight_ms, NOON_MS, BERLIN)
    assert late.value == "1,234"
    assert late.detail == "since midnight of 01 Jan 2026, Europe/Berlin"
    assert "Kept only from 12:00:00 on." in late.caveat
    early = commands_card(0, midnight_ms, midnight_ms - WINDOW_MS, BERLIN)
    assert (early.value, "Kept only" in early.caveat) == ("0", False)


def test_unknown_savings_are_not_zero() -> None:
    """S1-12: and known ones say that they are an estimate, before rebound."""
    known = savings_card(1.249, "EUR", 4.163, 1200, 3)
    assert known.value == "1.25 EUR"
    assert known.detail == "4.16 kWh avoided, 1,200 decisions; 3 blind ones left out"
    assert "Estimated" in known.caveat
    assert "rebound" in known.caveat
    assert savings_card(None, None, 4.163, 1200, 0).value == UNKNOWN


def test_names_cannot_become_html() -> None:
    """Sites, devices and errors are text, whatever they contain."""
    evil = "<img src=x onerror=alert(1)>"
    relay = RelayWindow(device=evil, output=1, on=True)
    notice = Notice(sentence=evil, hint=evil, problems=(evil,))
    card = commands_card(1, NOON_MS, NOON_MS, BERLIN)
    for html in (
        lamps_html(lamps_of([relay], current=True)),
        head_html(evil, Service.LIVE, evil),
        offline_html(notice),
        notice_html(notice),
        note_html(evil),
        cards_html([card]),
    ):
        assert "<img" not in html


def test_times_are_those_of_the_place() -> None:
    assert clock_text(NOON_MS, BERLIN) == "12:00:00"
    assert stamp_text(NOON_MS, BERLIN) == "2026-01-01 12:00:00 CET"
    summer_ms = NOON_MS + 180 * 86_400_000
    assert stamp_text(summer_ms, BERLIN).endswith("CEST")
    assert clock_text(summer_ms, BERLIN) == "13:00:00"


def test_an_axis_keeps_one_offset_across_a_clock_change() -> None:
    """Local time leaps or repeats an hour then; an axis must not."""
    change_ms = 1_774_746_000_000  # 2026-03-29 02:00 in Berlin
    before, after = (fixed_zone(change_ms + ms, BERLIN) for ms in (-1, 0))
    assert (before.utcoffset(None).seconds, after.utcoffset(None).seconds) == (3600, 7200)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min"), (7_199, "1 h"), (86_400, "1 day"),
     (3_836 * 86_400, "3,836 days")],
)  # fmt: skip  # one line of cases
def test_a_length_of_time_is_told_in_its_greatest_unit(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text
