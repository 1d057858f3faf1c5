"""How the base load is estimated and extrapolated."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.dispatching.lookahead import forecast_base, horizon_steps, rising_trend

POWERS = st.floats(-1e4, 1e4)


@pytest.mark.parametrize(("lookahead_s", "steps"), [(30.0, 7), (31.0, 8), (1.0, 2), (5.0, 2)])
def test_the_horizon_covers_the_lookahead_and_the_loops_own_delay(
    lookahead_s: float, steps: int
) -> None:
    """Started windows count whole, and one more passes until a command shows."""
    assert horizon_steps(lookahead_s) == steps


@pytest.mark.parametrize(
    "history_kw",
    [
        (60.0,),
        (60.0, 61.0, 62.0),
        (60.0, 60.0, 60.0, 60.0, 60.0, 75.0),
        (60.0, 60.0, 60.0, 75.0, 75.0, 75.0),
        (60.0, 60.0, 75.0, 60.0, 60.0, 60.0),
        (75.0, 72.0, 69.0, 66.0, 63.0, 60.0),
        (60.0, 61.0, 59.0, 61.0, 59.0, 60.0),
    ],
    ids=["single", "too few", "step", "older step", "spike", "fall", "noise"],
)
def test_nothing_but_a_plain_rise_is_extrapolated(history_kw: tuple[float, ...]) -> None:
    """Persistence is the forecast where there is no trend."""
    forecast = forecast_base(history_kw, 7)
    assert forecast.base_kw.tolist() == [history_kw[-1]] * 7
    assert forecast.recent_peak_kw == max(history_kw)


def test_a_ramp_is_extrapolated_step_by_step() -> None:
    """S1-D1: different sequences give different forecasts; 2 kW a window go on."""
    forecast = forecast_base((50.0, 52.0, 54.0, 56.0, 58.0, 60.0), 3)
    assert np.allclose(forecast.base_kw, [62.0, 64.0, 66.0])
    assert forecast.peak_kw == pytest.approx(66.0)


@given(st.lists(POWERS, min_size=1, max_size=6).map(tuple))
def test_a_forecast_is_never_below_the_present(history_kw: tuple[float, ...]) -> None:
    """A fall could hide a peak, so it is not believed."""
    forecast = forecast_base(history_kw, 5)
    assert forecast.base_kw.min() >= history_kw[-1]
    assert np.all(np.diff(forecast.base_kw) >= 0.0)


@given(st.lists(POWERS, min_size=4, max_size=6).map(tuple))
def test_a_trend_is_no_steeper_than_the_steepest_rise_seen(history_kw: tuple[float, ...]) -> None:
    """What was never seen from one window to the next is not expected either."""
    rises = [later - earlier for earlier, later in pairwise(history_kw)]
    assert 0.0 <= rising_trend(history_kw) <= max(0.0, *rises)
