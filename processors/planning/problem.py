"""The whole problem of one shape of case, compiled once and filled with data again and again."""

from dataclasses import dataclass

import cvxpy as cp
import numpy as np

from processors.linear_program import linear_program
from processors.planning.arrays import Floats
from processors.planning.batteries import Batteries
from processors.planning.deferrables import Deferrables
from processors.planning.expressions import add
from processors.planning.family import SAFETY, Family
from processors.planning.generators import Generators
from processors.planning.grid import Grid
from processors.planning.highs import Found, Search
from processors.planning.kept import KeptModel
from processors.planning.limits import SharedLimits
from processors.planning.loads import Loads
from processors.planning.sessions import Sessions
from processors.planning.solar import SolarPlants
from schemas.errors import PlanningError
from schemas.planning_case import PlanningCase


@dataclass(frozen=True, slots=True)
class Exclusive:
    """What needs integers so that it does not run both ways at once.

    Attributes:
        batteries: these batteries.
        grid: the connection to the grid.
    """

    batteries: frozenset[str] = frozenset()
    grid: bool = False

    def __or__(self, other: "Exclusive") -> "Exclusive":
        return Exclusive(self.batteries | other.batteries, self.grid or other.grid)


class CompiledPlan:
    """Variables, constraints and objective of one shape of case.

    Its parameters keep to disciplined parametrised programming, so that CVXPY compiles it once; and
    they stand in bounds, costs and right-hand sides only, but for a few rows with integers, so that
    a solver that keeps the problem can take new data without a new matrix.

    Attributes:
        families: the devices, by name of their field in the case; absent where there are none.
        grid, limits: what they share; ``limits`` is None where there are none.

    Args:
        shape: a case without its data (``shape_of``).
        exclusive: what gets integers against running both ways at once.
        hot: whether a solve goes on from the one before (``KeptModel``).
    """

    def __init__(self, shape: PlanningCase, exclusive: Exclusive, *, hot: bool = False) -> None:
        self.families = _families(shape, exclusive)
        self.grid = Grid(shape, exclusive=exclusive.grid)
        powers_kw = {name: family.power_kw for name, family in self.families.items()}
        self.limits = SharedLimits(shape, powers_kw) if shape.limits else None
        self._controlled_kw = [power for name, power in powers_kw.items() if name != "loads"]
        self._levels, level_constraints = self._define_levels()
        constraints = [
            *self.grid.balance(self._controlled_kw),
            *self.grid.constraints,
            *(each for family in self.families.values() for each in family.constraints),
            *(self.limits.constraints if self.limits else ()),
            *level_constraints,
        ]
        cost = add(self.costs().values(), cp.Constant(0.0))
        self._problem = cp.Problem(cp.Minimize(cost), constraints)
        self._model = KeptModel(hot=hot)
        self._columns: dict[int, int] = {}
        self._found: Found | None = None

    def costs(self) -> dict[str, cp.Expression]:
        """Parts of the cost [currency], by field of ``Costs``; none has a constant.

        A constant would be dropped by CVXPY, and a relative gap would be relative to the rest.
        """
        parts: dict[str, cp.Expression] = dict(self.grid.costs)
        for family in self.families.values():
            parts |= family.costs
        return parts

    def _define_levels(self) -> tuple[cp.Variable, list[cp.Constraint]]:
        """``level_k = sum of the energy of rank k`` [kWh]: above limits, unserved by priority."""
        excess = [self.limits.excess_kwh] if self.limits else []
        sums: dict[int, cp.Expression] = {SAFETY: add(excess, self.grid.excess_kwh)}
        for family in self.families.values():
            for rank, unserved in family.unserved_kwh.items():
                sums[rank] = sums[rank] + unserved if rank in sums else unserved
        levels = cp.Variable(len(sums), nonneg=True)
        ordered = [sums[rank] for rank in sorted(sums)]
        return levels, [levels[at] == each for at, each in enumerate(ordered)]

    def solve(self, case: PlanningCase) -> Found:
        """The best solution for a case of this shape; every variable has its value afterwards.

        Raises:
            PlanningError: the solver finds nothing, though every limit may be exceeded.
        """
        self._fill(case)
        data = self._problem.get_problem_data(cp.HIGHS)[0]
        self._columns = data["param_prob"].var_id_to_col
        first = self._columns[self._levels.id]
        levels = [first + at for at in range(self._levels.size)]
        found = Search(self._model, linear_program(data), levels).cheapest()
        if found is None:
            raise PlanningError("the solver finds no plan at all, not even one that breaks limits")
        for variable in self._problem.variables():
            variable.save_value(self._part(variable, found.values))
        self._found = found
        return found

    def price_of(self, variable: cp.Variable) -> Floats:
        """What one unit more of each part of a variable would cost, in its shape [currency]."""
        if self._found is None:
            raise PlanningError("there are prices only after a solution")
        return self._part(variable, self._found.prices)

    def _part(self, variable: cp.Variable, whole: Floats) -> Floats:
        first = self._columns[variable.id]
        return whole[first : first + variable.size].reshape(variable.shape, order="F")

    def _fill(self, case: PlanningCase) -> None:
        draws, gives = np.zeros(case.horizon.steps), np.zeros(case.horizon.steps)
        for family in self.families.values():
            family.fill(case)
            most_drawn, most_given = family.most_kw()
            draws, gives = draws + most_drawn, gives + most_given
        self.grid.fill(case, (draws, gives))
        if self.limits is not None:
            self.limits.fill(case)


def _families(shape: PlanningCase, exclusive: Exclusive) -> dict[str, Family]:
    """The families that the case has, in its order."""
    families: dict[str, Family] = {}
    if shape.loads:
        families["loads"] = Loads(shape)
    if shape.solar:
        families["solar"] = SolarPlants(shape)
    if shape.generators:
        families["generators"] = Generators(shape)
    if shape.batteries:
        families["batteries"] = Batteries(shape, exclusive.batteries)
    if shape.sessions:
        families["sessions"] = Sessions(shape)
    if shape.deferrables:
        families["deferrables"] = Deferrables(shape)
    return families
