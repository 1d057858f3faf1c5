"""The spans of one process: exported where a collector is named, and otherwise nothing."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message

from schemas.clock import PipelineClock
from schemas.messages import encode
from schemas.settings import TracingSettings
from schemas.site_window import SiteWindow
from streams.tracing.context import TraceContext, window_context

if TYPE_CHECKING:
    from streams.tracing.exporting import SpanExport


class Spans:
    """What a stage tells of the traces that it carries on.

    Args:
        settings: whether there is a collector, and where; None: there is none.
        stage: which stage this process is.
        slot: which of its processes.
    """

    def __init__(self, settings: TracingSettings | None, stage: str, slot: int) -> None:
        self._export: SpanExport | None = None
        if settings is not None and settings.endpoint:
            # The SDK takes half a second to load.
            from streams.tracing import exporting

            self._export = exporting.SpanExport(settings.endpoint, stage, slot)

    def windows(self, windows: Iterable[SiteWindow], clock: PipelineClock, now_ms: int) -> None:
        """Windows that were published at ``now_ms`` [ms of wall time]."""
        if self._export is None:
            return
        for window in windows:
            context = window_context(window.site, window.window_start_ms, window.revision)
            began_ms = _wall_ms(clock, window.window_start_ms, now_ms)
            self._export.ended(context, "window", began_ms, now_ms, encode(window))

    def reading(
        self, context: TraceContext, clock: PipelineClock, time_ms: int, now_ms: int, value: bytes
    ) -> None:
        """A reading stamped ``time_ms`` [ms] that was sent at ``now_ms`` [ms of wall time]."""
        if self._export is not None:
            self._export.ended(context, "reading", _wall_ms(clock, time_ms, now_ms), now_ms, value)

    def answers(
        self,
        name: str,
        message: Message,
        answers: Sequence[tuple[TraceContext, bytes]],
        now_ms: int,
    ) -> None:
        """What was written about one record; each span begins with the record itself.

        Args:
            name: what was done.
            message: the record.
            answers: contexts and messages.
            now_ms: when they were committed [ms of wall time].
        """
        if self._export is None:
            return
        kind, written_ms = message.timestamp()
        began_ms = now_ms if kind == TIMESTAMP_NOT_AVAILABLE else written_ms
        for context, value in answers:
            self._export.ended(context, name, began_ms, now_ms, value)

    def close(self) -> None:
        """Send what is left."""
        if self._export is not None:
            self._export.close()


def _wall_ms(clock: PipelineClock, time_ms: int, now_ms: int) -> float:
    """When a pipeline time was [ms of wall time]; on the data clock nobody knows."""
    return now_ms if clock.is_data_clock else clock.append_time_of(time_ms)
