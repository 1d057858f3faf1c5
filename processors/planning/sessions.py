"""Vehicles at chargers: energy until departure, any power or pilots, shortfall.

The constraints are those of adaptive charging: Lee et al., "Adaptive Charging Networks: A Framework
for Smart Electric Vehicle Charging" (2021), DOI 10.1109/TSG.2021.3074437.
"""

import math

import cvxpy as cp
import numpy as np

from processors.planning.arrays import Floats, within
from processors.planning.expressions import blank, scale, times, value_of, weigh
from schemas.planning_case import PlanningCase, Session


class Sessions:
    """Charging sessions. See ``Family`` for the attributes.

    ``power_kw``, shape (n, steps) [kW]; ``short_kwh`` and ``surplus_kwh``, shape (n,), are what is
    delivered too little and too much [kWh].
    """

    def __init__(self, shape: PlanningCase) -> None:
        devices, self._horizon = shape.sessions, shape.horizon
        size = (len(devices), shape.horizon.steps)
        self._most_kw, self._energy_kwh = blank(*size), blank(len(devices))
        self._surplus_kwh, self._prices = blank(len(devices)), blank(len(devices))
        self.charge_kw = cp.Variable(size, bounds=[0, self._most_kw])
        self.short_kwh = cp.Variable(len(devices), nonneg=True)
        self.surplus_kwh = cp.Variable(len(devices), bounds=[0, self._surplus_kwh])
        self.power_kw: cp.Expression = self.charge_kw
        self.constraints = self._deliver()
        for row, each in enumerate(devices):
            if each.pilots_kw:
                self.constraints += self._offer_pilots(row, each)
        if limited := [row for row, each in enumerate(devices) if each.min_kw > 0]:
            self.constraints += self._keep_minimum(devices, limited)
        self.costs = {"shortfall": weigh(self._prices, self.short_kwh)}
        forbidden = [(each.priority, each.shortfall_price_per_kwh is None) for each in devices]
        self.unserved_kwh = {
            rank: weigh(
                np.array([float(each == (rank, True)) for each in forbidden]), self.short_kwh
            )
            for rank in sorted({priority for priority, must in forbidden if must})
        }

    def _deliver(self) -> list[cp.Constraint]:
        """``h sum(p_t) + short = energy + surplus`` [kWh].

        Surplus is 0 where any power can be chosen. Pilots, or powers above a minimum, do not always
        add up to the energy: then up to one step at the lowest of them is planned too much, and
        the vehicle ends a little earlier.
        """
        delivered = scale(self._horizon.step_h, self.charge_kw.sum(axis=1))
        return [delivered + self.short_kwh == self._energy_kwh + self.surplus_kwh]

    def _offer_pilots(self, row: int, session: Session) -> list[cp.Constraint]:
        """``p_t = sum(pilot_k z_(k,t))`` [kW] and ``sum(z_(k,t)) <= 1``, ``z`` 0 or 1."""
        pilots_kw = np.array(session.pilots_kw)
        chosen = cp.Variable((len(pilots_kw), self._horizon.steps), boolean=True)
        return [self.charge_kw[row] == weigh(pilots_kw, chosen), chosen.sum(axis=0) <= 1]

    def _keep_minimum(
        self, devices: tuple[Session, ...], limited: list[int]
    ) -> list[cp.Constraint]:
        """``min_kw on_t <= p_t <= max_kw on_t`` [kW], ``on`` 0 or 1."""
        on = cp.Variable((len(limited), self._horizon.steps), boolean=True)
        least = np.array([[devices[row].min_kw] for row in limited])
        power_kw = self.charge_kw[limited, :]
        return [power_kw >= times(least, on), power_kw <= times(self._most_kw[limited, :], on)]

    def fill(self, case: PlanningCase) -> None:
        """Take times, energies and limits of a case."""
        devices, horizon = case.sessions, case.horizon
        spans = ((each.arrival_step, each.departure_step) for each in devices)
        limits = np.array([[each.max_kw] for each in devices])
        self._most_kw.value = limits * within(spans, horizon.steps)
        self._energy_kwh.value = np.array([each.energy_kwh for each in devices])
        self._surplus_kwh.value = np.array([surplus_kwh(each, horizon.step_h) for each in devices])
        self._prices.value = np.array([each.shortfall_price_per_kwh or 0.0 for each in devices])

    def most_kw(self) -> tuple[Floats, Floats]:
        """Most that the chargers draw and give at each step, (steps,) [kW]."""
        most = value_of(self._most_kw).sum(axis=0)
        return most, np.zeros_like(most)


def surplus_kwh(session: Session, step_h: float) -> float:
    """Most that may be planned beyond its energy [kWh]; see ``Sessions``."""
    if session.pilots_kw:
        return step_h * min(session.pilots_kw)
    if session.min_kw == 0:
        return 0.0
    steps = math.ceil(session.energy_kwh / (step_h * session.max_kw) - 1e-9)
    return max(0.0, steps * step_h * session.min_kw - session.energy_kwh)
