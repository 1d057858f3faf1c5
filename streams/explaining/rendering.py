"""A story, or a list of decisions, laid out for the terminal."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from schemas.setpoint import Setpoint
from schemas.windows import WINDOW_MS, iso_utc
from streams.explaining.listing import Listing
from streams.explaining.story import Story, Written, delay, is_confirmed
from streams.explaining.wording import (
    tell_ack,
    tell_plan,
    tell_setpoint,
    tell_verdict,
    tell_window,
)
from streams.tracing import decision_trace_id

_INDENT: Final = 10
"""Columns that a step's name takes."""

_Step = tuple[str, int | None, str, list[Text]]
"""Name, pipeline time [ms], time since the step before it in words, and what happened."""


def show_story(story: Story) -> RenderableType:
    """The decision's way, step by step."""
    end_ms = story.window_start_ms + WINDOW_MS
    heading = Text(f"decision {story.decision_id}", style="bold")
    span = f"{iso_utc(story.window_start_ms)} to {iso_utc(end_ms)}"
    source = Text(f"site {story.site}, window {span}; from {story.source}")
    trace = Text(f"trace {decision_trace_id(story.decision_id)}", style="dim")
    notes = [Text(f"note: {note}", style="yellow") for note in story.notes]
    steps = [line for step in _steps(story) for line in _laid_out(step)]
    return Group(heading, source, trace, *notes, *steps, _conclusion(story))


def show_listing(listing: Listing) -> RenderableType:
    """Decisions as a table, newest first."""
    if not listing.decisions:
        return Text(f"no decision switched anything yet; from {listing.source}")
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for title in ("decision", "window", "verdict"):
        table.add_column(title, no_wrap=True)
    table.add_column("what and why", overflow="fold")
    for each in listing.decisions:
        outcome = each.verdict or "none yet"
        table.add_row(each.decision_id, each.window_start, outcome, "\n".join(each.switches))
    source = Text(f"from {listing.source}; `gridloom explain DECISION_ID` tells more", "dim")
    return Group(table, source)


def _steps(story: Story) -> Iterator[_Step]:
    """Every step, also those that are wanting."""
    yield from _windows(story)
    plan, verdict = story.plan, story.verdict
    yield "plan", plan.pipeline_ms, _after(story.first_window, plan), [*tell_plan(plan.message)]
    if verdict is None:
        yield "verdict", None, "", [Text("none: the gate has not judged this plan", "yellow")]
        return
    yield "verdict", verdict.pipeline_ms, _after(plan, verdict), [*tell_verdict(verdict.message)]
    if story.is_let_through and not story.setpoints:
        yield "setpoint", None, "", [Text("none")]
    for setpoint in story.setpoints:
        told, after = setpoint.message, _after(verdict, setpoint)
        yield "setpoint", setpoint.pipeline_ms, after, [tell_setpoint(told)]
        answers = story.acks_of(told)
        for ack in answers:
            yield "ack", ack.pipeline_ms, _after(setpoint, ack), [tell_ack(ack.message)]
        if not answers:
            yield "ack", None, "", [Text(f"none from {told.device} so far", "yellow")]


def _laid_out(step: _Step) -> Iterator[RenderableType]:
    """A step as a line with its times, and what happened indented below."""
    name, at_ms, after, lines = step
    title = Text(f"{name:<{_INDENT}}", style="bold cyan")
    when = [] if at_ms is None else [iso_utc(at_ms)]
    yield title.append("  ".join((*when, after)), style="not bold dim default")
    for line in lines:
        yield Padding(line, (0, 0, 0, _INDENT), expand=False)


def _windows(story: Story) -> Iterator[_Step]:
    """The revision that was decided on, and the last one."""
    first, last = story.first_window, story.last_window
    if first is not None:
        closed_ms = _closed_ms(story, first)
        after = "" if closed_ms is None else f"{closed_ms:+} ms from its end"
        yield "window", first.pipeline_ms, after, [*tell_window(first.message)]
    if last is not None and last != first:
        yield "window", last.pipeline_ms, "", [*tell_window(last.message)]
    if first is None and last is None:
        yield "window", None, "", [Text("not kept", "yellow")]


def _closed_ms(story: Story, window: Written[object]) -> int | None:
    """How long after its end a window was published [ms of pipeline time]."""
    if window.pipeline_ms is None:
        return None
    return window.pipeline_ms - story.window_start_ms - WINDOW_MS


def _after(before: Written[object] | None, step: Written[object]) -> str:
    """Time since the step before: between the records, or in pipeline time without them."""
    if before is None:
        return ""
    between = delay("", before, "", step)
    if between.log_ms is not None:
        return f"{between.log_ms:+} ms"
    return "" if between.pipeline_ms is None else f"{between.pipeline_ms:+} ms pipeline"


def _conclusion(story: Story) -> Text:
    """What came of it."""
    if story.verdict is None:
        return Text("Nothing was commanded: there is no verdict yet.", "yellow")
    if not story.is_let_through:
        return Text("Nothing was commanded.")
    if not story.setpoints:
        return Text(
            "No command was needed, or none was sent: the devices had this target under a lease"
            " that lasts, commands were stopped, or the verdict came too late."
        )
    told = [each.message for each in story.setpoints]
    wanting = [setpoint.device for setpoint in told if not _confirmed(story, setpoint)]
    if wanting:
        return Text(f"Not confirmed by {', '.join(wanting)}.", "yellow")
    return Text(f"Confirmed by {len(told)} device(s){_in_all(story)}.", "green")


def _confirmed(story: Story, setpoint: Setpoint) -> bool:
    """Whether the device of a setpoint has done it."""
    return any(is_confirmed(ack.message) for ack in story.acks_of(setpoint))


def _in_all(story: Story) -> str:
    """The time from the window to the last first confirmation, in words."""
    if story.first_window is None:
        return ""
    start_ms = story.first_window.log_ms
    ends = [ack.log_ms for ack in story.acks if is_confirmed(ack.message) and ack.log_ms]
    return "" if start_ms is None or not ends else f", {max(ends) - start_ms} ms after the window"
