"""Recorded meter powers, played faster than they were recorded."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Powers = NDArray[np.float64]

COMPRESSION: Final = 15.0
"""Recorded time that passes per pipeline time [1]: 15-minute values follow each other by 60 s."""


@dataclass(frozen=True, slots=True)
class BaseLoad:
    """Powers of some meters at equal steps of recorded time; the last is followed by the first.

    Attributes:
        meters: ids.
        power_kw: shape (steps, meters), generation negative [kW].
        start_ms: recorded time of the first value [ms since the epoch, UTC].
        step_s: recorded time between values [s].
    """

    meters: tuple[str, ...]
    power_kw: Powers
    start_ms: int
    step_s: int = 900


class Playback:
    """Plays a base load on pipeline time, linearly interpolated between its values.

    Args:
        base: what is played.
        origin_ms: pipeline time at which its first value plays [ms since the epoch].
        compression: recorded time that passes per pipeline time [1].
    """

    def __init__(self, base: BaseLoad, origin_ms: int, compression: float = COMPRESSION) -> None:
        self._base = base
        self._origin_ms = origin_ms
        self._compression = compression
        powers = base.power_kw
        area = (powers + np.roll(powers, -1, axis=0)) / 2
        self._integral = np.vstack([np.zeros(powers.shape[1]), np.cumsum(area, axis=0)])

    def recorded_ms(self, time_ms: int) -> int:
        """Return the recorded time [ms since the epoch] that plays at ``time_ms``.

        It runs on where the values begin anew.
        """
        return self._base.start_ms + round(self._compression * (time_ms - self._origin_ms))

    def mean_kw(self, start_ms: int, end_ms: int) -> Powers:
        """Return each meter's mean over ``[start_ms, end_ms)``, shape (meters,) [kW].

        Exact for the interpolation, also where a value lies within the interval.
        """
        start, end = self._steps(start_ms), self._steps(end_ms)
        mean: Powers = (self._integral_to(end) - self._integral_to(start)) / (end - start)
        return mean

    def _steps(self, time_ms: int) -> float:
        """How many steps of the recording have passed at ``time_ms``; may be negative."""
        return self._compression * (time_ms - self._origin_ms) / (1000 * self._base.step_s)

    def _integral_to(self, steps: float) -> Powers:
        """Integral of the interpolation from its beginning, shape (meters,) [kW x step]."""
        powers = self._base.power_kw
        rounds, within = divmod(steps, len(powers))
        k = int(within)
        part = within - k
        slope = powers[(k + 1) % len(powers)] - powers[k]
        rest = part * powers[k] + part**2 / 2 * slope
        integral: Powers = rounds * self._integral[-1] + self._integral[k] + rest
        return integral
