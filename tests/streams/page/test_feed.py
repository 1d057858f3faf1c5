"""What the page reads, and what it makes of a historian that is away, empty or silent."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dashboards.page.notices import Service
from schemas.setpoint import Setpoint
from schemas.site_window import SiteWindow
from schemas.windows import WINDOW_MS
from streams.historians.protocol import HistorianReader
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_reader import open_reader
from streams.page.books import RECOUNT_S
from streams.page.feed import CACHE_S, SITES_S, Feed
from streams.page.looks import Look
from tests.support.page_history import BERLIN, CALM, PEAK, History, extend, make_history

HOUR_MS = 3_600_000
OFFLINE_AFTER_S = 15.0


@dataclass
class Bench:
    """A feed on a real historian, with a clock that the test moves."""

    path: Path
    now_s: float = 1_000.0
    opened: int = 0
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.feed = Feed(self.open, BERLIN, OFFLINE_AFTER_S, lambda: self.now_s)

    def open(self) -> HistorianReader:
        """A reader, counted."""
        self.opened += 1
        return open_reader(self.path)

    def look_after(self, seconds: float, site: str | None = None) -> Look:
        """Look again some time later."""
        self.now_s += seconds
        return self.feed.look(site, HOUR_MS)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return make_history(tmp_path / "boards", [*CALM, *PEAK])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "historian.sqlite")


More = Callable[[], None]


@pytest.fixture
def more(history: History, bench: Bench) -> More:
    """One more window arrives."""

    def arrive() -> None:
        extend(history, len(history.of(SiteWindow)), 14.0)
        history.write(bench.path)

    return arrive


def test_everything_of_the_span_is_read(history: History, bench: Bench) -> None:
    """S1-12, S1-D12: every window and every event, as they were written."""
    history.write(bench.path)
    shown = bench.look_after(0).snapshot
    assert shown is not None
    assert list(shown.windows) == history.of(SiteWindow)
    assert len(shown.events) == len(history.events)
    assert all(event in shown.events for event in history.events)
    assert (shown.site, shown.sites) == ("depot", ("depot",))


def test_a_shorter_span_has_its_own_windows_and_events_only(history: History, bench: Bench) -> None:
    history.write(bench.path)
    shown = bench.feed.look("depot", 5 * WINDOW_MS).snapshot
    assert shown is not None
    assert list(shown.windows) == history.of(SiteWindow)[-5:]
    assert {event.decision_id for event in shown.events} == {
        history.chain.decision(len(history.of(SiteWindow)) - n) for n in range(1, 6)
    }


def test_an_answer_is_kept_for_two_seconds(history: History, bench: Bench) -> None:
    """S1-12: cache 2 s; whoever looks in the meantime costs nothing."""
    history.write(bench.path)
    first = bench.look_after(0)
    assert bench.look_after(CACHE_S / 2) is first
    assert bench.opened == 1
    assert bench.look_after(CACHE_S / 2) is not first
    assert bench.opened == 2


def test_new_windows_mean_that_the_service_is_live(bench: Bench, more: More) -> None:
    """A demo plays another date: progress is compared, not dates."""
    more()
    assert bench.look_after(0).service is Service.WAITING
    more()
    assert bench.look_after(5).service is Service.LIVE
    assert bench.look_after(5).service is Service.LIVE


def test_silence_means_that_the_service_is_offline_until_a_window_comes(
    bench: Bench, more: More
) -> None:
    """S1-12: "Service Offline" when it is, and back by itself."""
    more()
    bench.look_after(0)
    assert bench.look_after(OFFLINE_AFTER_S).service is Service.WAITING
    silent = bench.look_after(5)
    assert silent.service is Service.OFFLINE
    assert silent.notice is not None
    assert "No new window for 20 s" in silent.notice.sentence
    assert silent.snapshot is not None
    more()
    again = bench.look_after(5)
    assert (again.service, again.notice) == (Service.LIVE, None)


def test_a_page_that_was_closed_for_long_does_not_claim_to_be_live(
    bench: Bench, more: More
) -> None:
    """Windows came since the last look, but nobody saw when."""
    more()
    bench.look_after(0)
    more()
    assert bench.look_after(3_600).service is Service.WAITING
    more()
    assert bench.look_after(5).service is Service.LIVE


def test_a_historian_that_goes_away_is_told_with_reason_and_hint(bench: Bench, more: More) -> None:
    """S1-12, S1-13: offline, with what was last known and no traceback."""
    more()
    before = bench.look_after(0)
    bench.path.rename(bench.path.with_suffix(".away"))
    away = bench.look_after(5)
    assert away.service is Service.OFFLINE
    assert away.notice is not None
    assert str(bench.path) in away.notice.sentence
    assert away.notice.sentence.endswith("What follows was read before.")
    assert away.notice.hint
    assert away.snapshot is before.snapshot
    bench.path.with_suffix(".away").rename(bench.path)
    more()
    assert bench.look_after(5).service is Service.LIVE


def test_a_file_that_is_no_historian_is_told(bench: Bench) -> None:
    bench.path.write_bytes(b"SQLite this is not" * 100)
    look = bench.look_after(0)
    assert (look.service, look.snapshot) == (Service.OFFLINE, None)
    assert look.notice is not None
    assert "is not an SQLite database" in look.notice.sentence


def test_an_empty_historian_is_waited_for(bench: Bench, more: More) -> None:
    """Bad input: empty is a sentence; the first window shows at once."""
    SqliteHistorian(bench.path).close()
    empty = bench.look_after(0)
    assert (empty.service, empty.snapshot) == (Service.WAITING, None)
    assert empty.notice is not None
    assert "no window yet" in empty.notice.sentence
    more()
    assert bench.look_after(5).snapshot is not None


def test_an_event_that_this_version_cannot_read_is_told(history: History, bench: Bench) -> None:
    """A later version's historian: a sentence, never a traceback."""
    history.write(bench.path)
    with closing(sqlite3.connect(bench.path)) as connection:
        connection.execute("UPDATE event SET body = '{}' WHERE kind = 'plan'")
        connection.commit()
    look = bench.look_after(0)
    assert look.service is Service.OFFLINE
    assert look.notice is not None
    assert "This is no DispatchPlan" in look.notice.sentence


def test_a_site_that_nobody_has_is_answered_with_the_first_one(
    history: History, bench: Bench, tmp_path: Path
) -> None:
    history.write(bench.path)
    make_history(tmp_path / "other", [8.0], name="annex").write(bench.path)
    shown = bench.look_after(0, "nobody").snapshot
    assert shown is not None
    assert (shown.site, shown.sites) == ("annex", ("annex", "depot"))


def test_a_new_site_is_found_after_a_while(history: History, bench: Bench, tmp_path: Path) -> None:
    history.write(bench.path)
    bench.look_after(0)
    make_history(tmp_path / "other", [8.0], name="annex").write(bench.path)
    later = bench.look_after(SITES_S + 1).snapshot
    assert later is not None
    assert later.sites == ("annex", "depot")


def test_the_days_figures_follow_the_events_whatever_is_read_again(
    history: History, bench: Bench, more: More
) -> None:
    """S1-12: KPIs recomputed from stored events agree, window by window and after a recount."""
    for seconds in (0, 5, 5, RECOUNT_S + 1, 5):
        more()
        shown = bench.look_after(seconds).snapshot
        assert shown is not None
        assert shown.figures.commands == history.commands_today(BERLIN) > 0
        assert shown.figures.savings is not None
        assert shown.figures.savings.amount == pytest.approx(history.savings_today(BERLIN))


def test_a_verdict_that_is_stored_late_still_counts(history: History, bench: Bench) -> None:
    """The events of a window are not stored at once: the last minutes are read again."""
    late = [each for each in history.chain.records if isinstance(each.message, Setpoint)]
    history.chain.records[:] = [each for each in history.chain.records if each not in late]
    history.write(bench.path)
    early = bench.look_after(0).snapshot
    assert early is not None
    assert early.figures.commands == 0
    history.chain.records.extend(late)
    history.write(bench.path)
    shown = bench.look_after(5).snapshot
    assert shown is not None
    assert shown.figures.commands == history.commands_today(BERLIN) > 0
