"""One trace per window and site: from its readings through plan, verdict and setpoint to the ack.

The trace travels in the header ``traceparent`` of Kafka records (W3C Trace Context). Its ids
follow from what a record is about, so computing it again gives the same trace. Spans leave the
process only where ``[tracing] endpoint`` is set. See ``docs/decisions/0021-traces.md``.
"""

from streams.tracing.context import (
    Headers,
    TraceContext,
    context_in,
    decision_trace_id,
    window_context,
)
from streams.tracing.readings import SampledReadings
from streams.tracing.spans import Spans

__all__ = [
    "Headers",
    "SampledReadings",
    "Spans",
    "TraceContext",
    "context_in",
    "decision_trace_id",
    "window_context",
]
