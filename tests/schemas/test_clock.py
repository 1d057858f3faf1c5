"""The pipeline clock: from the time of the log to the time of the grid, and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import WALL_CLOCK, PipelineClock
from schemas.errors import MessageError
from schemas.messages import Decoder

TIMES_MS = st.integers(0, 2**42)
DAYS_MS = st.integers(-(10**9), 10**9)
"""Up to eleven days before and after the origin: any speed below is exact to 1 ms there."""

RUNNING = st.builds(
    PipelineClock,
    event_origin_ms=TIMES_MS,
    append_origin_ms=TIMES_MS,
    speed=st.floats(0.25, 1_000),
)
"""Clocks at any speed that makes sense."""


@given(TIMES_MS)
def test_wall_time_is_the_time_of_the_log(append_ms: int) -> None:
    """DESIGN "Time" 1: default wall time, speed 1, which real devices require."""
    assert PipelineClock() == WALL_CLOCK
    assert WALL_CLOCK.at(append_ms) == append_ms
    assert WALL_CLOCK.append_time_of(append_ms) == append_ms


def test_a_clock_runs_from_its_origin_at_its_speed() -> None:
    """DESIGN "Time" 1: ``event_origin + speed x (append - append_origin)``."""
    clock = PipelineClock(event_origin_ms=1_000_000, append_origin_ms=7_000, speed=60.0)
    assert clock.at(7_000) == 1_000_000
    assert clock.at(8_000) == 1_060_000
    assert clock.at(6_000) == 940_000
    assert clock.append_time_of(1_060_000) == 8_000


@given(RUNNING, DAYS_MS)
def test_the_time_of_the_log_is_found_again(clock: PipelineClock, since_ms: int) -> None:
    append_ms = clock.append_origin_ms + since_ms
    found_ms = clock.append_time_of(clock.at(append_ms))
    assert abs(found_ms - append_ms) <= 0.5 / clock.speed + 0.5


@given(RUNNING, DAYS_MS)
def test_the_time_of_the_grid_is_found_again_as_far_as_a_millisecond_tells(
    clock: PipelineClock, since_ms: int
) -> None:
    event_ms = clock.event_origin_ms + since_ms
    found_ms = clock.at(clock.append_time_of(event_ms))
    assert abs(found_ms - event_ms) <= 0.5 * clock.speed + 0.5


@given(RUNNING, TIMES_MS, TIMES_MS)
def test_a_clock_never_runs_backwards(clock: PipelineClock, one_ms: int, other_ms: int) -> None:
    early_ms, late_ms = sorted((one_ms, other_ms))
    assert clock.at(early_ms) <= clock.at(late_ms)


@pytest.mark.parametrize(("speed", "is_data"), [(0.0, True), (0.25, False), (1.0, False)])
def test_the_data_clock_is_the_one_without_a_speed(*, speed: float, is_data: bool) -> None:
    """DESIGN "Time" 1: speed 0 is the data clock."""
    assert PipelineClock(speed=speed).is_data_clock is is_data


def test_the_data_clock_has_no_time_of_the_log() -> None:
    """DESIGN "Time" 1: there, time advances by the ticks that a replay writes."""
    with pytest.raises(ZeroDivisionError):
        PipelineClock(speed=0.0).append_time_of(1)


def test_a_clock_that_would_run_backwards_is_refused() -> None:
    decoder: Decoder[PipelineClock] = Decoder(PipelineClock)
    assert decoder.decode(b'{"speed":0}').is_data_clock
    with pytest.raises(MessageError, match=r"Expected `float` >= 0\.0 - at `\$\.speed`"):
        decoder.decode(b'{"speed":-1}')
