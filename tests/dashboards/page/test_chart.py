"""The chart: load against threshold, with what was shed and restored."""

import dataclasses
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
import pytest
from msgspec.structs import replace

from dashboards.page.actions import Action, actions_in
from dashboards.page.chart import load_figure
from schemas.dispatch_plan import DispatchPlan
from schemas.site_window import Completeness, SiteWindow
from tests.support.page_history import BERLIN, History, make_history

TOKYO = ZoneInfo("Asia/Tokyo")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return make_history(tmp_path_factory.mktemp("boards"))


def drawn(history: History, zone: ZoneInfo = BERLIN) -> go.Figure:
    """The chart of a history."""
    actions = actions_in(history.events)
    return load_figure(history.of(SiteWindow), history.of(DispatchPlan), actions, zone)


def trace(figure: go.Figure, name: str) -> Any:  # noqa: ANN401  plotly is not annotated
    """The first trace of a name."""
    return next(each for each in figure.data if each.name == name)


def local(time_ms: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(time_ms / 1000, zone).replace(tzinfo=None)


def test_predicted_load_stands_against_the_critical_threshold(history: History) -> None:
    """S1-12: both of every plan, and the load that was measured."""
    figure, plans = drawn(history), history.of(DispatchPlan)
    threshold = trace(figure, "critical threshold")
    assert set(threshold.y) == {85.0}
    assert len(threshold.x) == len(plans) + 1
    assert list(trace(figure, "forecast peak, uncontrolled").y) == [
        plan.uncontrolled_kw for plan in plans
    ]
    assert list(trace(figure, "net load").y) == [w.net_kw for w in history.of(SiteWindow)]


def test_what_was_shed_and_restored_is_marked_at_its_time(history: History) -> None:
    """S1-12: action annotation, by what the boards read back."""
    figure = drawn(history)
    sheds = sum(not on for _, on in history.switched())
    restores = len(history.switched()) - sheds
    assert (sheds, restores) == (5, 4)
    named = [(each.name, text) for each in figure.data if each.text for text in each.text]
    assert named.count(("shed", "2+3")) == 1
    assert named.count(("restored", "2")) == 1
    for name, count in (("shed", sheds), ("restored", restores)):
        told = [line for (lines,) in trace(figure, name).customdata for line in lines.split("<br>")]
        assert len(told) == count
    first = actions_in(history.events)[0]
    assert trace(figure, "shed").x[0] == local(first.at_ms, BERLIN)
    assert "exceeds the threshold" in trace(figure, "shed").customdata[0][0]


def test_the_axis_shows_the_time_of_the_place(history: History) -> None:
    in_berlin, in_tokyo = (trace(drawn(history, zone), "net load") for zone in (BERLIN, TOKYO))
    assert in_tokyo.x[0] - in_berlin.x[0] == timedelta(hours=8)
    assert in_berlin.x[0] == local(history.of(SiteWindow)[0].window_start_ms, BERLIN)


def test_the_line_breaks_where_windows_are_missing_or_blind(history: History) -> None:
    """Missing is a value, and never bridged or drawn as zero."""
    first, second, third, fourth = history.of(SiteWindow)[:4]
    blind = replace(fourth, completeness=Completeness.BLIND)
    figure = load_figure([first, third, blind], [], [], BERLIN)
    net = trace(figure, "net load")
    assert list(net.y) == [first.net_kw, None, third.net_kw, None]
    assert net.x[1] == local(second.window_start_ms, BERLIN)
    assert net.connectgaps is False
    assert {each.name for each in figure.data} >= {"complete", "blind", "absent"}


def test_without_a_plan_there_is_no_threshold_to_draw(history: History) -> None:
    """What nobody said is not invented."""
    figure = load_figure(history.of(SiteWindow), [], [], BERLIN)
    assert not {"critical threshold", "capacity"} & {each.name for each in figure.data}


def test_a_blind_windows_rating_does_not_flatten_the_chart(history: History) -> None:
    """A blind window counts the ratings of everything that is missing."""
    *others, last = history.of(SiteWindow)
    blind = replace(last, load_kw=5_000.0, completeness=Completeness.BLIND)
    figure = load_figure([*others, blind], history.of(DispatchPlan), [], BERLIN)
    assert figure.layout.yaxis.range[1] < 200


def test_completeness_is_told_by_pattern_too(history: History) -> None:
    """S1-12: legible without colours."""
    kinds = list(Completeness)
    windows = [
        replace(window, completeness=kinds[index])
        for index, window in enumerate(history.of(SiteWindow)[: len(kinds)])
    ]
    figure = load_figure([*windows, history.newest], [], [], BERLIN)
    names = ["complete", "degraded", "blind", "absent"]
    patterns = [trace(figure, name).fillpattern.shape for name in names]
    assert len(set(patterns)) == len(names)


def test_boards_are_named_where_there_are_several(history: History) -> None:
    actions = actions_in(history.events)
    others = actions_in(make_renamed(history))
    plans = history.of(DispatchPlan)
    figure = load_figure(history.of(SiteWindow), plans, [*actions, *others], BERLIN)
    texts = {text for each in figure.data if each.text for text in each.text}
    assert {"board-1/2+3", "board-9/2+3"} <= texts


def make_renamed(history: History) -> list[Any]:
    """The acknowledgements of another board."""
    return [replace(e, device="board-9") for e in history.events if hasattr(e, "changed")]


def test_an_action_without_its_plan_says_that_its_reason_is_not_kept(tmp_path: Path) -> None:
    """The plan of a board's answer may lie before the span."""
    history = make_history(tmp_path)
    acks = [event for event in history.events if hasattr(event, "changed")]
    figure = load_figure(history.of(SiteWindow), [], actions_in(acks), BERLIN)
    assert "no reason is kept" in trace(figure, "shed").customdata[0][0]


def test_labels_give_way_where_marks_are_crowded(history: History) -> None:
    """Three switches within seconds: the last is named, all are told."""
    first = actions_in(history.events)[0]
    crowd = [replace_action(first, first.at_ms + 1_000 * n) for n in range(3)]
    figure = load_figure(history.of(SiteWindow), [], crowd, BERLIN)
    labels = [list(each.text) for each in figure.data if each.text]
    assert labels == [["", "", "4"]]
    assert len(trace(figure, "shed").customdata) == 3


def replace_action(action: Action, at_ms: int) -> Action:
    return dataclasses.replace(action, at_ms=at_ms)
