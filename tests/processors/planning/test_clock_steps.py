"""Clock times become steps so that nothing is promised outside of a stay."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from processors.planning.clock_steps import Stay, instant_ms, step_starts_ms
from schemas.planning_case import Horizon

HOUR_MS = 3_600_000
START_MS = 1_772_406_000_000

horizons = st.builds(
    Horizon,
    steps=st.integers(1, 192),
    step_s=st.sampled_from([300.0, 900.0, 3600.0]),
    start_ms=st.integers(START_MS, START_MS + HOUR_MS),
)
instants = st.integers(START_MS - 24 * HOUR_MS, START_MS + 72 * HOUR_MS)


@st.composite
def stays(draw: st.DrawFn) -> Stay:
    """Stays of a millisecond to four days, around the horizon."""
    begin_ms, end_ms = sorted((draw(instants), draw(instants)))
    return Stay(begin_ms, end_ms + 1)


@given(horizons, stays())
def test_every_step_lies_within_the_stay_and_the_horizon(horizon: Horizon, stay: Stay) -> None:
    first, end = stay.whole_steps(horizon)
    starts_ms, step_ms = step_starts_ms(horizon), 1000 * horizon.step_s
    for step in range(first, end):
        assert stay.arrival_ms <= starts_ms[step]
        assert starts_ms[step] + step_ms <= stay.departure_ms


@given(horizons, stays())
def test_no_whole_step_is_left_out(horizon: Horizon, stay: Stay) -> None:
    first, end = stay.whole_steps(horizon)
    step_ms = 1000 * horizon.step_s
    within = [
        step
        for step, at_ms in enumerate(step_starts_ms(horizon))
        if stay.arrival_ms <= at_ms and at_ms + step_ms <= stay.departure_ms
    ]
    assert within == [*range(first, end)]


@given(horizons, stays(), st.floats(0, 1))
def test_what_is_left_for_later_can_still_be_charged(
    horizon: Horizon, stay: Stay, fullness: float
) -> None:
    """Wanted: any part of what 1 kW all the time would give from now on."""
    begin_ms = max(stay.arrival_ms, horizon.start_ms)
    assume(stay.departure_ms > begin_ms)
    wanted = fullness * (stay.departure_ms - begin_ms)
    end_ms = horizon.start_ms + 1000 * horizon.step_s * horizon.steps
    later_ms = max(0, stay.departure_ms - max(end_ms, begin_ms))
    share = stay.share_within(horizon)
    assert 0 <= share <= 1
    assert (1 - share) * wanted <= later_ms * (1 + 1e-9) + 1e-6


@given(horizons, stays())
def test_all_is_planned_of_a_stay_that_ends_within_the_horizon(
    horizon: Horizon, stay: Stay
) -> None:
    assume(step_starts_ms(horizon)[0] < stay.departure_ms <= step_starts_ms(horizon)[-1])
    assert stay.share_within(horizon) == 1


def test_a_stay_that_has_ended_has_no_share() -> None:
    horizon = Horizon(steps=4, start_ms=START_MS)
    assert Stay(START_MS - 10, START_MS - 5).share_within(horizon) == 0


def test_a_time_without_an_offset_is_taken_from_the_zones_clock() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert instant_ms(summer, berlin) == round(1000 * summer.timestamp())
    assert instant_ms(datetime(2026, 7, 1, 14), berlin) == instant_ms(summer, berlin)  # noqa: DTZ001
