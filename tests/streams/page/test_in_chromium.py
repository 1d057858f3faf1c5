"""The page as an operator sees it: `gridloom page` as a process, in a real Chromium.

Its picture goes into the folder that ``PAGE_PICTURES`` names, or a temporary one.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from schemas.dispatch_plan import DispatchPlan
from schemas.setpoint import Ack, Setpoint
from tests.support.browser import chromium
from tests.support.page_history import BERLIN, History, extend, make_history
from tests.support.page_process import PageProcess, serving

pytestmark = [pytest.mark.chromium, pytest.mark.timeout(600)]

PATIENCE_S = 120.0

TEXTS = "return Array.from(document.querySelectorAll(arguments[0]), each => each.textContent)"
LAMPS = """
    return Array.from(document.querySelectorAll('.gl-lamp'),
                      each => [each.dataset.relay, each.dataset.state])
"""
ROWS = """
    return Array.from(document.querySelectorAll('.gl-log tbody tr'),
                      row => Array.from(row.cells, cell => cell.textContent))
"""
TRACES = """
    const chart = document.querySelector('.js-plotly-plot');
    return chart === null ? [] : chart.data.map(
        each => [each.name, Array.from(each.y), Array.from(each.customdata || [])]);
"""
LOOKS = """
    return Array.from(document.querySelectorAll('.gl-bulb'), each => {
        const style = getComputedStyle(each);
        return [each.parentElement.dataset.state, style.borderStyle, each.textContent,
                style.backgroundColor === 'rgba(0, 0, 0, 0)'];
    })
"""


@dataclass(frozen=True)
class Shown:
    """A history, the folder of its historian, the page over it, and a browser that shows it."""

    history: History
    folder: Path
    page: PageProcess
    browser: Chrome


@contextmanager
def showing(folder: Path) -> Iterator[Shown]:
    """A page over a filled historian, drawn with its chart; silence does not make it offline."""
    history = make_history(folder / "boards")
    history.write(folder / "historian.sqlite")
    options = ("--timezone", "Europe/Berlin", "--offline-after", "3600")
    with serving(folder, *options) as page, chromium(folder / "profile", height=1000) as browser:
        browser.get(page.url)
        until(lambda: traces(browser) and browser.execute_script(ROWS))
        yield Shown(history, folder, page, browser)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """What tests look at that change nothing."""
    with showing(tmp_path_factory.mktemp("page")) as shown:
        yield shown


@pytest.fixture
def history(shown: Shown) -> History:
    return shown.history


@pytest.fixture
def browser(shown: Shown) -> Chrome:
    return shown.browser


def until(reached: Callable[[], Any]) -> Any:  # noqa: ANN401  what a script returns
    """The first true answer; a browser draws when it pleases."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not (answer := reached()):
        assert time.monotonic() < deadline_s
        time.sleep(0.2)
    return answer


def texts(driver: Chrome, selector: str) -> list[str]:
    found: list[str] = driver.execute_script(TEXTS, selector)
    return found


def traces(driver: Chrome) -> dict[str, tuple[list[float | None], list[list[str]]]]:
    """Values of the chart's lines and marks, and what they tell, by name; the last one counts."""
    return {name: (values, told) for name, values, told in driver.execute_script(TRACES)}


def kpi(driver: Chrome, key: str) -> list[str]:
    """Value, detail and caveat of a card."""
    return texts(driver, f"[data-kpi='{key}'] p")


def test_key_figures_are_those_of_the_stored_events(history: History, browser: Chrome) -> None:
    """S1-12, S1-D12: recomputed from the messages themselves, they agree."""
    newest = history.of(DispatchPlan)[-1]
    peak, expected, threshold = newest.uncontrolled_kw, newest.expected_kw, newest.threshold_kw
    assert kpi(browser, "peak")[:2] == [
        f"{peak:.1f} kW",
        f"{expected:.1f} kW as planned; threshold {threshold:g} kW",
    ]
    assert "not over the next hour" in kpi(browser, "peak")[2]
    commands, *said = kpi(browser, "commands")
    assert int(commands) == history.commands_today(BERLIN) == 7
    assert said[0] == "since midnight of 14 Nov 2023, Europe/Berlin"
    savings, *_, caveat = kpi(browser, "savings")
    assert savings == f"{history.savings_today(BERLIN):.2f} EUR"
    assert "before any rebound" in caveat


def test_lamps_show_three_states_in_three_looks(browser: Chrome) -> None:
    """S1-12, S1-D13: on, off and unknown; each differs in more than its colour."""
    assert browser.execute_script(LAMPS) == [
        ["board-1/1", "unknown"],
        ["board-1/2", "on"],
        ["board-1/3", "on"],
        ["board-1/4", "off"],
    ]
    looks = {tuple(look) for look in browser.execute_script(LOOKS)}
    assert looks == {
        ("on", "none", "", False),
        ("off", "solid", "", True),
        ("unknown", "dashed", "?", True),
    }


def test_the_chart_has_threshold_forecast_and_what_was_switched(
    history: History, browser: Chrome
) -> None:
    """S1-12: predicted load against critical threshold, action annotation."""
    drawn = traces(browser)
    assert set(drawn["critical threshold"][0]) == {85.0}
    assert drawn["forecast peak, uncontrolled"][0] == [
        plan.uncontrolled_kw for plan in history.of(DispatchPlan)
    ]
    switched = Counter(on for _, on in history.switched())
    for name, on in (("shed", False), ("restored", True)):
        told = [action for (actions,) in drawn[name][1] for action in actions.split("<br>")]
        assert len(told) == switched[on] > 0
        assert all(f" {name}: " in action for action in told)
    assert {"critical threshold", "shed", "restored"} <= set(texts(browser, ".legendtext"))


def test_every_event_is_in_the_log(history: History, browser: Chrome) -> None:
    """S1-D12: all optimisation events, newest first, with their reasons."""
    rows = browser.execute_script(ROWS)
    assert len(rows) == len(history.events)
    steps = Counter(row[2] for row in rows)
    plans, told, answers = (len(history.of(kind)) for kind in (DispatchPlan, Setpoint, Ack))
    assert steps == {"plan": plans, "verdict": plans, "setpoint": told, "ack": answers}
    assert rows[0][6] == history.chain.decision(plans - 1)
    assert sorted({row[6] for row in rows}) == sorted(
        plan.decision_id for plan in history.of(DispatchPlan)
    )
    assert any("exceeds the threshold 85.0 kW" in row[5] for row in rows)


def test_the_page_follows_the_historian_and_says_when_it_goes_away(tmp_path: Path) -> None:
    """S1-12: refresh, "Service offline" when it is, and back again; no lamp claims to know."""
    with showing(tmp_path) as shown:
        browser, history, path = shown.browser, shown.history, tmp_path / "historian.sqlite"
        _take_picture(browser, Path(os.environ.get("PAGE_PICTURES") or tmp_path))
        assert "waiting" in texts(browser, ".gl-pill")[0]

        extend(history, len(history.of(DispatchPlan)), 14.0)
        history.write(path)
        until(lambda: texts(browser, ".gl-pill") == ["● live"])
        until(lambda: len(browser.execute_script(ROWS)) == len(history.events))

        path.rename(tmp_path / "away.sqlite")
        until(lambda: texts(browser, ".gl-offline h2") == ["Service offline"])
        assert str(path) in " ".join(texts(browser, ".gl-offline p"))
        until(lambda: {state for _, state in browser.execute_script(LAMPS)} == {"unknown"})
        assert texts(browser, "[data-testid='stException']") == []

        (tmp_path / "away.sqlite").rename(path)
        until(lambda: not texts(browser, ".gl-offline"))
        assert shown.page.process.poll() is None


def _take_picture(browser: Chrome, folder: Path) -> None:
    """Keep what the browser shows."""
    picture = folder / "page-test.png"
    assert browser.save_screenshot(str(picture))
    assert picture.stat().st_size > 50_000


def test_ctrl_c_ends_the_page_without_a_traceback(tmp_path: Path) -> None:
    """An operator's Ctrl-C is no error; what is printed says where the page is."""
    with serving(tmp_path) as page:
        assert page.interrupt() == 0
        said = page.log.read_text("utf-8")
    assert page.url in said
    assert "Traceback" not in said
