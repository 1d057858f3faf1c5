"""A site's base load and generation in the hours to come, with the reserve that errors ask for."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from processors.planning.arrays import Floats
from processors.planning.margins import learn_margins
from processors.planning.seasonal import Backtest, backtest, seasonal_naive
from processors.planning.site_outlook import Outlook
from schemas.errors import ConfigurationError
from schemas.planning_case import Horizon

_DAY_S: Final = 86_400
SEASONS: Final = {"a day": _DAY_S, "a week": 7 * _DAY_S}
"""How long ago a forecast looks: names of seasons and their lengths [s]."""

_EVERY_S: Final = 3600
"""Spacing of the past forecasts that margins are learnt from [s] (ours)."""


@dataclass(frozen=True, slots=True)
class History:
    """What a site drew and generated, in steps as long as the horizon's, up to its beginning.

    Attributes:
        base_kw: load, NaN where it is unknown, shape (n,) [kW].
        generation_kw: generation, never negative, NaN where it is unknown, shape (n,) [kW].
    """

    base_kw: Floats
    generation_kw: Floats

    @property
    def net_kw(self) -> Floats:
        """Load less generation, NaN where either is unknown, shape (n,) [kW]."""
        return self.base_kw - self.generation_kw


@dataclass(frozen=True, slots=True)
class SiteForecast:
    """An outlook and where it comes from.

    Attributes:
        outlook: the forecast, with its reserve.
        season: how long ago it looks, in words.
        past_forecasts: how many past ones the reserve is learnt from.
        mean_error_kw: their mean absolute error in net load [kW]; NaN where there are none.
    """

    outlook: Outlook
    season: str
    past_forecasts: int
    mean_error_kw: float


def forecast_site(history: History, horizon: Horizon, quantile: float | None) -> SiteForecast:
    """A seasonal forecast of both, by the season that would have erred least in the past.

    The reserve is learnt from the errors of load and generation together, as it is their
    difference that the grid has to carry.

    Args:
        history: ends where the horizon begins.
        horizon: the steps.
        quantile: share of the past outcomes that the reserve would have covered; None: no reserve.

    Raises:
        ConfigurationError: the history knows nothing about some hours, or no past forecast
            can be compared with its outcome.
    """
    tests = {name: _backtest(history, horizon, seconds) for name, seconds in SEASONS.items()}
    season = _best(tests)
    tested, length = tests[season], _steps(SEASONS[season], horizon)
    outlook = Outlook(
        horizon=horizon,
        base_kw=_forecast(history.base_kw, horizon.steps, length),
        generation_kw=_forecast(history.generation_kw, horizon.steps, length),
        reserve_kw=_reserve(tested, horizon.steps, quantile),
    )
    return SiteForecast(outlook, season, len(tested.forecast), tested.mean_absolute_error)


def _forecast(series: Floats, steps: int, season: int) -> Floats:
    """The seasonal forecast of one series, shape (steps,).

    Raises:
        ConfigurationError: it has gaps.
    """
    forecast = seasonal_naive(series, steps, season)
    if np.isnan(forecast).any():
        message = "the history does not know every hour of a day"
        raise ConfigurationError(message, hint="give more days of it")
    return forecast


def _reserve(tested: Backtest, steps: int, quantile: float | None) -> Floats:
    """The margins at a quantile, shape (steps,) [kW].

    Raises:
        ConfigurationError: nothing is known of past errors.
    """
    if quantile is None:
        return np.zeros(steps)
    if np.isnan(tested.mean_absolute_error):
        message = "the history is too short to learn a reserve from"
        raise ConfigurationError(message, hint="give more days of it, or plan without a reserve")
    return learn_margins(tested.forecast, tested.outcome, quantile)


def _steps(seconds: int, horizon: Horizon) -> int:
    return round(seconds / horizon.step_s)


def _backtest(history: History, horizon: Horizon, season_s: int) -> Backtest:
    every = max(1, _steps(_EVERY_S, horizon))
    return backtest(history.net_kw, horizon.steps, _steps(season_s, horizon), every)


def _best(tests: dict[str, Backtest]) -> str:
    """The season that erred least, over as many of the latest forecasts as all of them have."""
    compared = max(1, min(len(test.forecast) for test in tests.values()))
    latest = {
        name: Backtest(test.forecast[:compared], test.outcome[:compared])
        for name, test in tests.items()
    }
    return min(latest, key=lambda name: np.nan_to_num(latest[name].mean_absolute_error, nan=np.inf))
