"""Ids of traces and the header that carries them."""

from hypothesis import given
from hypothesis import strategies as st

from streams.tracing import SampledReadings, decision_trace_id, window_context
from streams.tracing.context import parse

WINDOW_MS = 1_700_000_000_000
SITES = st.sampled_from(["plant", "plant-7", "hall.3"])
TIMES_MS = st.integers(0, 2**42)


@given(SITES, TIMES_MS)
def test_a_window_that_is_aligned_again_has_the_same_trace(site: str, time_ms: int) -> None:
    """Issue 5, build 5: the trace follows from site and window."""
    start_ms = time_ms - time_ms % 5_000
    window = window_context(site, start_ms)
    assert window == window_context(site, time_ms)
    assert window.trace_id != window_context(site, start_ms + 5_000).trace_id
    assert window.trace_id != window_context(site + "x", start_ms).trace_id
    assert decision_trace_id(f"{site}.{start_ms // 5_000}.0123abcd") == window.trace_id


def test_what_is_no_decision_id_has_no_trace() -> None:
    assert decision_trace_id("hello") is None
    assert decision_trace_id("a.b.c") is None


def test_a_later_revision_is_within_the_first_ones_span() -> None:
    first, later = window_context("plant", WINDOW_MS), window_context("plant", WINDOW_MS, 2)
    assert (later.trace_id, later.parent_id) == (first.trace_id, first.span_id)
    assert first.parent_id is None


@given(SITES, TIMES_MS, st.lists(st.text(max_size=5), max_size=4))
def test_a_header_is_read_as_it_was_written(site: str, time_ms: int, steps: list[str]) -> None:
    context = window_context(site, time_ms)
    for step in steps:
        before, context = context, context.child(step)
        assert context.parent_id == before.span_id != context.span_id
    ((name, value),) = context.headers
    assert name == "traceparent"
    read = parse(value)
    assert read is not None
    assert read.trace_id == context.trace_id
    assert read.child("x").span_id == context.child("x").span_id


@given(st.binary(max_size=70))
def test_no_header_ends_a_stage(value: bytes) -> None:
    parse(value)


def test_a_header_that_is_not_valid_is_passed_over() -> None:
    """W3C Trace Context, 3.2.2: ids of zeros, version ff, wrong length, capitals."""
    trace, span = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
    good = b"00-%s-%s-01" % (trace, span)
    read = parse(good)
    assert read is not None
    assert read.sampled
    for bad in (
        good.replace(trace, b"0" * 32),
        good.replace(span, b"0" * 16),
        good.replace(b"00-4", b"ff-4"),
        good[:-1],
        good + b"-more",
        good.upper(),
        b"",
    ):
        assert parse(bad) is None
    assert parse(b"01-%s-%s-00-more" % (trace, span)) is not None  # what a later version adds


def test_whoever_does_not_want_spans_is_heard_down_the_line() -> None:
    read = parse(b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00")
    assert read is not None
    assert read.child("plan").headers[0][1].endswith(b"-00")


@given(st.integers(1, 50), st.lists(st.integers(1, 120), max_size=60))
def test_one_reading_in_so_many_is_traced(one_in: int, batches: list[int]) -> None:
    """Every message that holds a reading numbered 0, N, 2 N, ... and no other."""
    sampled, seen = SampledReadings(one_in), 0
    for readings in batches:
        holds_one = any(number % one_in == 0 for number in range(seen, seen + readings))
        context = sampled.context("plant", WINDOW_MS, b"{}", readings)
        assert (context is not None) == holds_one
        seen += readings


def test_a_traced_reading_belongs_to_the_trace_of_its_window() -> None:
    context = SampledReadings(1).context("plant", WINDOW_MS + 4_999, b"{}")
    assert context is not None
    window = window_context("plant", WINDOW_MS)
    assert (context.trace_id, context.parent_id) == (window.trace_id, window.span_id)


def test_no_reading_is_traced_where_nobody_wants_it() -> None:
    assert SampledReadings(0).context("plant", WINDOW_MS, b"{}") is None
