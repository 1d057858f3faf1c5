"""The static rule of document 001: what dispatch is compared with, not what it does.

Document 001 and its public code say: four relays of 30, 20, 10 and 10 kW, a threshold of 85 % of
the capacity, relay 1 never shed, relays 3 and 4 before relay 2, and as few switches as the peak
allows (requirements S1-4, S1-7, S1-8). A peak of exactly the threshold sheds nothing. A peak that
cannot be shed is an error there, on which the board takes no action (S1-6, S1-13).

It has no forecast that depends on the load (S1-D1), so the last measured load is the peak. It knows
neither dwell time nor hysteresis, and nothing that it sheds ever returns (S1-D7).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from schemas.site_model import Relay

TOLERANCE_KW: Final = 1e-6
"""A peak counts as the threshold up to this much above it [kW]."""


@dataclass(frozen=True, slots=True)
class StaticRule:
    """The rule for one site.

    Attributes:
        relays: its relays.
        threshold_kw: what the peak is held at [kW].
        returns: whether all that is off comes back once it fits under the threshold, at once and
            without a margin; not in the document.
    """

    relays: Sequence[Relay]
    threshold_kw: float
    returns: bool = False

    def decide(self, load_kw: float, on: Sequence[bool]) -> tuple[bool, ...]:
        """States for the next window, in the order of ``relays``.

        Args:
            load_kw: the site's net load in the window [kW].
            on: states at its end.
        """
        excess_kw = load_kw - self.threshold_kw
        if excess_kw <= TOLERANCE_KW:
            return self._returned(-excess_kw, on) if self.returns else tuple(on)
        return self._shed(excess_kw, on)

    def _shed(self, excess_kw: float, on: Sequence[bool]) -> tuple[bool, ...]:
        """The states with the fewest sheds of the least important classes; or as they are.

        Class by class, the most important first: as few as leave no more than those below it can
        take. The largest are shed first, and of equal ones the first.
        """
        states = list(on)
        free = [n for n, relay in enumerate(self.relays) if relay.sheddable and on[n]]
        for priority in sorted({self.relays[n].priority for n in free}):
            below_kw = sum(
                self.relays[n].load_kw for n in free if self.relays[n].priority > priority
            )
            members = [n for n in free if self.relays[n].priority == priority]
            for n in sorted(members, key=lambda n: -self.relays[n].load_kw):
                if excess_kw - below_kw <= TOLERANCE_KW:
                    break
                states[n] = False
                excess_kw -= self.relays[n].load_kw
        return tuple(states) if excess_kw <= TOLERANCE_KW else tuple(on)

    def _returned(self, room_kw: float, on: Sequence[bool]) -> tuple[bool, ...]:
        """The states with what fits switched back on, the most important first."""
        states = list(on)
        for n in sorted(range(len(on)), key=lambda n: self.relays[n].priority):
            if not on[n] and self.relays[n].load_kw <= room_kw + TOLERANCE_KW:
                states[n] = True
                room_kw -= self.relays[n].load_kw
        return tuple(states)
