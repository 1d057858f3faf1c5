"""Generators: output, start and stop, least times in a state.

The commitment is the formulation with start and stop variables and the minimum up and down times
of Rajan and Takriti, "Minimum up/down polytopes of the unit commitment problem with start-up
costs", IBM Research Report RC23628 (2005).
"""

import math

import cvxpy as cp
import numpy as np

from processors.planning.arrays import Floats
from processors.planning.expressions import blank, previous, scale, times, weigh
from schemas.planning_case import Generator, Horizon, PlanningCase


class Generators:
    """Generators. See ``Family`` for the attributes.

    ``output_kw``, shape (n, steps), is what each generates [kW]. Only those for which on and off
    make a difference have the integers ``on``, shape (committed, steps), and with them ``start``
    and ``stop``.
    """

    def __init__(self, shape: PlanningCase) -> None:
        devices, horizon = shape.generators, shape.horizon
        self._most_kw = np.array([each.max_kw for each in devices])
        size = (len(devices), horizon.steps)
        self.output_kw = cp.Variable(
            size, bounds=[0, np.repeat(self._most_kw[:, None], horizon.steps, axis=1)]
        )
        self.power_kw: cp.Expression = -self.output_kw
        self._horizon = horizon
        self._committed = [at for at, each in enumerate(devices) if each.is_committed]
        prices = np.array([each.price_per_kwh for each in devices])
        self.costs = {"generation": scale(horizon.step_h, weigh(prices, self.output_kw).sum())}
        self.constraints: list[cp.Constraint] = []
        self.unserved_kwh: dict[int, cp.Expression] = {}
        if self._committed:
            self._commit([devices[at] for at in self._committed])

    def _commit(self, devices: list[Generator]) -> None:
        """Add what depends on being on."""
        size = (len(devices), self._horizon.steps)
        self._lowest, self._highest = blank(*size), blank(*size)
        self._was_on = blank(len(devices), 1)
        self.on = cp.Variable(size, boolean=True)
        self.start, self.stop = cp.Variable(size, bounds=[0, 1]), cp.Variable(size, bounds=[0, 1])
        starts = weigh(np.array([each.start_cost for each in devices]), self.start)
        stops = weigh(np.array([each.stop_cost for each in devices]), self.stop)
        self.costs["starts_and_stops"] = starts.sum() + stops.sum()
        self.constraints += [
            *self._keep_state(),
            *self._keep_output(devices),
            *self._switch(),
            *self._stay(devices),
        ]

    def _keep_state(self) -> list[cp.Constraint]:
        """``lowest_t <= on_t <= highest_t``: what began before the first step is held.

        Rows, as CVXPY passes over bounds of a boolean variable.
        """
        return [self.on >= self._lowest, self.on <= self._highest]

    def _keep_output(self, devices: list[Generator]) -> list[cp.Constraint]:
        """``min_kw on_t <= output_t <= max_kw on_t`` [kW]."""
        least = np.array([[each.min_kw] for each in devices])
        most = np.array([[each.max_kw] for each in devices])
        output_kw, on = self.output_kw[self._committed, :], self.on
        return [output_kw >= times(least, on), output_kw <= times(most, on)]

    def _switch(self) -> list[cp.Constraint]:
        """``on_t - on_(t-1) = start_t - stop_t`` and ``start_t + stop_t <= 1``; on_0 is given."""
        before = previous(self._was_on, self.on)
        return [self.on - before == self.start - self.stop, self.start + self.stop <= 1]

    def _stay(self, devices: list[Generator]) -> list[cp.Constraint]:
        """``sum of start over the last min_up steps <= on_t``.

        Of stop over the last min_down steps: ``... + on_t <= 1``. ``_keep_state`` has what began
        before the first step.
        """
        constraints: list[cp.Constraint] = []
        steps = self._horizon.steps
        for row, each in enumerate(devices):
            up, down = (_steps_of(h, self._horizon) for h in (each.min_up_h, each.min_down_h))
            if up > 1:
                constraints.append(weigh(_recent(steps, up), self.start[row]) <= self.on[row])
            if down > 1:
                constraints.append(weigh(_recent(steps, down), self.stop[row]) + self.on[row] <= 1)
        return constraints

    def fill(self, case: PlanningCase) -> None:
        """Take the states of a case."""
        if not self._committed:
            return
        devices = [case.generators[at] for at in self._committed]
        at = np.arange(case.horizon.steps)
        held = np.array([at < _held_steps(each, case.horizon) for each in devices])
        was_on = np.array([[float(each.was_on)] for each in devices])
        self._was_on.value = was_on
        self._lowest.value = np.where(held, was_on, 0.0)
        self._highest.value = np.where(held, was_on, 1.0)

    def most_kw(self) -> tuple[Floats, Floats]:
        """Most that the generators draw and give at each step, (steps,) [kW]."""
        steps = self._horizon.steps
        return np.zeros(steps), np.full(steps, self._most_kw.sum())


def _steps_of(hours: float, horizon: Horizon) -> int:
    """Whole steps that last at least so long; what rounding left is not counted."""
    return math.ceil(hours / horizon.step_h - 1e-9)


def _held_steps(device: Generator, horizon: Horizon) -> int:
    """Steps at the beginning in which its state from before may not change yet."""
    if device.in_state_h is None:
        return 0
    least_h = device.min_up_h if device.was_on else device.min_down_h
    return max(0, _steps_of(least_h - device.in_state_h, horizon))


def _recent(steps: int, length: int) -> Floats:
    """Sums over the last ``length`` steps, the present one included, shape (steps, steps)."""
    return np.tri(steps) - np.tri(steps, k=-length)
