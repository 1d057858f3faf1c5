"""The planner: a case in, a plan out."""

from typing import Final

import numpy as np

from processors.planning.arrays import vector
from processors.planning.batteries import Batteries
from processors.planning.checking import check_case
from processors.planning.expressions import value_of
from processors.planning.outcome import tell_result
from processors.planning.problem import CompiledPlan, Exclusive
from processors.planning.shape import shape_of
from schemas.planning_case import PlanningCase
from schemas.planning_result import PlanningResult

BOTH_WAYS_KW: Final = 1e-6
"""Power both ways at once above this counts [kW]."""


class Planner:
    """Plans for cases; a case of the same shape as the one before is not compiled again.

    There is no clock in it. The plan is a function of the case alone, unless the planner is hot.

    Args:
        hot: whether a plan without integers is searched for from the plan before. That is many
            times faster where little has changed; but of several plans that are equally cheap, it
            then hangs on the cases before which one is found.
    """

    def __init__(self, *, hot: bool = False) -> None:
        self._hot = hot
        self._shape: PlanningCase | None = None
        self._exclusive = Exclusive()
        self._compiled: dict[Exclusive, CompiledPlan] = {}

    def plan(self, case: PlanningCase, *, reasons: bool = True) -> PlanningResult:
        """The cheapest plan that keeps every constraint; or a best effort, with what cannot hold.

        Args:
            case: what the site holds and expects.
            reasons: whether the schedules say why; without, a large plan is told much sooner.

        Raises:
            ConfigurationError: the case makes no sense; ``problems`` names every wrong field.
            PlanningError: the solver has no answer.
        """
        check_case(case)
        if (shape := shape_of(case)) != self._shape:
            self._shape, self._compiled = shape, {}
        exclusive = Exclusive()
        while True:
            compiled = self._compile(shape, exclusive)
            found = compiled.solve(case)
            needed = exclusive | _both_ways(case, compiled)
            if needed == exclusive:
                return tell_result(case, compiled, found, reasons=reasons)
            exclusive = needed

    def _compile(self, shape: PlanningCase, exclusive: Exclusive) -> CompiledPlan:
        if exclusive not in self._compiled:
            self._compiled[exclusive] = CompiledPlan(shape, exclusive, hot=self._hot)
        return self._compiled[exclusive]


def _both_ways(case: PlanningCase, compiled: CompiledPlan) -> Exclusive:
    """What runs both ways at once to gain by it; where nothing is gained, the net is taken."""
    batteries = compiled.families.get("batteries")
    names = frozenset[str]()
    if isinstance(batteries, Batteries):
        names = _burning(case, batteries)
    return Exclusive(names, _grid_both_ways(case, compiled))


def _burning(case: PlanningCase, batteries: Batteries) -> frozenset[str]:
    """Batteries that charge and discharge at once; without losses that is the same as the net."""
    charge, discharge = value_of(batteries.charge_kw), value_of(batteries.discharge_kw)
    both = np.minimum(charge, discharge)
    lossless = np.array([each.efficiencies == (1.0, 1.0) for each in case.batteries])
    net = np.where(lossless[:, None], both, 0.0)
    batteries.charge_kw.save_value(charge - net)
    batteries.discharge_kw.save_value(discharge - net)
    burning = np.flatnonzero((both - net).max(axis=1) > BOTH_WAYS_KW)
    return frozenset(case.batteries[row].id for row in burning)


def _grid_both_ways(case: PlanningCase, compiled: CompiledPlan) -> bool:
    """Whether import and export at once earn something; elsewhere it is the same as the net."""
    grid, steps = compiled.grid, case.horizon.steps
    bought, sold = value_of(grid.import_kw), value_of(grid.export_kw)
    both = np.minimum(bought, sold)
    buy = vector(case.grid.import_price_per_kwh, steps)
    earns = vector(case.grid.export_price_per_kwh, steps) > buy
    net = np.where(earns, 0.0, both)
    grid.import_kw.save_value(bought - net)
    grid.export_kw.save_value(sold - net)
    return bool((both - net > BOTH_WAYS_KW).any())
