"""Verdicts: the gate's answer to every plan. Only what it lets through reaches a device."""

from enum import StrEnum

from schemas.dispatch_plan import DeviceTarget
from schemas.messages import Message


class Refusal(StrEnum):
    """Why the gate does not let a plan through."""

    GLOBAL_STOP = "global-stop"
    """Commands are stopped everywhere."""
    STALE = "stale"
    """Its window ended too long ago."""
    FROM_THE_FUTURE = "from-the-future"
    """Its window ends ahead of the clock."""
    UNKNOWN_SITE = "unknown-site"
    """No model of the site is known."""
    OTHER_MODEL = "other-model"
    """It was made for another model of the site."""
    OUT_OF_ORDER = "out-of-order"
    """Its sequence number does not follow the last one let through, or is not its window's."""
    NEVER_SHED = "never-shed"
    """It would switch off what the site model says is never shed."""
    UNKNOWN_OUTPUT = "unknown-output"
    """It names a device or an output that the site does not have."""
    REAL_BOARD = "real-board"
    """The site may command simulated boards only."""
    OVER_CAPACITY = "over-capacity"
    """Switching loads on would lead above the capacity."""
    BLIND = "blind"
    """Nothing to renew, or blind for too long."""
    NO_PLAN = "no-plan"
    """The solver failed; nothing to let through."""


class _Verdict(Message, frozen=True, kw_only=True):
    """What every verdict carries.

    Attributes:
        decided_ms: when the gate decided [ms of pipeline time].
    """

    decision_id: str
    site: str
    window_start_ms: int
    seq: int
    epoch: int
    decided_ms: int


class Accepted(_Verdict, frozen=True, kw_only=True, tag_field="outcome", tag="accepted"):
    """The plan becomes setpoints."""

    targets: tuple[DeviceTarget, ...]


class Renewed(_Verdict, frozen=True, kw_only=True, tag_field="outcome", tag="renewed"):
    """The window is blind: the last accepted targets are renewed, for a limited time."""

    targets: tuple[DeviceTarget, ...]
    accepted_decision_id: str
    alert: str


class Observed(_Verdict, frozen=True, kw_only=True, tag_field="outcome", tag="observed"):
    """The site is in mode ``observe``: the plan is recorded, nothing is commanded."""

    would_refuse: tuple[Refusal, ...] = ()


class Rejected(_Verdict, frozen=True, kw_only=True, tag_field="outcome", tag="rejected"):
    """The plan is not let through; leases lapse if nothing better comes."""

    refusals: tuple[Refusal, ...]
    sentences: tuple[str, ...]


Verdict = Accepted | Renewed | Observed | Rejected
"""The closed union of verdicts; match it with ``assert_never``."""
