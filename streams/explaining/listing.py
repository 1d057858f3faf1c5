"""The newest decisions that switch something, to pick one from."""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.dispatch_plan import DispatchPlan, OutputDecision
from schemas.errors import BrokerError
from schemas.settings import Settings
from schemas.windows import WINDOW_MS, iso_utc
from streams.explaining.kafka_source import PATIENCE_S
from streams.explaining.newest import LOOK_BACK, newest_plans, outcomes_since
from streams.finding import open_historians
from streams.historians.mapping import event_message
from streams.historians.points import EventKind
from streams.historians.protocol import HistorianReader, SiteSpan
from streams.kafka import require_broker

NEWEST: Final = 10
"""How many decisions are listed."""

_SPAN_MS: Final = 1_000 * WINDOW_MS


class Switching(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that switches something.

    Attributes:
        window_start: start of its window in words [pipeline time].
        switches: outputs, what they are switched to, and the reason code, in words.
        verdict: the gate's outcome; None where it has not judged.
    """

    decision_id: str
    window_start: str
    switches: tuple[str, ...]
    verdict: str | None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions, newest first, and where they were read, in words."""

    source: str
    decisions: tuple[Switching, ...]


def newest_switches(settings: Settings) -> Listing:
    """The newest decisions that switch something, from Kafka, or else from a historian.

    Raises:
        BrokerError: Kafka does not answer, and no historian can be asked instead.
        HistorianError: the historian cannot be read.
    """
    try:
        require_broker(settings.kafka, PATIENCE_S)
    except BrokerError as error:
        for reader in open_historians(settings):
            source = f"{reader.name} ({error.message})"
            return Listing(source=source, decisions=_from_historian(reader))
        raise
    found = newest_plans(settings.kafka, NEWEST, does_switch)
    outcomes = outcomes_since(settings.kafka, found)
    return Listing(
        source=f"Kafka {settings.kafka.bootstrap_servers}",
        decisions=_described((each.plan for each in found), outcomes),
    )


def does_switch(plan: DispatchPlan) -> bool:
    """Whether a plan switches anything."""
    return any(_is_switched(output) for output in plan.outputs)


def _is_switched(output: OutputDecision) -> bool:
    """Whether an output's planned state is another one; an unknown state switches nothing."""
    return output.on is not None and output.was_on is (not output.on)


def _described(plans: Iterable[DispatchPlan], outcomes: dict[str, str]) -> tuple[Switching, ...]:
    return tuple(
        _describe([o for o in plan.outputs if _is_switched(o)], plan, outcomes) for plan in plans
    )


def _describe(
    switched: list[OutputDecision], plan: DispatchPlan, outcomes: dict[str, str]
) -> Switching:
    """A plan in one line."""
    return Switching(
        decision_id=plan.decision_id,
        window_start=iso_utc(plan.window_start_ms),
        switches=tuple(
            f"{o.device}/{o.output} {'on' if o.on else 'off'}: {o.reason}" for o in switched
        ),
        verdict=outcomes.get(plan.decision_id),
    )


def _from_historian(reader: HistorianReader) -> tuple[Switching, ...]:
    found = [plan for span in reader.sites() for plan in _newest_of(reader, span)]
    found.sort(key=lambda plan: plan.window_start_ms, reverse=True)
    plans = found[:NEWEST]
    outcomes = {
        event.decision_id: event.outcome
        for plan in plans
        for event in reader.decision(plan.decision_id)
        if event.kind is EventKind.VERDICT
    }
    return _described(plans, outcomes)


def _newest_of(reader: HistorianReader, span: SiteSpan) -> list[DispatchPlan]:
    """The newest switching plans of one site, newest first."""
    found: list[DispatchPlan] = []
    end_ms = span.last_ms + WINDOW_MS
    first_ms = max(span.first_ms, end_ms - LOOK_BACK * WINDOW_MS)
    while end_ms > first_ms and len(found) < NEWEST:
        start_ms = max(first_ms, end_ms - _SPAN_MS)
        events = reader.events(span.site, start_ms, end_ms, kinds=(EventKind.PLAN,))
        messages = [event_message(e) for e in events if e.switched_on or e.switched_off]
        found += reversed([plan for plan in messages if isinstance(plan, DispatchPlan)])
        end_ms = start_ms
    return found
