"""What dispatch wants, most important first: a level is never traded for one below it.

1. *Capacity*: least energy above the site's capacity.
2. *Broken dwell*: fewest kW shed against their dwell time, most important class first. As it
   comes second, a dwell time is broken for the capacity alone, and no further than it needs.
3. *Threshold*: least energy above the threshold.
4. *Unserved*: fewest kW shed, one level per priority class, most important class first.
5. *Switches*: fewest outputs that change.

Levels 1 and 3 are in kW x steps and stand alone. The others are sums of whole numbers, so
neighbours join exactly: an upper level is multiplied by one more than the lower one can reach,
and one unit of it outweighs all of the lower. A joined level stays within
:data:`LARGEST_LEVEL`; what does not fit becomes a stage of its own, so no site is refused.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from math import ceil, gcd
from typing import Final

import numpy as np

from processors.dispatching.case import Case
from processors.dispatching.lookahead import Floats
from schemas.site_model import Relay

LARGEST_LEVEL: Final = 1_000_000
"""Greatest value of a joined level.

The solver takes 1e-9 for a whole number, so a level is off by 0.001 at most, where two plans
differ by 1 or not at all.
"""

CLASS_UNITS: Final = 10_000
"""Into how many units the load of a class is divided at most.

Ratings are not known to a ten-thousandth, and telling sums of loads apart to the watt costs
seconds at a hundred outputs.
"""


@dataclass(frozen=True, slots=True)
class Level:
    """``sum(shed_i for every output i that is off) + switch x (number of outputs that change)``."""

    shed: tuple[int, ...]
    switch: int = 0

    @property
    def largest(self) -> int:
        """What it can reach."""
        return sum(self.shed) + self.switch * len(self.shed)

    def over(self, lower: "Level") -> "Level":
        """This level joined with ``lower`` so that one unit of this outweighs all of that."""
        factor = lower.largest + 1
        pairs = zip(self.shed, lower.shed, strict=True)
        shed = tuple(factor * upper + below for upper, below in pairs)
        return Level(shed, factor * self.switch + lower.switch)


@dataclass(frozen=True, slots=True)
class Levels:
    """The whole-numbered levels of a site: those of broken dwell, then those of service."""

    broken_dwell: tuple[Level, ...]
    service: tuple[Level, ...]

    @classmethod
    def of(cls, relays: tuple[Relay, ...]) -> "Levels":
        """The levels of a site with these relays, in this order."""
        classes = unserved_levels(relays)
        switches = Level((0,) * len(relays), switch=1)
        return cls(join_levels(classes), join_levels([*classes, switches]))

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.broken_dwell) + len(self.service)

    def coefficients(self, case: Case) -> tuple[Floats, Floats]:
        """Weights, shape (count, n), and offsets, shape (count,): ``level = offsets + weights x``.

        Broken dwell counts held outputs only.
        """
        broken = [np.where(case.held, level.shed, 0) for level in self.broken_dwell]
        unserved = [np.asarray(level.shed) for level in self.service]
        switch = np.array([0] * len(broken) + [level.switch for level in self.service])
        shed = np.array([*broken, *unserved], dtype=np.float64)
        weights = np.outer(switch, np.where(case.was_on, -1.0, 1.0)) - shed
        return weights, shed.sum(axis=1) + switch * np.count_nonzero(case.was_on)


def unserved_levels(relays: tuple[Relay, ...]) -> list[Level]:
    """One level per priority class, most important first: its shed load in whole units.

    The unit is the greatest that divides every load of the class, in whole W; where the class
    has more than :data:`CLASS_UNITS` of them, that part of its total, and loads are rounded.
    """
    priorities = sorted({relay.priority for relay in relays if relay.sheddable})
    return [_unserved_level(relays, priority) for priority in priorities]


def join_levels(levels: Iterable[Level]) -> tuple[Level, ...]:
    """The levels, most important first, neighbours joined as long as they fit."""
    joined: list[Level] = []
    for level in levels:
        candidate = joined[-1].over(level) if joined else level
        if joined and candidate.largest <= LARGEST_LEVEL:
            joined[-1] = candidate
        else:
            joined.append(level)
    return tuple(joined)


def _unserved_level(relays: tuple[Relay, ...], priority: int) -> Level:
    """The level of one priority class; outputs outside it count 0."""
    members = [relay.sheddable and relay.priority == priority for relay in relays]
    loads_w = [max(1, round(1000 * relay.load_kw)) for relay in relays]
    of_class = [load_w for load_w, member in zip(loads_w, members, strict=True) if member]
    unit_w = max(reduce(gcd, of_class), ceil(sum(of_class) / CLASS_UNITS))
    return Level(
        tuple(
            max(1, round(load_w / unit_w)) if member else 0
            for load_w, member in zip(loads_w, members, strict=True)
        )
    )
