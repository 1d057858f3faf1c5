"""Spans on their way to a collector, and what happens where there is none."""

import time
from collections.abc import Iterator

import pytest

from deploy.ports import free_port
from schemas.clock import WALL_CLOCK, PipelineClock
from schemas.settings import TracingSettings
from schemas.site_window import SiteWindow
from streams.tracing import Spans, window_context
from tests.support.collector import Collector, collector
from tests.support.golden_messages import golden

WINDOW = golden(SiteWindow)


@pytest.fixture
def collecting() -> Iterator[Collector]:
    with collector() as running:
        yield running


def test_a_window_becomes_a_span_of_its_own_trace(collecting: Collector) -> None:
    spans = Spans(TracingSettings(endpoint=collecting.endpoint), "align", 3)
    now_ms = WINDOW.window_start_ms + 6_200
    spans.windows([WINDOW], WALL_CLOCK, now_ms)
    spans.close()
    (span,) = collecting.spans
    context = window_context(WINDOW.site, WINDOW.window_start_ms, WINDOW.revision)
    assert (span.trace_id, span.span_id) == (context.trace_id, context.span_id)
    assert (span.service, span.name) == ("gridloom.align", "window")
    assert span.start_ns == WINDOW.window_start_ms * 1_000_000
    assert span.end_ns == now_ms * 1_000_000
    assert span.attributes["gridloom.site"] == WINDOW.site


def test_on_the_data_clock_a_span_has_no_length(collecting: Collector) -> None:
    """DESIGN time 1: there stamps say nothing about wall time."""
    spans = Spans(TracingSettings(endpoint=collecting.endpoint), "align", 0)
    spans.windows([WINDOW], PipelineClock(speed=0), 1_000)
    spans.close()
    (span,) = collecting.spans
    assert span.start_ns == span.end_ns == 1_000_000_000


def test_a_collector_that_is_away_costs_a_warning_and_no_stage(
    caplog: pytest.LogCaptureFixture,
) -> None:
    spans = Spans(TracingSettings(endpoint=f"http://127.0.0.1:{free_port()}"), "align", 0)
    for _ in range(5_000):  # more than the queue holds
        spans.windows([WINDOW], WALL_CLOCK, WINDOW.window_start_ms)
    spans.close()
    deadline_s = time.monotonic() + 30
    while not caplog.records:
        assert time.monotonic() < deadline_s
        time.sleep(0.05)


def test_without_an_endpoint_nothing_is_loaded_and_nothing_sent() -> None:
    spans = Spans(TracingSettings(), "align", 0)
    spans.windows([WINDOW], WALL_CLOCK, 0)
    spans.close()
