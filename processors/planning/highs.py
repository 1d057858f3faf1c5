"""HiGHS, driven over a compiled problem: the cheapest plan, or else the least that cannot hold.

Nothing is measured against the clock: a limit on nodes ends a search that would be too long, at
the same place every time.
"""

from dataclasses import dataclass, replace
from typing import Final

import highspy
import numpy as np

from processors.linear_program import NONE, LinearProgram
from processors.planning.arrays import Floats
from processors.planning.kept import KeptModel

LEVEL_ROOM_KWH: Final = 1e-8
"""How much more than its least a level may have in the searches after it [kWh]."""

_FEASIBLE: Final = int(highspy.SolutionStatus.kSolutionStatusFeasible)


@dataclass(frozen=True, slots=True)
class Found:
    """A solution.

    Attributes:
        values: of every column.
        prices: reduced cost of every column, with the integers kept; 0 where that has no solution.
        proven: whether no other solution is better.
        gap: how much better another could be [currency]; 0 where proven, None where unknown.
    """

    values: Floats
    prices: Floats
    proven: bool
    gap: float | None


class Search:
    """Searches over one compiled problem.

    Args:
        model: HiGHS, with what it solved before.
        program: the problem with its present data.
        levels: columns that have to be 0, or else as small as can be, most important first.
    """

    def __init__(self, model: KeptModel, program: LinearProgram, levels: list[int]) -> None:
        self._model, self._highs = model, model.highs
        self._program, self._levels = program, levels
        self._costs, self._upper = program.costs, program.upper.copy()

    def cheapest(self) -> Found | None:
        """The cheapest solution with every level at 0; without one, with levels as low as can be.

        None where the solver finds nothing at all.
        """
        self._upper[self._levels] = 0.0
        found = self._minimise(self._costs)
        return found if found is not None else self._descend()

    def _descend(self) -> Found | None:
        """The cheapest solution after every level has been made as small as it can be, in order.

        Where a search finds nothing, the solution of the one before stands.
        """
        self._upper[self._levels] = highspy.kHighsInf
        best: Found | None = None
        for level in [*self._levels, None]:
            found = self._minimise(self._costs if level is None else self._only(level))
            if found is None:
                return best and replace(best, proven=False, gap=None)
            best = replace(found, proven=found.proven and (best is None or best.proven))
            if level is not None:
                self._upper[level] = found.values[level] + LEVEL_ROOM_KWH
        return best

    def _only(self, column: int) -> Floats:
        """Costs that count this column alone."""
        costs = np.zeros_like(self._costs)
        costs[column] = 1.0
        return costs

    def _minimise(self, costs: Floats) -> Found | None:
        """The best solution for these costs within the present bounds."""
        self._model.run(replace(self._program, costs=costs, upper=self._upper.copy()))
        info = self._highs.getInfo()
        if info.primal_solution_status != _FEASIBLE:
            return None
        proven = self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        gap = 0.0 if proven else abs(info.objective_function_value - info.mip_dual_bound)
        known = gap if np.isfinite(gap) else None
        solution = self._highs.getSolution()
        if self._program.integers.size:
            values = np.array(solution.col_value)
            self._keep_integers(costs, values)
            if self._highs.getInfo().primal_solution_status != _FEASIBLE:
                return Found(values, np.zeros_like(values), proven, known)
            solution = self._highs.getSolution()
        return Found(np.array(solution.col_value), np.array(solution.col_dual), proven, known)

    def _keep_integers(self, costs: Floats, values: Floats) -> None:
        """Solve once more with the integers at their values: an LP, which has dual prices.

        It may have no solution where the search used its tolerance to the last.
        """
        lower, upper, integers = (
            self._program.lower.copy(),
            self._upper.copy(),
            self._program.integers,
        )
        lower[integers] = upper[integers] = np.rint(values[integers])
        kept = replace(self._program, costs=costs, lower=lower, upper=upper, integers=NONE)
        self._model.run(kept)
