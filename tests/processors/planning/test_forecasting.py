"""Seasonal forecasts: as it was at the same time, with nothing taken from the future."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processors.planning.arrays import Floats
from processors.planning.forecasting import History, forecast_site
from processors.planning.seasonal import backtest, seasonal_naive
from schemas.errors import ConfigurationError
from schemas.planning_case import Horizon

DAY = 24
HORIZON = Horizon(steps=DAY, step_s=3600)
NAN = float("nan")
CURVE = 10 + np.sin(np.linspace(0, 2 * np.pi, DAY, endpoint=False))

histories = arrays(np.float64, st.integers(0, 60), elements=st.floats(-9, 9))


def history(base_kw: Floats, generation_kw: float = 0.0) -> History:
    return History(base_kw, np.full(len(base_kw), generation_kw))


def days(*factors: float) -> Floats:
    return np.concatenate([factor * CURVE for factor in factors])


@given(histories, st.integers(1, 40), st.integers(1, 12))
def test_every_step_is_as_it_was_one_or_more_seasons_ago(
    past: Floats, steps: int, season: int
) -> None:
    found = seasonal_naive(past, steps, season)
    for step, value in enumerate(found):
        place = (len(past) + step) % season
        same_time = past[place::season]
        assert np.isnan(value) if not same_time.size else value == same_time[-1]


def test_where_the_last_season_is_unknown_the_one_before_is_taken() -> None:
    assert seasonal_naive(np.array([1.0, 2.0, 3.0, NAN]), 3, 2).tolist() == [3.0, 2.0, 3.0]


@given(arrays(np.float64, st.integers(20, 60), elements=st.floats(-9, 9)), st.integers(1, 12))
def test_a_past_forecast_is_what_would_have_been_said_then(past: Floats, season: int) -> None:
    tested = backtest(past, 6, season, 4)
    assert len(tested.forecast)
    for row, origin in enumerate(range(len(past) - 6, season - 1, -4)):
        assert tested.outcome[row].tolist() == past[origin : origin + 6].tolist()
        assert tested.forecast[row].tolist() == seasonal_naive(past[:origin], 6, season).tolist()


def test_days_that_are_alike_are_forecast_without_error_and_need_no_reserve() -> None:
    found = forecast_site(history(days(1, 1, 1)), HORIZON, 0.95)
    assert found.outlook.base_kw == pytest.approx(CURVE)
    assert not found.outlook.reserve_kw.any()
    assert (found.season, found.mean_error_kw) == ("a day", 0.0)


def test_weeks_that_are_alike_are_forecast_by_the_week() -> None:
    week = (1, 3, 1, 2, 5, 1, 4)
    found = forecast_site(history(days(*week, *week, *week)), HORIZON, 0.95)
    assert (found.season, found.mean_error_kw) == ("a week", 0.0)
    assert found.outlook.base_kw == pytest.approx(CURVE)


def test_the_reserve_is_learnt_from_load_and_generation_together() -> None:
    """Both rise by 2 kW from day to day: the grid does not see it."""
    rising_kw = np.repeat(np.arange(5.0) * 2, DAY)
    found = forecast_site(History(20 + rising_kw, rising_kw), HORIZON, 1.0)
    assert not found.outlook.reserve_kw.any()
    assert found.outlook.generation_kw == pytest.approx(np.full(DAY, 8.0))
    alone = forecast_site(history(20 + rising_kw), HORIZON, 1.0)
    assert alone.outlook.reserve_kw == pytest.approx(np.full(DAY, 2.0))


def test_the_reserve_widens_where_the_forecast_has_to_look_further_back() -> None:
    rising_kw = np.repeat(np.arange(6.0) * 2, DAY)
    found = forecast_site(history(rising_kw), Horizon(steps=2 * DAY, step_s=3600), 1.0)
    assert found.outlook.reserve_kw == pytest.approx(np.repeat([2.0, 4.0], DAY))


def test_without_a_quantile_there_is_no_reserve_and_one_day_is_enough() -> None:
    found = forecast_site(history(days(1)), HORIZON, None)
    assert not found.outlook.reserve_kw.any()
    assert found.past_forecasts == 0


def test_a_reserve_cannot_be_learnt_from_one_day() -> None:
    with pytest.raises(ConfigurationError, match="too short to learn a reserve from"):
        forecast_site(history(days(1)), HORIZON, 0.95)


@pytest.mark.parametrize("hours", [0, 1, 23])
def test_a_history_that_does_not_know_every_hour_is_refused(hours: int) -> None:
    with pytest.raises(ConfigurationError, match="does not know every hour"):
        forecast_site(history(CURVE[:hours]), HORIZON, None)
