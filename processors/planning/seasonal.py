"""The plainest forecast that knows of day and night: what was, a day or a week ago.

Nothing is learnt. A season is a number of steps, so where clocks are changed, it is an hour off for
as long as a season lasts.
"""

from dataclasses import dataclass

import numpy as np

from processors.planning.arrays import Floats


def seasonal_naive(history: Floats, steps: int, season: int) -> Floats:
    """The latest known value at the same time of an earlier season.

    Args:
        history: values up to now, the latest last, NaN where they are unknown, shape (n,).
        steps: how many steps to forecast.
        season: length of a season [steps].

    Returns:
        A value for each step, NaN where no season has one, shape (steps,).
    """
    now, ahead = len(history), np.arange(steps)
    forecast = np.full(steps, np.nan)
    for ago in range(season, now + steps, season):
        place = now + ahead - ago
        open_ = np.isnan(forecast) & (place >= 0) & (place < now)
        forecast[open_] = history[place[open_]]
    return forecast


@dataclass(frozen=True, slots=True)
class Backtest:
    """Forecasts that could have been made, and what came of them, shapes (n, steps).

    Attributes:
        forecast: NaN where none could have been made.
        outcome: NaN where it is unknown.
    """

    forecast: Floats
    outcome: Floats

    @property
    def error(self) -> Floats:
        """How much more came than was forecast, shape (n, steps)."""
        return self.outcome - self.forecast

    @property
    def mean_absolute_error(self) -> float:
        """Of all that is known; NaN where nothing is."""
        known = np.abs(self.error[~np.isnan(self.error)])
        return float(known.mean()) if known.size else np.nan


def backtest(history: Floats, steps: int, season: int, every: int) -> Backtest:
    """What ``seasonal_naive`` would have said, each time with no more than was known then.

    Args:
        history: as of ``seasonal_naive``.
        steps: of each forecast.
        season: of each forecast [steps].
        every: a forecast is made every so many steps, as long as a season is behind it and all
            of its outcome is in the history.
    """
    origins = range(len(history) - steps, season - 1, -every)
    made = [seasonal_naive(history[:origin], steps, season) for origin in origins]
    came = [history[origin : origin + steps] for origin in origins]
    shape = (-1, steps)
    return Backtest(np.array(made).reshape(shape), np.array(came).reshape(shape))
