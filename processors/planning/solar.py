"""Photovoltaic plants, curtailable or not."""

import cvxpy as cp
import numpy as np

from processors.planning.arrays import Floats, rows
from processors.planning.expressions import blank, scale, value_of, weigh
from schemas.planning_case import PlanningCase


class SolarPlants:
    """Photovoltaic plants. See ``Family`` for the attributes.

    ``curtailed_kw``, shape (n, steps), is what each could generate and does not [kW].
    """

    def __init__(self, shape: PlanningCase) -> None:
        size = (len(shape.solar), shape.horizon.steps)
        self._available_kw, self._may_curtail_kw = blank(*size), blank(*size)
        self.curtailed_kw = cp.Variable(size, bounds=[0, self._may_curtail_kw])
        self.power_kw: cp.Expression = self._generate()
        self.constraints: list[cp.Constraint] = []
        prices = np.array([plant.curtailment_price_per_kwh for plant in shape.solar])
        self.costs = {
            "curtailment": scale(shape.horizon.step_h, weigh(prices, self.curtailed_kw).sum()),
        }
        self.unserved_kwh: dict[int, cp.Expression] = {}

    def _generate(self) -> cp.Expression:
        """``power_t = curtailed_t - available_t`` with ``0 <= curtailed_t <= available_t`` [kW].

        A plant that cannot be curtailed has ``curtailed_t = 0``.
        """
        power_kw: cp.Expression = self.curtailed_kw - self._available_kw
        return power_kw

    def fill(self, case: PlanningCase) -> None:
        """Take the forecasts of a case."""
        available_kw = rows((plant.available_kw for plant in case.solar), case.horizon.steps)
        may = np.array([[plant.curtailable] for plant in case.solar])
        self._available_kw.value = available_kw
        self._may_curtail_kw.value = np.where(may, available_kw, 0.0)

    def most_kw(self) -> tuple[Floats, Floats]:
        """Most that the plants draw and give at each step, (steps,) [kW]."""
        available_kw = value_of(self._available_kw)
        return np.zeros(available_kw.shape[1]), available_kw.sum(axis=0)
