"""Window arithmetic on the epoch, over all of time that a message can name."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.windows import (
    LATENESS_MS,
    WINDOW_MS,
    close_delay_ms,
    iso_utc,
    window_index,
    window_start,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES_MS = st.integers(0, 2**47)
SPEEDS = st.floats(0, 10_000)


def test_windows_are_five_seconds_long_and_final_thirty_seconds_after_their_end() -> None:
    """D-4; DESIGN "Time" 3 and 4."""
    assert WINDOW_MS == 5_000
    assert LATENESS_MS == 30_000


@given(TIMES_MS)
def test_every_moment_lies_in_exactly_one_window(time_ms: int) -> None:
    """D-4: every window's stamp mod 5 s is 0; DESIGN "Time" 3: ``[t, t + 5 s)``."""
    start_ms = window_start(time_ms)
    assert start_ms % 5_000 == 0
    assert start_ms <= time_ms < start_ms + WINDOW_MS


@given(TIMES_MS)
def test_a_window_begins_with_its_own_start_and_ends_before_the_next(time_ms: int) -> None:
    start_ms = window_start(time_ms)
    assert window_start(start_ms) == start_ms
    assert window_start(start_ms + WINDOW_MS - 1) == start_ms
    assert window_start(start_ms + WINDOW_MS) == start_ms + WINDOW_MS


@given(TIMES_MS)
def test_windows_are_numbered_without_a_gap(time_ms: int) -> None:
    start_ms = window_start(time_ms)
    assert window_index(start_ms) * WINDOW_MS == start_ms
    assert window_index(start_ms + WINDOW_MS) == window_index(start_ms) + 1


@pytest.mark.parametrize(
    ("speed", "delay_ms"), [(0.0, 1_000), (1.0, 1_000), (5.0, 1_000), (10.0, 2_000), (60.0, 12_000)]
)
def test_a_window_waits_a_second_or_a_fifth_of_the_speed(speed: float, delay_ms: int) -> None:
    """DESIGN "Time" 4: close delay max(1, 0.2 x speed) s."""
    assert close_delay_ms(speed) == delay_ms


@given(SPEEDS, SPEEDS)
def test_a_faster_clock_never_waits_less(one: float, other: float) -> None:
    slow, fast = sorted((one, other))
    assert close_delay_ms(slow) <= close_delay_ms(fast)


@given(TIMES_MS)
@example(79_374_424_298_053)
def test_a_time_in_words_is_exact_to_the_millisecond(time_ms: int) -> None:
    text = iso_utc(time_ms)
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) - EPOCH == timedelta(milliseconds=time_ms)


@pytest.mark.parametrize(
    ("time_ms", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000_007, "2023-11-14T22:13:20.007Z"),
    ],
)
def test_a_time_in_words_has_milliseconds_only_where_there_are_any(time_ms: int, text: str) -> None:
    assert iso_utc(time_ms) == text
