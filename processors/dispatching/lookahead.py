"""What the site will draw without its relays: persistence, and a trend where one is plain."""

from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import linear_regression, median
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.dispatching.memory import OutputView
from schemas.windows import WINDOW_MS

Floats = NDArray[np.float64]

HISTORY: Final = 6
"""Windows of base load that are remembered: half a minute (ours)."""

LEAST_FOR_TREND: Final = 4
"""Windows from which on a trend can be told from a step (ours)."""

LOOP_STEPS: Final = 1
"""Windows that pass until a command shows: closing, deciding, switching (ours)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Base load of the coming windows.

    Attributes:
        base_kw: base load at each step, shape (steps,) [kW].
        recent_peak_kw: greatest base load remembered [kW]; a load comes back only if it fits
            under that, too, so that a short dip brings nothing back.
    """

    base_kw: Floats
    recent_peak_kw: float

    @property
    def peak_kw(self) -> float:
        """Greatest base load ahead [kW]."""
        return float(self.base_kw.max())


def horizon_steps(lookahead_s: float) -> int:
    """Windows to look ahead: the look-ahead time [s] and the loop's own delay."""
    return ceil(1000 * lookahead_s / WINDOW_MS) + LOOP_STEPS


def estimate_base(
    net_kw: float, views: tuple[OutputView, ...], history_kw: tuple[float, ...]
) -> float:
    """Base load of the window [kW]: net load less what the relay loads draw.

    While an output switches, the window's mean holds an unknown part of its load. The base then
    lies between two bounds, and of what they admit the value nearest to the last one is taken:
    neither a switch nor its delay may look like a change of the base, or it would cause the
    next switch.
    """
    highest_kw = net_kw - sum(0.0 if view.mixed_kw else view.draw_kw for view in views)
    lowest_kw = highest_kw - sum(view.mixed_kw for view in views)
    nearest_kw = max(lowest_kw, history_kw[-1]) if history_kw else highest_kw
    return round(min(nearest_kw, highest_kw), 6)


def forecast_base(history_kw: tuple[float, ...], steps: int) -> Forecast:
    """Base load of the next ``steps`` windows; ``history_kw`` ends with the present one [kW]."""
    ahead = np.arange(1, steps + 1, dtype=np.float64)
    return Forecast(
        base_kw=history_kw[-1] + rising_trend(history_kw) * ahead,
        recent_peak_kw=max(history_kw),
    )


def rising_trend(history_kw: tuple[float, ...]) -> float:
    """How fast the base rises [kW per window]; 0 where it falls, or nothing can be said.

    The smaller of two estimates. The least-squares slope averages noise out, but takes a step
    for a ramp; the median of the increments ignores a step, but is noisy. A fall is never
    extrapolated: it could hide a peak.
    """
    if len(history_kw) < LEAST_FOR_TREND:
        return 0.0
    slope = linear_regression(range(len(history_kw)), history_kw).slope
    increment = median(later - earlier for earlier, later in pairwise(history_kw))
    return max(0.0, min(slope, increment))
