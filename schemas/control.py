"""Orders to the pipeline itself: the global stop."""

from schemas.messages import Message


class GlobalStop(Message, frozen=True, kw_only=True):
    """Whether commands are stopped everywhere; compacted topic ``control.stop``.

    Attributes:
        stopped: True stops every command; leases lapse and loads return to their own state.
        by: who said so.
        reason: why, in words.
        at_ms: when [ms of wall time].
    """

    stopped: bool
    by: str
    reason: str
    at_ms: int
