"""The event log: every step of every decision, newest first."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from typing import Final, assert_never
from zoneinfo import ZoneInfo

from dashboards.page.sentences import Event, is_switch, tell
from dashboards.page.times import clock_text
from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.identity import SEQ_PER_WINDOW
from schemas.setpoint import Ack, AckResult, Setpoint
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from schemas.windows import WINDOW_MS


class Tone(StrEnum):
    """How an outcome is to be taken."""

    GOOD = "good"
    NEUTRAL = "neutral"
    WARNING = "warning"
    BAD = "bad"


MARKS: Final = {Tone.GOOD: "✓", Tone.NEUTRAL: "·", Tone.WARNING: "!", Tone.BAD: "✕"}
"""Tells tones apart without colour."""

_STEPS: Final = ("plan", "verdict", "setpoint", "ack")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the log.

    Attributes:
        window_start_ms: window that the decision is about [ms since the epoch].
        at_ms: when it happened [ms of pipeline time], None for a plan, which knows no clock.
        step: plan, verdict, setpoint or ack.
        device: the device that it is about, empty for the whole site.
        outcome: what came of it, in a word or two.
        tone: how that is to be taken.
        text: what and why.
        decision_id: decision that it belongs to.
        switches: whether a state changes, or would change.
    """

    window_start_ms: int
    at_ms: int | None
    step: str
    device: str
    outcome: str
    tone: Tone
    text: str
    decision_id: str
    switches: bool


def log_rows(events: Iterable[Event]) -> list[Row]:
    """Every event as a row; the newest window first, and in it the last step."""
    return sorted((_row(event) for event in events), key=_newest_first, reverse=True)


def _newest_first(row: Row) -> tuple[int, int, int, str]:
    return row.window_start_ms, _STEPS.index(row.step), row.at_ms or 0, row.device


def _row(event: Event) -> Row:
    match event:
        case DispatchPlan():
            switches = any(is_switch(output) for output in event.outputs)
            tone = Tone.GOOD if event.status is PlanStatus.OPTIMAL else Tone.WARNING
            return _made(event, "plan", None, event.status.value, tone, switches=switches)
        case Accepted() | Renewed() | Observed() | Rejected():
            return _made(event, "verdict", event.decided_ms, *_judged(event), switches=False)
        case Setpoint():
            word = "renewal" if event.renewal else "command"
            switches = not event.renewal
            return _made(event, "setpoint", event.issued_ms, word, Tone.NEUTRAL, switches=switches)
        case Ack():
            tone = _ACK_TONES[event.result]
            switches = bool(event.changed)
            return _made(event, "ack", event.acked_ms, event.result.value, tone, switches=switches)
        case _:
            assert_never(event)


_ACK_TONES: Final = {
    AckResult.APPLIED: Tone.GOOD,
    AckResult.PARTIAL: Tone.WARNING,
    AckResult.REFUSED: Tone.BAD,
}


def _judged(verdict: Verdict) -> tuple[str, Tone]:
    """The verdict's word, and its tone."""
    match verdict:
        case Accepted():
            return "accepted", Tone.GOOD
        case Renewed():
            return "renewed", Tone.WARNING
        case Observed():
            return "observed", Tone.NEUTRAL
        case Rejected():
            return "rejected", Tone.BAD
        case _:
            assert_never(verdict)


def _made(
    event: Event, step: str, at_ms: int | None, outcome: str, tone: Tone, *, switches: bool
) -> Row:
    return Row(
        window_start_ms=_window_ms(event),
        at_ms=at_ms,
        step=step,
        device=event.device if isinstance(event, Setpoint | Ack) else "",
        outcome=outcome,
        tone=tone,
        text=tell(event),
        decision_id=event.decision_id,
        switches=switches,
    )


def _window_ms(event: Event) -> int:
    """Start of the window that an event is about [ms since the epoch]."""
    if isinstance(event, Setpoint | Ack):
        return event.seq // SEQ_PER_WINDOW * WINDOW_MS
    return event.window_start_ms


def log_html(rows: Sequence[Row], zone: ZoneInfo) -> str:
    """Rows as a table; times are those of ``zone``."""
    if not rows:
        return '<p class="gl-note">No event in this span.</p>'
    titles = ("Window", "At", "Step", "Device", "Outcome", "What and why", "Decision")
    head = "".join(f'<th scope="col">{title}</th>' for title in titles)
    body = "".join(_line(row, zone) for row in rows)
    return (
        '<div class="gl-log" tabindex="0" role="region" aria-label="Event log">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _line(row: Row, zone: ZoneInfo) -> str:
    at = "" if row.at_ms is None else clock_text(row.at_ms, zone)
    outcome = (
        f'<span class="gl-tone gl-tone-{row.tone.value}">'
        f'<span aria-hidden="true">{MARKS[row.tone]}</span> {escape(row.outcome)}</span>'
    )
    cells = (
        clock_text(row.window_start_ms, zone),
        at,
        row.step,
        escape(row.device),
        outcome,
        escape(row.text),
        f"<code>{escape(row.decision_id)}</code>",
    )
    switches = ' class="gl-switches"' if row.switches else ""
    return f"<tr{switches}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
