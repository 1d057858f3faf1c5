"""Loads that choose their time: on and off or modulated, with pauses or without."""

import math

import cvxpy as cp
import numpy as np

from processors.planning.arrays import Floats, within
from processors.planning.expressions import blank, previous, scale, times, value_of, weigh
from schemas.planning_case import Deferrable, Horizon, PlanningCase


class Deferrables:
    """Deferrable loads. See ``Family`` for the attributes.

    ``draw_kw``, shape (n, steps), is their power [kW], ``short_kwh``, shape (n,), the energy that
    they lack [kWh].
    """

    def __init__(self, shape: PlanningCase) -> None:
        devices, self._horizon = shape.deferrables, shape.horizon
        size = (len(devices), shape.horizon.steps)
        self._most_kw, self._demand_kwh = blank(*size), blank(len(devices))
        self.draw_kw = cp.Variable(size, bounds=[0, self._most_kw])
        self.short_kwh = cp.Variable(len(devices), nonneg=True)
        self.power_kw: cp.Expression = self.draw_kw
        self.constraints = self._deliver()
        switched = [at for at, each in enumerate(devices) if not each.modulated or each.min_kw > 0]
        if switched:
            self.constraints += self._be_on_or_off(devices, switched)
        self.costs: dict[str, cp.Expression] = {}
        ranks = np.array([each.priority for each in devices])
        self.unserved_kwh = {
            int(rank): weigh((ranks == rank).astype(float), self.short_kwh)
            for rank in np.unique(ranks)
        }

    def _deliver(self) -> list[cp.Constraint]:
        """``h sum(p_t) + short = demand`` [kWh]."""
        drawn = scale(self._horizon.step_h, self.draw_kw.sum(axis=1))
        return [drawn + self.short_kwh == self._demand_kwh]

    def _be_on_or_off(
        self, devices: tuple[Deferrable, ...], switched: list[int]
    ) -> list[cp.Constraint]:
        """``least on_t <= p_t <= power_kw on_t`` [kW], ``on`` 0 or 1.

        ``least`` is ``min_kw`` of a modulated load, and of any other ``power_kw``.
        """
        on = cp.Variable((len(switched), self._horizon.steps), boolean=True)
        chosen = [devices[at] for at in switched]
        most = np.array([[each.power_kw] for each in chosen])
        least = np.array([[each.min_kw if each.modulated else each.power_kw] for each in chosen])
        draw_kw = self.draw_kw[switched, :]
        through = [at for at, each in enumerate(chosen) if not each.interruptible]
        pauses = self._run_through(on[through, :]) if through else []
        return [draw_kw >= times(least, on), draw_kw <= times(most, on), *pauses]

    def _run_through(self, on: cp.Expression) -> list[cp.Constraint]:
        """``on_t <= on_(t-1) + start_t`` with ``on_0 = 0``, and ``sum(start_t) <= 1``."""
        start = cp.Variable(on.shape, bounds=[0, 1])
        before = previous(cp.Constant(np.zeros((on.shape[0], 1))), on)
        return [on <= before + start, start.sum(axis=1) <= 1]

    def fill(self, case: PlanningCase) -> None:
        """Take windows of time and demands of a case."""
        horizon = case.horizon
        spans = (allowed_steps(each, horizon) for each in case.deferrables)
        most_kw = np.array([[each.power_kw] for each in case.deferrables])
        self._most_kw.value = most_kw * within(spans, horizon.steps)
        self._demand_kwh.value = np.array([planned_kwh(each, horizon) for each in case.deferrables])

    def most_kw(self) -> tuple[Floats, Floats]:
        """Most that the loads draw and give at each step, (steps,) [kW]."""
        most = value_of(self._most_kw).sum(axis=0)
        return most, np.zeros_like(most)


def allowed_steps(device: Deferrable, horizon: Horizon) -> tuple[int, int]:
    """First step in which it may run, and first in which it no longer may."""
    return device.earliest_step, horizon.steps if device.end_step is None else device.end_step


def planned_kwh(device: Deferrable, horizon: Horizon) -> float:
    """What is planned for it [kWh]: of a load without modulation, whole steps."""
    if device.modulated:
        return device.demand_kwh
    step_kwh = device.power_kw * horizon.step_h
    return step_kwh * math.ceil(device.demand_kwh / step_kwh - 1e-9)
