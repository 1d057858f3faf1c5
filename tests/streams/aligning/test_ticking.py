"""Ticks come at an interval, and at the moment when a window is due."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import WALL_CLOCK, PipelineClock
from schemas.windows import WINDOW_MS, close_delay_ms
from streams.aligning.ticking import next_close_ms

T0 = 1_700_000_000_000


@given(
    now_ms=st.integers(T0, T0 + 10 * WINDOW_MS), speed=st.sampled_from([0.5, 1.0, 3.0, 10.0, 60.0])
)
def test_at_the_next_close_one_more_window_is_due(now_ms: int, speed: float) -> None:
    """DESIGN, Time 4: a window closes when the clock passes its end and the close delay."""
    clock = PipelineClock(event_origin_ms=T0, append_origin_ms=T0, speed=speed)
    delay_ms = close_delay_ms(speed)
    close_ms = next_close_ms(clock, now_ms)
    due_now = (clock.at(now_ms) - delay_ms) // WINDOW_MS
    assert close_ms > now_ms
    assert (clock.at(close_ms) - delay_ms) // WINDOW_MS == due_now + 1
    assert (clock.at(close_ms - 3) - delay_ms) // WINDOW_MS <= due_now + (speed > 1)


def test_on_wall_time_windows_close_a_second_after_their_end() -> None:
    assert next_close_ms(WALL_CLOCK, T0) == T0 + 1_001
