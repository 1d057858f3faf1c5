"""The connection to the grid: balance, limits, prices, the highest import.

Each limit is the bound of a column of its own (``within_...``), with the excess beside it. So the
reduced cost of that column is the limit's dual price, and nothing but bounds, costs and right-hand
sides changes from solve to solve.
"""

import cvxpy as cp
import numpy as np

from processors.planning.arrays import Floats, vector
from processors.planning.expressions import add, blank, scale, times, weigh
from schemas.planning_case import GridConnection, PlanningCase

_ROOM_KW = 1.0
"""How far above all that devices can do an unlimited connection is [kW]: it never binds."""


class Grid:
    """The connection to the grid.

    Attributes:
        demand_kw: sum of the fixed loads, (steps,) [kW]; its bounds fix it, and its reduced cost
            is what one more kW would cost.
        within_import_kw, within_export_kw: import and export up to their limits, (steps,) [kW].
        over_import_kw, over_export_kw: beyond them, (steps,) [kW]; 0 wherever that is possible.
        import_kw, export_kw: both parts together, (steps,) [kW].
        new_peak_kw: how far the highest import exceeds the one so far [kW].
        constraints, costs: as in ``Family``.
        excess_kwh: energy beyond the limits [kWh].

    Args:
        shape: the case without its data.
        exclusive: whether integers keep it from importing and exporting at once, which pays only
            where export earns more than import costs.
    """

    def __init__(self, shape: PlanningCase, *, exclusive: bool) -> None:
        steps, self._step_h = shape.horizon.steps, shape.horizon.step_h
        self._demand_kw, self._peak_so_far_kw = blank(steps), blank(1)
        self._max_import_kw, self._max_export_kw = blank(steps), blank(steps)
        self._most_kw = blank(steps), blank(steps)
        self._prices = blank(steps), blank(steps)
        self._demand_charge = blank(1)
        self.demand_kw = cp.Variable(steps, bounds=[self._demand_kw, self._demand_kw])
        self.within_import_kw = cp.Variable(steps, bounds=[0, self._max_import_kw])
        self.within_export_kw = cp.Variable(steps, bounds=[0, self._max_export_kw])
        self.over_import_kw = cp.Variable(steps, nonneg=True)
        self.over_export_kw = cp.Variable(steps, nonneg=True)
        self.new_peak_kw = cp.Variable(1, nonneg=True)
        self.import_kw, self.export_kw = cp.Variable(steps), cp.Variable(steps)
        charged = shape.grid.demand_charge_per_kw is not None
        self.constraints = [
            *self._limit(),
            *(self._bound_peak() if charged else []),
            *(self._exclude() if exclusive else []),
        ]
        buy, sell = self._prices
        self.costs: dict[str, cp.Expression] = {
            "energy_import": scale(self._step_h, weigh(buy, self.import_kw)),
            "energy_export": scale(-self._step_h, weigh(sell, self.export_kw)),
        }
        if charged:
            self.costs["demand"] = weigh(self._demand_charge, self.new_peak_kw)
        self.excess_kwh = scale(self._step_h, (self.over_import_kw + self.over_export_kw).sum())

    def _limit(self) -> list[cp.Constraint]:
        """``import_t = within_import_t + over_import_t``, ``within_import_t <= limit_t`` [kW].

        The same of export. Import and export are variables of their own, as CVXPY takes a price
        that is a parameter only for those without parameters in their bounds.
        """
        return [
            self.import_kw == self.within_import_kw + self.over_import_kw,
            self.export_kw == self.within_export_kw + self.over_export_kw,
        ]

    def balance(self, controlled_kw: list[cp.Expression]) -> list[cp.Constraint]:
        """``import_t - export_t = demand_t + sum of all other devices' power`` [kW]."""
        others = [power_kw.sum(axis=0) for power_kw in controlled_kw]
        return [self.import_kw - self.export_kw == add(others, self.demand_kw)]

    def _bound_peak(self) -> list[cp.Constraint]:
        """``import_t <= peak_so_far + new_peak`` [kW]."""
        return [self.import_kw <= self._peak_so_far_kw + self.new_peak_kw]

    def _exclude(self) -> list[cp.Constraint]:
        """``import_t <= most_t y_t`` and ``export_t + most_t y_t <= most_t`` [kW], ``y_t`` 0 or 1.

        ``most_t`` is all that the devices can draw, or give, together.
        """
        imports = cp.Variable(self.within_import_kw.shape, boolean=True)
        most_in, most_out = self._most_kw
        return [
            self.import_kw <= times(most_in, imports),
            self.export_kw + times(most_out, imports) <= most_out,
        ]

    def fill(self, case: PlanningCase, most_kw: tuple[Floats, Floats]) -> None:
        """Take forecasts, prices and limits of a case.

        Args:
            case: a case with the same shape.
            most_kw: all that the devices can draw, and give, at each step, (steps,) [kW].
        """
        grid, steps = case.grid, case.horizon.steps
        loads = [vector(load.power_kw, steps) for load in case.loads]
        self._demand_kw.value = np.sum([np.zeros(steps), *loads], axis=0)
        self._fill_limits(grid, most_kw)
        self._prices[0].value = vector(grid.import_price_per_kwh, steps)
        self._prices[1].value = vector(grid.export_price_per_kwh, steps)
        self._peak_so_far_kw.value = np.array([grid.peak_so_far_kw])
        self._demand_charge.value = np.array([grid.demand_charge_per_kw or 0.0])

    def _fill_limits(self, grid: GridConnection, most_kw: tuple[Floats, Floats]) -> None:
        bounds = (self._max_import_kw, self._max_export_kw)
        limits = (grid.max_import_kw, grid.max_export_kw)
        for most, bound, limit, able in zip(self._most_kw, bounds, limits, most_kw, strict=True):
            most.value = able + _ROOM_KW
            least = (
                most.value if limit is None else np.minimum(vector(limit, able.size), most.value)
            )
            bound.value = least
