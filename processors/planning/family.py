"""What every family of devices brings to the problem.

In the docstrings of the constraints, ``t`` counts the steps, ``h`` is the length of a step [h],
and the index of the device is left out.
"""

from typing import Final, Protocol

import cvxpy as cp

from processors.planning.arrays import Floats
from schemas.planning_case import PlanningCase

SAFETY: Final = 0
"""Rank of energy above limits: it is kept small first. Unserved energy has its priority, 1 to 9."""

FINAL_CHARGE: Final = 10
"""Rank of energy that batteries lack at the end of the horizon."""


class Family(Protocol):
    """All devices of one kind, side by side.

    Attributes:
        power_kw: of each device at each step, shape (n, steps) [kW]; consumption positive.
        constraints: what it has to keep.
        costs: parts of the cost [currency], by field of ``schemas.planning_result.Costs``.
        unserved_kwh: energy that is not delivered as asked, by rank, a sum each [kWh].
    """

    power_kw: cp.Expression
    constraints: list[cp.Constraint]
    costs: dict[str, cp.Expression]
    unserved_kwh: dict[int, cp.Expression]

    def fill(self, case: PlanningCase) -> None:
        """Take the data of a case with the same shape."""

    def most_kw(self) -> tuple[Floats, Floats]:
        """Most that all of it may draw and give at each step, two vectors, (steps,) [kW]."""
