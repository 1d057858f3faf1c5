"""Decisions as the historian holds them: the last revision of the window, and no log time."""

from dataclasses import dataclass, field
from typing import Final, assert_never

import msgspec

from schemas.dispatch_plan import DispatchPlan
from schemas.setpoint import Ack, Setpoint
from schemas.site_window import SiteWindow
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from schemas.windows import WINDOW_MS
from streams.explaining.identity import Decision
from streams.explaining.story import NEARBY, Answer, Story, Unfound, Written
from streams.historians.mapping import event_message
from streams.historians.points import EventKind, EventPoint
from streams.historians.protocol import HistorianReader

_AROUND_MS: Final = 60 * WINDOW_MS


class HistorianSource:
    """Looks decisions up in a historian."""

    def __init__(self, reader: HistorianReader) -> None:
        self._reader = reader
        self.name = reader.name

    def find(self, decision: Decision) -> Answer:
        """The story of a decision.

        Raises:
            HistorianError: the historian cannot be read.
            MessageError: it holds something that this version cannot read.
        """
        way = _Way()
        for event in self._reader.decision(decision.id):
            way.take(event)
        if way.plan is None:
            return Unfound(nearby=self._nearby(decision))
        return Story(
            decision_id=decision.id,
            site=decision.site,
            window_start_ms=decision.window_start_ms,
            source=self.name,
            first_window=None,
            last_window=self._window(decision),
            plan=way.plan,
            verdict=way.verdict,
            setpoints=tuple(way.setpoints),
            acks=tuple(way.acks),
            notes=("the historian keeps the last revision of a window and no log time",),
        )

    def sites(self) -> list[str]:
        """Every site that has windows, by name."""
        return [span.site for span in self._reader.sites()]

    def _window(self, decision: Decision) -> Written[SiteWindow] | None:
        start_ms = decision.window_start_ms
        for point in self._reader.site_windows(decision.site, start_ms, start_ms + WINDOW_MS):
            window = SiteWindow(**msgspec.structs.asdict(point))
            return Written(message=window, pipeline_ms=None)
        return None

    def _nearby(self, decision: Decision) -> tuple[str, ...]:
        """Decisions of the site around the window, nearest first; else the newest ones."""
        start_ms = decision.window_start_ms
        found = self._plans(decision.site, start_ms)
        if not found:
            ends = [span.last_ms for span in self._reader.sites() if span.site == decision.site]
            found = [plan for end_ms in ends for plan in self._plans(decision.site, end_ms)]
        found.sort(key=lambda plan: abs(plan.window_start_ms - start_ms))
        return tuple(plan.decision_id for plan in found[:NEARBY])

    def _plans(self, site: str, around_ms: int) -> list[EventPoint]:
        span = (around_ms - _AROUND_MS, around_ms + _AROUND_MS)
        return self._reader.events(site, *span, kinds=(EventKind.PLAN,))


@dataclass
class _Way:
    """The steps of one decision."""

    plan: Written[DispatchPlan] | None = None
    verdict: Written[Verdict] | None = None
    setpoints: list[Written[Setpoint]] = field(default_factory=list)
    acks: list[Written[Ack]] = field(default_factory=list)

    def take(self, event: EventPoint) -> None:
        """Keep one step."""
        message = event_message(event)
        match message:
            case DispatchPlan():
                self.plan = Written(message=message, pipeline_ms=event.at_ms)
            case Accepted() | Renewed() | Observed() | Rejected():
                self.verdict = Written(message=message, pipeline_ms=event.at_ms)
            case Setpoint():
                self.setpoints.append(Written(message=message, pipeline_ms=event.at_ms))
            case Ack():
                self.acks.append(Written(message=message, pipeline_ms=event.at_ms))
            case _:
                assert_never(message)
