"""The event log: everything that was decided and done."""

from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from dashboards.page.log import MARKS, Tone, log_html, log_rows
from dashboards.page.sentences import Event, tell
from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.verdict import Verdict
from tests.support.page_history import BERLIN, History, make_history

SHED = 12
"""Index of the first plan that sheds."""


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> History:
    return make_history(tmp_path_factory.mktemp("boards"))


def test_every_event_is_in_the_log_newest_first(history: History) -> None:
    """S1-D12: all optimisation events are logged, not only the latest."""
    rows = log_rows(history.events)
    assert len(rows) == len(history.events)
    assert sorted((row.decision_id, row.step, row.device) for row in rows) == sorted(
        (e.decision_id, _step(e), getattr(e, "device", "")) for e in history.events
    )
    starts = [row.window_start_ms for row in rows]
    assert starts == sorted(starts, reverse=True)
    assert starts[0] == history.newest.window_start_ms


def _step(event: Event) -> str:
    names: dict[type, str] = {DispatchPlan: "plan", Setpoint: "setpoint", Ack: "ack"}
    return names.get(type(event), "verdict")


def test_the_steps_of_one_decision_stand_together_the_last_one_first(history: History) -> None:
    plan = history.of(DispatchPlan)[SHED]
    rows = [r for r in log_rows(history.events) if r.window_start_ms == plan.window_start_ms]
    assert [row.step for row in rows] == ["ack", "setpoint", "verdict", "plan"]
    assert {row.decision_id for row in rows} == {plan.decision_id}


def test_order_of_reading_does_not_matter(history: History) -> None:
    assert log_rows(reversed(history.events)) == log_rows(history.events)


def test_a_plan_that_switches_says_what_and_why(history: History) -> None:
    """S1-12: reasons are sentences."""
    told = tell(history.of(DispatchPlan)[SHED])
    assert told.startswith("board-1/4 on → off: forecast peak 86.0 kW exceeds the threshold")
    assert "Forecast peak 86.0 kW, 76.0 kW as planned; threshold 85 kW." in told


def test_a_plan_that_keeps_a_load_off_says_why(history: History) -> None:
    told = tell(history.of(DispatchPlan)[SHED + 1])
    assert told.startswith("Nothing to switch. board-1/4 stays off: ")


def test_plans_that_fall_short_are_told_apart(history: History) -> None:
    """Infeasible is never silent."""
    plan = replace(
        history.of(DispatchPlan)[0],
        status=PlanStatus.BEST_EFFORT,
        violation_kw=4.25,
        alerts=("the threshold cannot be held",),
    )
    assert "4.2 kW above it. Alert: the threshold cannot be held." in tell(plan)
    (row,) = log_rows([plan])
    assert (row.outcome, row.tone) == ("best-effort", Tone.WARNING)
    blind = replace(plan, status=PlanStatus.BLIND, targets=(), uncontrolled_kw=None, alerts=())
    assert tell(blind) == "Nothing is decided."


def verdict(outcome: str, **told: object) -> Verdict:
    """A verdict, from what its kind adds to all verdicts."""
    known = {"decision_id": "d", "site": "s", "window_start_ms": 0, "seq": 0, "epoch": 1}
    made: Verdict = msgspec.convert(known | {"outcome": outcome, "decided_ms": 7} | told, Verdict)
    return made


def test_verdicts_say_why_nothing_was_let_through() -> None:
    rejected = verdict("rejected", refusals=["stale"], sentences=["it is 40 s old"])
    observed = verdict("observed", would_refuse=["blind"])
    renewed = verdict("renewed", targets=[], accepted_decision_id="c", alert="blind")
    assert tell(rejected) == "Not let through: it is 40 s old."
    assert tell(observed).endswith("It would be refused: blind.")
    assert tell(renewed) == "The last accepted targets are renewed: blind."
    tones = [row.tone for event in (rejected, observed, renewed) for row in log_rows([event])]
    assert tones == [Tone.BAD, Tone.NEUTRAL, Tone.WARNING]


def test_a_refused_command_says_why(history: History) -> None:
    ack = replace(
        history.of(Ack)[0], result=AckResult.REFUSED, reason=RefusalReason.STALE, changed=()
    )
    (row,) = log_rows([ack])
    assert row.text.startswith("Reason: stale. Read back: nothing changed; now 1 on")
    assert (row.tone, row.switches) == (Tone.BAD, False)


def test_renewals_are_logged_as_what_they_are(history: History) -> None:
    rows = [row for row in log_rows(history.events) if row.step == "setpoint"]
    renewals = sum(setpoint.renewal for setpoint in history.of(Setpoint))
    assert [row.outcome for row in rows].count("renewal") == renewals > 0
    assert all(row.switches is (row.outcome == "command") for row in rows)


def test_the_table_has_every_row_with_its_mark_and_escapes_its_text(history: History) -> None:
    """S1-12: outcomes are told apart without colour; text is never HTML."""
    rows = log_rows(history.events)
    html = log_html(rows, BERLIN)
    assert html.count("<tr") == len(rows) + 1
    assert len(set(MARKS.values())) == len(Tone)
    evil = replace_text(history, "<script>alert(1)</script>")
    assert "<script>" not in log_html(log_rows([evil]), BERLIN)


def replace_text(history: History, text: str) -> DispatchPlan:
    return replace(history.of(DispatchPlan)[0], alerts=(text,), decision_id=text)


def test_an_empty_span_says_so() -> None:
    assert "No event" in log_html([], BERLIN)


def test_times_in_the_log_are_local(tmp_path: Path) -> None:
    history = make_history(tmp_path, [8.0])
    html = log_html(log_rows(history.events), BERLIN)
    assert "<td>23:13:20</td>" in html
