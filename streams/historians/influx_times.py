"""Where points lie in InfluxDB's time: nanoseconds since the epoch.

Windows lie at their start. Events lie within the five seconds from their window's start on, at
an offset that tells those of one site, kind, device and window apart: InfluxDB knows a point by
its tags and its time alone.

========  ========================================================================
plan      the 32 bits of its decision id's model hash
verdict   the same, so that the two can be joined by time
setpoint  16 x epoch + number within the window
ack       32 bits of a hash of its key
========  ========================================================================
"""

from hashlib import sha256
from typing import Final, assert_never

from schemas.identity import SEQ_PER_WINDOW, parse_decision_id
from schemas.windows import WINDOW_MS
from streams.historians.points import EventKind, EventPoint

NS_PER_MS: Final = 1_000_000

LAST_NS: Final = 2**63 - 2
"""Latest time that InfluxDB knows [ns]: in the year 2262."""

LAST_MS: Final = LAST_NS // NS_PER_MS - WINDOW_MS
"""Latest window whose events still fit [ms]."""

_WINDOW_NS: Final = WINDOW_MS * NS_PER_MS
_HASH_BYTES: Final = 4
_HASH_LIMIT: Final = 2 ** (8 * _HASH_BYTES)


def event_ns(event: EventPoint) -> int:
    """Time of an event [ns]."""
    return event.window_start_ms * NS_PER_MS + _offset_ns(event)


def span_ns(from_ms: int, to_ms: int) -> tuple[int, int]:
    """The span [ns] that holds the windows which start in ``[from_ms, to_ms)``, and their events.

    Empty spans come out as such: the end is not after the start.
    """
    return _grid_ns(from_ms), _grid_ns(to_ms)


def _grid_ns(time_ms: int) -> int:
    """The first window start that is not before ``time_ms``, within what InfluxDB knows [ns]."""
    start_ms = -(-time_ms // WINDOW_MS) * WINDOW_MS
    return max(0, min(start_ms * NS_PER_MS, LAST_NS))


def _offset_ns(event: EventPoint) -> int:
    """Where an event lies within its window [ns]."""
    match event.kind:
        case EventKind.PLAN | EventKind.VERDICT:
            return _model_bits(event.decision_id)
        case EventKind.SETPOINT:
            return (_epoch_of(event) * SEQ_PER_WINDOW + event.seq % SEQ_PER_WINDOW) % _WINDOW_NS
        case EventKind.ACK:
            return _bits(event.key)
        case _:
            assert_never(event.kind)


def _model_bits(decision_id: str) -> int:
    """The model hash in a decision id; 32 bits of the whole id where it is of another form."""
    try:
        _, _, model_hash = parse_decision_id(decision_id)
        bits = int(model_hash, 16)
    except ValueError:
        return _bits(decision_id)
    return bits if 0 <= bits < _HASH_LIMIT else _bits(decision_id)


def _epoch_of(event: EventPoint) -> int:
    """Fencing epoch of a setpoint: the last but one part of its key."""
    parts = event.key.rsplit("/", 2)
    return int(parts[-2]) if len(parts) > 1 and parts[-2].isdecimal() else _bits(event.key)


def _bits(text: str) -> int:
    """32 bits of a hash of ``text``."""
    return int.from_bytes(sha256(text.encode()).digest()[:_HASH_BYTES])
