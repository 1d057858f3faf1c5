"""The page as Streamlit draws it, run by Streamlit's own test runner on the page's script."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from schemas.site_window import SiteWindow
from streams.historians.sqlite import SqliteHistorian
from streams.page import app as page_app
from streams.page import script
from streams.page.serving import PageOptions
from tests.support.page_history import BERLIN, CALM, History, make_history

OPTIONS = PageOptions(timezone="Europe/Berlin", offline_after_s=600.0)


@pytest.fixture
def historian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the page looks for its historian; the settings of this machine do not count."""
    monkeypatch.setenv("GRIDLOOM_FOLDER", str(tmp_path))
    monkeypatch.setenv("GRIDLOOM_CONFIG", str(tmp_path / "gridloom.toml"))
    (tmp_path / "gridloom.toml").write_text("", encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["script.py", *OPTIONS.arguments()])
    st.cache_resource.clear()
    yield tmp_path / "historian.sqlite"
    st.cache_resource.clear()


@pytest.fixture
def history(tmp_path: Path) -> History:
    return make_history(tmp_path / "boards")


def run() -> AppTest:
    """The page, drawn once."""
    assert script.__file__ is not None
    drawn = AppTest.from_file(script.__file__, default_timeout=60).run()
    assert not drawn.exception
    return drawn


def html(drawn: AppTest) -> str:
    """All HTML of the page."""
    return "".join(element.proto.body for element in drawn.get("html"))


def test_a_filled_historian_is_drawn_in_full(historian: Path, history: History) -> None:
    """S1-12: figures, chart, lamps and every event."""
    history.write(historian)
    drawn = run()
    text = html(drawn)
    assert f"{history.commands_today(BERLIN)}</p>" in text
    assert f"{history.savings_today(BERLIN):.2f} EUR" in text
    for state, count in (("on", 2), ("off", 1), ("unknown", 1)):
        assert text.count(f'data-state="{state}"') == count
    assert text.count("<tr") == len(history.events) + 1
    assert len(drawn.get("plotly_chart")) == 1
    windows = len(history.of(SiteWindow))
    told = f"Windows: {windows} complete, 0 degraded, 0 blind. Source: historian {historian}"
    assert told in text


def test_without_a_historian_the_service_is_offline(historian: Path) -> None:
    """Bad input: a sentence and a hint in place of a traceback."""
    text = html(run())
    assert "Service offline" in text
    assert str(historian) in text
    assert "gl-log" not in text.replace(".gl-log", "")


def test_an_empty_historian_is_no_fault(historian: Path) -> None:
    SqliteHistorian(historian).close()
    text = html(run())
    assert "no window yet" in text
    assert "Service offline" not in text


def test_wrong_settings_are_told_on_the_page(historian: Path) -> None:
    """A setting may be broken while the page is open."""
    (historian.parent / "gridloom.toml").write_text("[historian]\nkind = 'paper'\n", "utf-8")
    text = html(run())
    assert "Service offline" in text
    assert "historian.kind" in text


def test_only_what_switches_can_be_asked_for(historian: Path, history: History) -> None:
    history.write(historian)
    drawn = run()
    drawn.toggle(key="only").set_value(True).run()
    assert not drawn.exception
    text = html(drawn)
    assert 1 < text.count("<tr") == text.count('class="gl-switches"') + 1
    assert f"of {len(history.events)} events" in text


def test_a_span_can_be_chosen(historian: Path, tmp_path: Path) -> None:
    long = make_history(tmp_path / "boards", CALM * 6)
    long.write(historian)
    drawn = run()
    drawn.segmented_control(key="span").set_value(5).run()
    assert not drawn.exception
    assert "Windows: 60 complete" in html(drawn)


def test_a_site_can_be_chosen(historian: Path, history: History, tmp_path: Path) -> None:
    history.write(historian)
    make_history(tmp_path / "other", [8.0], name="annex").write(historian)
    drawn = run()
    assert "Gridloom · annex" in html(drawn)
    drawn.selectbox(key="site").set_value("depot").run()
    assert not drawn.exception
    assert "Gridloom · depot" in html(drawn)


def test_a_long_log_is_turned_page_by_page(
    historian: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1-D12: every event is there to see, also where there are too many to send at once."""
    monkeypatch.setattr(page_app, "ROWS_PER_PAGE", 50)
    history.write(historian)
    drawn = run()
    rows = [html(drawn).count("<tr") - 1]
    for page in (2, 3):
        drawn.selectbox(key="page").set_value(page).run()
        rows.append(html(drawn).count("<tr") - 1)
    assert rows == [50, 50, len(history.events) - 100]
