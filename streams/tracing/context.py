"""Ids of traces and spans, and the header that carries them (W3C Trace Context, level 1)."""

import re
from hashlib import sha256
from typing import Final

import msgspec
from confluent_kafka import Message

from schemas.identity import parse_decision_id
from schemas.windows import window_start

HEADER: Final = "traceparent"
Headers = tuple[tuple[str, bytes], ...]
"""Headers of a Kafka record."""

_FORM: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_SAMPLED: Final = 1
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


class TraceContext(msgspec.Struct, frozen=True, kw_only=True):
    """A span's place in its trace.

    Attributes:
        trace_id: 32 hexadecimal digits.
        span_id: 16 hexadecimal digits.
        parent_id: span that it belongs to; None for a root, and where only the header is known.
        sampled: whether whoever began the trace wants its spans kept.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    sampled: bool = True

    @property
    def headers(self) -> Headers:
        """The header of the record that this span writes."""
        flags = "01" if self.sampled else "00"
        return ((HEADER, f"00-{self.trace_id}-{self.span_id}-{flags}".encode()),)

    def child(self, name: str) -> "TraceContext":
        """The span within this one that does ``name``: the same whenever it is computed again."""
        span_id = _digits(f"{self.trace_id}/{self.span_id}/{name}", 16)
        return msgspec.structs.replace(self, span_id=span_id, parent_id=self.span_id)


def window_context(site: str, time_ms: int, revision: int = 0) -> TraceContext:
    """The window that holds ``time_ms`` [ms]: the root of a trace, or a later revision in it."""
    trace_id = _digits(f"{site}/{window_start(time_ms)}", 32)
    root = TraceContext(trace_id=trace_id, span_id=_digits(f"{trace_id}/window", 16))
    return root.child(f"revision {revision}") if revision else root


def decision_trace_id(decision_id: str) -> str | None:
    """The trace of a decision's window; None where the text is no decision id."""
    try:
        site, start_ms, _ = parse_decision_id(decision_id)
    except ValueError:
        return None
    return window_context(site, start_ms).trace_id


def context_in(message: Message) -> TraceContext | None:
    """What a record's header says; None where it has none, or one that is not valid."""
    value = dict(message.headers() or ()).get(HEADER)
    return parse(value) if isinstance(value, bytes) else None


def parse(value: bytes) -> TraceContext | None:
    """A ``traceparent``; of a later version, what this one knows of it. None: not valid."""
    found = _FORM.fullmatch(value)
    if found is None:
        return None
    version, trace_id, span_id, flags = (found[part].decode() for part in range(1, 5))
    longer = found[5] is not None
    if version == "ff" or (version == "00" and longer):
        return None
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    sampled = bool(int(flags, 16) & _SAMPLED)
    return TraceContext(trace_id=trace_id, span_id=span_id, sampled=sampled)


def _digits(text: str, number: int) -> str:
    """So many hexadecimal digits that follow from a text."""
    return sha256(text.encode()).hexdigest()[:number]
