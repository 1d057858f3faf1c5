"""Spans to an OpenTelemetry collector, over OTLP/HTTP; the SDK loads only where one is named.

Its own variables hold besides: ``OTEL_EXPORTER_OTLP_HEADERS`` (a password, if it asks for one),
``OTEL_EXPORTER_OTLP_CERTIFICATE``, ``OTEL_EXPORTER_OTLP_TIMEOUT``, ``OTEL_BSP_*``.
"""

import logging
import threading
from collections.abc import Mapping
from importlib.metadata import version
from typing import Final

import msgspec
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanContext, TraceFlags

from streams.tracing.context import TraceContext

log = logging.getLogger(__name__)

_CLOSE_TIMEOUT_S: Final = 2.0
_NS_PER_MS: Final = 1_000_000


class _Named(msgspec.Struct, frozen=True):
    """What a message of the decision path says of itself."""

    site: str | None = None
    decision_id: str | None = None
    window_start_ms: int | None = None
    revision: int | None = None
    seq: int | None = None
    device: str | None = None


_NAMED: Final = msgspec.json.Decoder(_Named)


class SpanExport:
    """Hands spans over to a thread that sends them in batches; what it cannot send is lost.

    No stage waits for it: the queue is bounded, and a collector that is away costs a warning.

    Args:
        endpoint: of the collector, without ``/v1/traces``.
        stage: which stage this process is.
        slot: which of its processes.
    """

    def __init__(self, endpoint: str, stage: str, slot: int) -> None:
        self._resource = Resource.create(
            {
                "service.namespace": "gridloom",
                "service.name": f"gridloom.{stage}",
                "service.instance.id": str(slot),
                "service.version": version("gridloom"),
            }
        )
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        self._processor = BatchSpanProcessor(exporter)

    def ended(
        self, context: TraceContext, name: str, start_ms: float, end_ms: float, value: bytes
    ) -> None:
        """Export a span.

        Args:
            context: its place.
            name: what was done.
            start_ms: when it began [ms of wall time].
            end_ms: when it ended [ms of wall time]; a span is never shorter than 0.
            value: the message that it wrote: ids in it become attributes.
        """
        if not context.sampled:
            return
        span = ReadableSpan(
            name,
            context=_span_context(context.trace_id, context.span_id),
            parent=_span_context(context.trace_id, context.parent_id),
            resource=self._resource,
            attributes=_attributes(value),
            start_time=round(min(start_ms, end_ms) * _NS_PER_MS),
            end_time=round(end_ms * _NS_PER_MS),
        )
        self._processor.on_end(span)

    def close(self) -> None:
        """Send what is left, but do not wait long for a collector that does not answer."""
        closing = threading.Thread(target=self._processor.shutdown, name="traces", daemon=True)
        closing.start()
        closing.join(_CLOSE_TIMEOUT_S)
        if closing.is_alive():
            log.warning("the collector does not take the last spans")


def _span_context(trace_id: str, span_id: str | None) -> SpanContext | None:
    if span_id is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=flags)


def _attributes(value: bytes) -> Mapping[str, str | int]:
    try:
        named = _NAMED.decode(value)
    except msgspec.DecodeError:
        return {}
    return {
        f"gridloom.{field}": found
        for field in _Named.__struct_fields__
        if (found := getattr(named, field)) is not None
    }
