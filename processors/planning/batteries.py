"""Batteries: power, stored energy, losses, wear.

The model has separate variables for charging and discharging. Without integers it may do both at
once, which burns energy; that pays only where energy has a negative price (Garifi et al., "Convex
Relaxation of Grid-Connected Energy Storage System Models With Complementarity Constraints in DC
OPF", DOI 10.1109/TSG.2020.2987785). So integers are added only to batteries for which a solution
without them did that (``Planner``).
"""

from collections.abc import Iterable

import cvxpy as cp
import numpy as np

from processors.planning.arrays import Floats
from processors.planning.expressions import blank, previous, scale, times, weigh
from processors.planning.family import FINAL_CHARGE
from schemas.planning_case import Battery, PlanningCase


class Batteries:
    """Batteries. See ``Family`` for the attributes.

    ``charge_kw`` and ``discharge_kw``, shape (n, steps), are the power into and out of each [kW],
    ``energy_kwh``, same shape, is what it holds after each step [kWh], ``lacking_kwh``, shape
    (n,), what it lacks at the end [kWh].

    Args:
        shape: the case without its data.
        exclusive: batteries that get integers against charging and discharging at once.
    """

    def __init__(self, shape: PlanningCase, exclusive: frozenset[str]) -> None:
        devices, steps = shape.batteries, shape.horizon.steps
        size = (len(devices), steps)
        self._devices, self._step_h = devices, shape.horizon.step_h
        self._start_kwh, self._final_kwh = blank(len(devices), 1), blank(len(devices))
        capacity_kwh = _column(each.capacity_kwh for each in devices)
        lowest = capacity_kwh * _column(each.min_soc for each in devices)
        highest = capacity_kwh * _column(each.max_soc for each in devices)
        self._max_charge_kw = _column(each.max_charge_kw for each in devices)
        self._max_discharge_kw = _column(each.max_discharge_kw for each in devices)
        self.charge_kw = cp.Variable(size, bounds=[0, _wide(self._max_charge_kw, steps)])
        self.discharge_kw = cp.Variable(size, bounds=[0, _wide(self._max_discharge_kw, steps)])
        self.energy_kwh = cp.Variable(size, bounds=[_wide(lowest, steps), _wide(highest, steps)])
        self.lacking_kwh = cp.Variable(len(devices), nonneg=True)
        self.power_kw: cp.Expression = self.charge_kw - self.discharge_kw
        self.constraints = [
            *self._store_energy(),
            *self._end_charged(),
            *self._exclude(exclusive),
        ]
        wear = np.array([each.wear_price_per_kwh for each in devices])
        self.costs = {"wear": scale(self._step_h, weigh(wear, self.discharge_kw).sum())}
        self.unserved_kwh = {FINAL_CHARGE: self.lacking_kwh.sum()}

    def _store_energy(self) -> list[cp.Constraint]:
        """``e_t = k e_(t-1) + h (a c_t - d_t / b)`` [kWh], ``k = (1 - self-discharge)^h``.

        ``e`` is the stored energy, ``c`` and ``d`` the power in and out, ``a`` and ``b`` the
        efficiencies; ``e_0`` is given.
        """
        kept = _column((1 - each.self_discharge_per_h) ** self._step_h for each in self._devices)
        into, out_of = (_column(each.efficiencies[way] for each in self._devices) for way in (0, 1))
        before = previous(self._start_kwh, self.energy_kwh)
        gained = times(self._step_h * into, self.charge_kw)
        lost = times(self._step_h / out_of, self.discharge_kw)
        return [self.energy_kwh == times(kept, before) + gained - lost]

    def _end_charged(self) -> list[cp.Constraint]:
        """``e_T + lacking >= final`` [kWh]; ``lacking`` is 0 wherever that is possible."""
        return [self.energy_kwh[:, -1] + self.lacking_kwh >= self._final_kwh]

    def _exclude(self, exclusive: frozenset[str]) -> list[cp.Constraint]:
        """``c_t <= c_max y_t`` and ``d_t + d_max y_t <= d_max`` [kW], ``y_t`` 0 or 1."""
        chosen = [at for at, each in enumerate(self._devices) if each.id in exclusive]
        if not chosen:
            return []
        steps = self.charge_kw.shape[1]
        charges = cp.Variable((len(chosen), steps), boolean=True)
        most_out = _wide(self._max_discharge_kw[chosen], steps)
        return [
            self.charge_kw[chosen, :] <= times(self._max_charge_kw[chosen], charges),
            self.discharge_kw[chosen, :] + times(most_out, charges) <= most_out,
        ]

    def fill(self, case: PlanningCase) -> None:
        """Take the states of charge of a case."""
        devices = case.batteries
        self._start_kwh.value = _column(each.capacity_kwh * each.soc for each in devices)
        self._final_kwh.value = np.array([_final_kwh(each) for each in devices])

    def most_kw(self) -> tuple[Floats, Floats]:
        """Most that the batteries draw and give at each step, (steps,) [kW]."""
        steps = self.charge_kw.shape[1]
        most = (self._max_charge_kw.sum(), self._max_discharge_kw.sum())
        return np.full(steps, most[0]), np.full(steps, most[1])


def _final_kwh(battery: Battery) -> float:
    """Least energy at the end [kWh]."""
    return battery.capacity_kwh * (battery.min_final_soc or 0.0)


def _column(values: Iterable[float]) -> Floats:
    """Values as a column, shape (n, 1)."""
    return np.array([*values], dtype=np.float64)[:, None]


def _wide(column: Floats, steps: int) -> Floats:
    """The same column at every step, shape (n, steps)."""
    return np.repeat(column, steps, axis=1)
