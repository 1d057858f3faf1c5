"""What loads behind relays draw once they are back: some make up for what they missed.

A thermostat finds its room or tank colder than it should be, and runs until it is not; a task that
waits is done later. Either way the energy is drawn, later, and more at once than before: the
rebound. A load that is simply cut never draws what it missed: it was not served.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from schemas.windows import WINDOW_MS

Powers = NDArray[np.float64]

HOURS_PER_WINDOW: Final = WINDOW_MS / 3_600_000
"""Length of a window [h]."""


class RespondingLoads:
    """The loads behind n relays from window to window; what they have missed is remembered.

    Args:
        catch_up_kw: how much more than its demand each can draw while it makes up for what it
            missed, shape (n,) [kW]; 0: what it misses is lost.
    """

    def __init__(self, catch_up_kw: Powers) -> None:
        self._catch_up_kw = catch_up_kw
        self._owed_kwh = np.zeros(len(catch_up_kw))
        self._lost_kwh = np.zeros(len(catch_up_kw))

    @property
    def owed_kwh(self) -> Powers:
        """What each missed and may still draw, shape (n,) [kWh]."""
        return self._owed_kwh.copy()

    @property
    def lost_kwh(self) -> Powers:
        """What each missed and will never draw, shape (n,) [kWh]."""
        return self._lost_kwh.copy()

    def draw(self, demand_kw: Powers, closed_shares: Powers) -> Powers:
        """Let a window pass, and return each load's mean power over it, shape (n,) [kW].

        Args:
            demand_kw: what each would draw had it never been off, shape (n,) [kW].
            closed_shares: share [0..1] of the window that each was on, shape (n,).
        """
        most_kw = self._catch_up_kw * closed_shares
        extra_kw = np.minimum(most_kw, self._owed_kwh / HOURS_PER_WINDOW)
        missed_kwh = demand_kw * (1 - closed_shares) * HOURS_PER_WINDOW
        catches_up = self._catch_up_kw > 0
        self._owed_kwh += np.where(catches_up, missed_kwh, 0.0) - extra_kw * HOURS_PER_WINDOW
        self._lost_kwh += np.where(catches_up, 0.0, missed_kwh)
        drawn_kw: Powers = demand_kw * closed_shares + extra_kw
        return drawn_kw
