"""The story of a decision: every record of its way, in order, with the time between them.

Two clocks appear. *Pipeline time* is in the messages. *Log time* is the stamp of a Kafka
record [ms of wall time]; the historian does not keep it.
"""

from itertools import pairwise
from typing import Final, Generic, TypeVar

import msgspec

from schemas.dispatch_plan import DispatchPlan
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.site_window import SiteWindow
from schemas.verdict import Accepted, Renewed, Verdict
from schemas.windows import iso_utc

MessageT_co = TypeVar("MessageT_co", covariant=True)

WINDOW: Final = "window"
PLAN: Final = "plan"
VERDICT: Final = "verdict"

NEARBY: Final = 5
"""How many decisions to name where one does not exist."""


class Written(msgspec.Struct, Generic[MessageT_co], frozen=True, kw_only=True):
    """A message with its times.

    Attributes:
        pipeline_ms: when it was written [ms of pipeline time]; None where nothing tells.
        log_ms: stamp of its Kafka record [ms of wall time]; None from the historian.
    """

    message: MessageT_co
    pipeline_ms: int | None
    log_ms: int | None = None


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """Time between two steps [ms].

    Attributes:
        log_ms: between the stamps of their records [ms of wall time], or None.
        pipeline_ms: between their times [ms of pipeline time], or None.
    """

    start: str = msgspec.field(name="from")
    end: str = msgspec.field(name="to")
    log_ms: int | None
    pipeline_ms: int | None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """A decision's way.

    Attributes:
        source: where it was read, in words.
        first_window: revision 0, on which dispatch decided; None where it is not kept.
        last_window: the last revision that there is.
        verdict: None where the gate has not judged.
        setpoints, acks: in the order of their records.
        notes: what the reader should know about this account, in words.
    """

    decision_id: str
    site: str
    window_start_ms: int
    source: str
    first_window: Written[SiteWindow] | None
    last_window: Written[SiteWindow] | None
    plan: Written[DispatchPlan]
    verdict: Written[Verdict] | None
    setpoints: tuple[Written[Setpoint], ...]
    acks: tuple[Written[Ack], ...]
    notes: tuple[str, ...] = ()

    @property
    def delays(self) -> tuple[Delay, ...]:
        """Time from each step to the next, and from the window to every confirmation."""
        chain = [(WINDOW, self.first_window), (PLAN, self.plan), (VERDICT, self.verdict)]
        known = [(name, written) for name, written in chain if written is not None]
        found = [delay(*one, *next_) for one, next_ in pairwise(known)]
        for setpoint in self.setpoints:
            name = setpoint_name(setpoint.message)
            if self.verdict is not None:
                found.append(delay(VERDICT, self.verdict, name, setpoint))
            for ack in self.acks_of(setpoint.message):
                found.append(delay(name, setpoint, ack_name(ack.message), ack))
                if self.first_window is not None and is_confirmed(ack.message):
                    found.append(delay(WINDOW, self.first_window, ack_name(ack.message), ack))
        return tuple(found)

    @property
    def is_let_through(self) -> bool:
        """Whether the gate let something through to the devices."""
        return self.verdict is not None and isinstance(self.verdict.message, Accepted | Renewed)

    def acks_of(self, setpoint: Setpoint) -> tuple[Written[Ack], ...]:
        """What a device answered to one setpoint."""
        return tuple(
            ack
            for ack in self.acks
            if (ack.message.device, ack.message.seq) == (setpoint.device, setpoint.seq)
        )

    def to_json(self) -> bytes:
        """The story as JSON, with times in words beside those in milliseconds."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        story = {**fields, "window_start": iso_utc(self.window_start_ms), "delays": self.delays}
        return msgspec.json.format(msgspec.json.encode(story), indent=2)


class Unfound(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that a source does not hold; ``nearby`` are those around its window."""

    nearby: tuple[str, ...] = ()


Answer = Story | Unfound
"""What a source says to a decision id; match it with ``assert_never``."""


def delay(start: str, one: Written[object], end: str, other: Written[object]) -> Delay:
    """The time between two steps."""
    return Delay(
        start=start,
        end=end,
        log_ms=_between(one.log_ms, other.log_ms),
        pipeline_ms=_between(one.pipeline_ms, other.pipeline_ms),
    )


def setpoint_name(setpoint: Setpoint) -> str:
    """The step's name."""
    return f"setpoint {setpoint.device}"


def ack_name(ack: Ack) -> str:
    """The step's name."""
    return f"ack {ack.device}"


def is_confirmed(ack: Ack) -> bool:
    """Whether the device has done what it was told; a duplicate was applied before."""
    return ack.result is AckResult.APPLIED or ack.reason is RefusalReason.DUPLICATE


def _between(start_ms: int | None, end_ms: int | None) -> int | None:
    return None if start_ms is None or end_ms is None else end_ms - start_ms
