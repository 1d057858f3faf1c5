"""What a relay board answers to a command, always with every output read back."""

import msgspec

from schemas.dispatch_plan import OutputState
from schemas.setpoint import RefusalReason


class Applied(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="applied"):
    """The board carried the command out.

    Attributes:
        outputs: state of every output, read back after switching.
        changed: outputs whose state this command changed.
        tick_ms: the board's clock [ms].
    """

    outputs: tuple[OutputState, ...]
    changed: tuple[int, ...]
    tick_ms: int


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag_field="answer", tag="refused"):
    """The board did nothing.

    Attributes:
        reason: the first reason that holds.
        sentence: the reason in words, with the values that it rests on.
        outputs: state of every output, read back.
        tick_ms: the board's clock [ms].
    """

    reason: RefusalReason
    sentence: str
    outputs: tuple[OutputState, ...]
    tick_ms: int


BoardAnswer = Applied | Refused
"""What a board answers to a command; match it with ``assert_never``."""
