"""Picks out of a site's records what one decision is about."""

from dataclasses import dataclass, field
from typing import Final, TypeVar

from confluent_kafka import Message as Record

from schemas.clock import PipelineClock
from schemas.dispatch_plan import DispatchPlan
from schemas.errors import MessageError
from schemas.identity import SEQ_PER_WINDOW
from schemas.messages import Decoder
from schemas.setpoint import Ack, Setpoint
from schemas.site_window import SiteWindow
from schemas.topics import ACKS, PLANS, SITE_WINDOWS, VERDICTS
from schemas.verdict import Accepted, Renewed, Verdict
from schemas.windows import WINDOW_MS
from streams.explaining.identity import Decision
from streams.explaining.logs import log_ms_of, value_of
from streams.explaining.story import NEARBY, Story, Written

AROUND_MS: Final = 60_000
"""How far around a window to look: before it for clocks that disagree [ms of wall time], and
after it for late revisions and repeated commands [ms of pipeline time] (ours)."""

_WINDOW: Final[Decoder[SiteWindow]] = Decoder(SiteWindow)
_PLAN: Final[Decoder[DispatchPlan]] = Decoder(DispatchPlan)
_VERDICT: Final[Decoder[Verdict]] = Decoder(Verdict)
_SETPOINT: Final[Decoder[Setpoint]] = Decoder(Setpoint)
_ACK: Final[Decoder[Ack]] = Decoder(Ack)
_KEYED_BY_SITE: Final = frozenset({SITE_WINDOWS.name, PLANS.name, VERDICTS.name, ACKS.name})

MessageT = TypeVar("MessageT")


@dataclass
class Way:
    """What the records say about one decision.

    Attributes:
        others: decisions of the site that were seen, by the start of their window [ms].
        unreadable: records of the site that are no messages.
    """

    decision: Decision
    clock: PipelineClock
    windows: list[Written[SiteWindow]] = field(default_factory=list)
    plan: Written[DispatchPlan] | None = None
    verdict: Written[Verdict] | None = None
    setpoints: list[Written[Setpoint]] = field(default_factory=list)
    acks: list[Written[Ack]] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    unreadable: int = 0

    def take(self, topic: str, record: Record) -> bool:
        """Keep what is about the decision; whether the log is past it."""
        key = record.key()
        site = self.decision.site
        if topic in _KEYED_BY_SITE and key not in (site, site.encode()):
            return False
        try:
            start_ms = self._keep(topic, record)
        except MessageError:
            self.unreadable += 1
            return False
        return start_ms is not None and start_ms > self.decision.window_start_ms + AROUND_MS

    def _keep(self, topic: str, record: Record) -> int | None:
        """Start of the window that a record is about [ms]; None where it is another site's."""
        value, log_ms = value_of(record), log_ms_of(record)
        if topic == SITE_WINDOWS.name:
            window = _WINDOW.decode(value)
            if window.window_start_ms == self.decision.window_start_ms:
                self.windows.append(self._stamped(window, log_ms))
            return window.window_start_ms
        if topic == PLANS.name:
            plan = _PLAN.decode(value)
            self.others[plan.decision_id] = plan.window_start_ms
            if plan.decision_id == self.decision.id:
                self.plan = self._stamped(plan, log_ms)
            return plan.window_start_ms
        if topic == VERDICTS.name:
            verdict = _VERDICT.decode(value)
            if verdict.decision_id == self.decision.id:
                self.verdict = _written(verdict, verdict.decided_ms, log_ms)
            return verdict.window_start_ms
        if topic == ACKS.name:
            return self._keep_ack(_ACK.decode(value), log_ms)
        return self._keep_setpoint(_SETPOINT.decode(value), log_ms)

    def _keep_setpoint(self, setpoint: Setpoint, log_ms: int) -> int | None:
        if setpoint.decision_id == self.decision.id:
            self.setpoints.append(_written(setpoint, setpoint.issued_ms, log_ms))
        return _window_of(setpoint.seq) if setpoint.site == self.decision.site else None

    def _keep_ack(self, ack: Ack, log_ms: int) -> int | None:
        if ack.decision_id == self.decision.id:
            self.acks.append(_written(ack, ack.acked_ms, log_ms))
        return _window_of(ack.seq)

    def _stamped(self, message: MessageT, log_ms: int) -> Written[MessageT]:
        """A message that carries no pipeline time of its own: that of its record."""
        at_ms = None if self.clock.is_data_clock else self.clock.at(log_ms)
        return _written(message, at_ms, log_ms)

    @property
    def is_settled(self) -> bool:
        """Whether looking further back could find no more."""
        start_ms = self.decision.window_start_ms
        return self.plan is not None or any(other < start_ms for other in self.others.values())

    @property
    def gateways(self) -> set[str]:
        """Gateways of the devices that the decision is about."""
        targets = () if self.plan is None else self.plan.message.targets
        if self.verdict is not None and isinstance(self.verdict.message, Accepted | Renewed):
            targets += self.verdict.message.targets
        return {target.gateway for target in targets}

    @property
    def nearby(self) -> tuple[str, ...]:
        """Decisions of the site that exist, nearest first."""
        start_ms = self.decision.window_start_ms
        nearest = sorted(self.others, key=lambda each: abs(self.others[each] - start_ms))
        return tuple(nearest[:NEARBY])

    def story(self, plan: Written[DispatchPlan], source: str) -> Story:
        """All that was found."""
        windows = sorted(self.windows, key=lambda each: each.message.revision)
        first = [each for each in windows if each.message.revision == 0]
        notes = [f"{self.unreadable} records of this site cannot be read"] * bool(self.unreadable)
        return Story(
            decision_id=self.decision.id,
            site=self.decision.site,
            window_start_ms=self.decision.window_start_ms,
            source=source,
            first_window=first[0] if first else None,
            last_window=windows[-1] if windows else None,
            plan=plan,
            verdict=self.verdict,
            setpoints=tuple(self.setpoints),
            acks=tuple(self.acks),
            notes=tuple(notes),
        )


def _written(message: MessageT, pipeline_ms: int | None, log_ms: int) -> Written[MessageT]:
    return Written(message=message, pipeline_ms=pipeline_ms, log_ms=log_ms)


def _window_of(seq: int) -> int:
    """Start [ms] of the window that a sequence number belongs to."""
    return seq // SEQ_PER_WINDOW * WINDOW_MS
