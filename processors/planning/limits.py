"""Limits that devices share: fuses, transformers, contracts."""

import cvxpy as cp
import numpy as np

from processors.planning.arrays import Floats, rows
from processors.planning.expressions import add, blank, scale, weigh
from schemas.planning_case import PlanningCase


class SharedLimits:
    """Shared limits, side by side.

    Attributes:
        inside_kw: net power through each limit up to it, shape (n, steps) [kW]; its reduced cost
            is the limit's dual price.
        above_kw, below_kw: excess of consumption and of generation, same shape [kW]; 0 wherever
            that is possible.
        constraints: as in ``Family``.
        excess_kwh: energy beyond the limits [kWh].

    Args:
        shape: the case without its data; it has a limit.
        powers_kw: power of every device, by family, each of shape (n, steps) [kW].
    """

    def __init__(self, shape: PlanningCase, powers_kw: dict[str, cp.Expression]) -> None:
        size = (len(shape.limits), shape.horizon.steps)
        self._lowest_kw, self._highest_kw = blank(*size), blank(*size)
        self.inside_kw = cp.Variable(size, bounds=[self._lowest_kw, self._highest_kw])
        self.above_kw, self.below_kw = (
            cp.Variable(size, nonneg=True),
            cp.Variable(size, nonneg=True),
        )
        self.through_kw = self.inside_kw + self.above_kw - self.below_kw
        self.constraints = self._share(shape, powers_kw)
        self.excess_kwh = scale(shape.horizon.step_h, (self.above_kw + self.below_kw).sum())

    def _share(
        self, shape: PlanningCase, powers_kw: dict[str, cp.Expression]
    ) -> list[cp.Constraint]:
        """``sum of the members' power = inside_t + above_t - below_t``, ``|inside_t| <= max_t``."""
        members = membership(shape)
        sums = [weigh(members[name], power_kw) for name, power_kw in powers_kw.items()]
        return [self.through_kw == add(sums[1:], sums[0])]

    def fill(self, case: PlanningCase) -> None:
        """Take the limits of a case."""
        most_kw = rows((limit.max_kw for limit in case.limits), case.horizon.steps)
        self._lowest_kw.value, self._highest_kw.value = -most_kw, most_kw


def membership(case: PlanningCase) -> dict[str, Floats]:
    """1 where a device is behind a limit, by family, shape (limits, devices of the family)."""
    behind = [case.members_of[limit.id] for limit in case.limits]
    return {
        name: np.array(
            [[each.id in ids for each in devices] for ids in behind], dtype=np.float64
        ).reshape(len(behind), len(devices))
        for name, devices in case.families.items()
        if devices
    }
