"""Loads that nobody controls."""

import cvxpy as cp

from processors.planning.arrays import Floats, rows
from processors.planning.expressions import blank, value_of
from schemas.planning_case import PlanningCase


class Loads:
    """Fixed loads: data, no decisions. See ``Family`` for the attributes."""

    def __init__(self, shape: PlanningCase) -> None:
        self._given_kw = blank(len(shape.loads), shape.horizon.steps)
        self.power_kw: cp.Expression = self._given_kw
        self.constraints: list[cp.Constraint] = []
        self.costs: dict[str, cp.Expression] = {}
        self.unserved_kwh: dict[int, cp.Expression] = {}

    def fill(self, case: PlanningCase) -> None:
        """Take the forecasts of a case."""
        self._given_kw.value = rows((load.power_kw for load in case.loads), case.horizon.steps)

    def most_kw(self) -> tuple[Floats, Floats]:
        """Most that the loads draw and give at each step, (steps,) [kW]."""
        given_kw = value_of(self._given_kw)
        return given_kw.clip(min=0).sum(axis=0), (-given_kw).clip(min=0).sum(axis=0)
