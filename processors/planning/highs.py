"""HiGHS, driven over a compiled problem: the cheapest plan, or else the least that cannot hold.

Nothing is measured against the clock: a limit on nodes ends a search that would be too long, at
the same place every time. Every search is cold: handing an old solution to the simplex made
re-solves of linear problems thirty times slower (``warm_start`` of CVXPY).
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import highspy
import numpy as np

from processors.planning.arrays import Floats

MAX_NODES: Final = 20_000
"""Branch-and-bound nodes of one search."""

LEVEL_ROOM_KWH: Final = 1e-8
"""How much more than its least a level may have in the searches after it [kWh]."""

# The tolerance of integer solutions stays at 1e-6: with less, HiGHS 1.15 was seen to call feasible
# problems infeasible. The search's solution is solved once more with its integers kept.
OPTIONS: Final[dict[str, bool | int | float]] = {
    "output_flag": False,
    "threads": 1,
    "mip_rel_gap": 1e-7,
    "mip_abs_gap": 1e-7,
    "mip_max_nodes": MAX_NODES,
    "primal_feasibility_tolerance": 1e-9,
}
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
        data: matrices as CVXPY compiles them for HiGHS.
        levels: columns that have to be 0, or else as small as can be, most important first.
    """

    def __init__(self, data: dict[str, Any], levels: list[int]) -> None:
        self._lp = _linear_program(data)
        self._costs = np.array(data["c"], dtype=np.float64)
        self._levels = levels
        self._integers = np.array([*data["bool_vars_idx"], *data["int_vars_idx"]], dtype=np.intp)
        self._lower, self._upper = _column_bounds(data)
        kinds = np.full(self._costs.size, highspy.HighsVarType.kContinuous)
        kinds[self._integers] = highspy.HighsVarType.kInteger
        self._kinds = kinds.tolist() if self._integers.size else []
        self._highs = highspy.Highs()
        for name, value in OPTIONS.items():
            self._highs.setOptionValue(name, value)

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
        self._run(costs, self._lower, self._upper, self._kinds)
        info = self._highs.getInfo()
        if info.primal_solution_status != _FEASIBLE:
            return None
        proven = self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal
        gap = 0.0 if proven else abs(info.objective_function_value - info.mip_dual_bound)
        known = gap if np.isfinite(gap) else None
        values = np.array(self._highs.getSolution().col_value)
        if self._integers.size:
            self._keep_integers(costs, values)
        if self._highs.getInfo().primal_solution_status != _FEASIBLE:
            return Found(values, np.zeros_like(values), proven, known)
        solution = self._highs.getSolution()
        return Found(np.array(solution.col_value), np.array(solution.col_dual), proven, known)

    def _keep_integers(self, costs: Floats, values: Floats) -> None:
        """Solve once more with the integers at their values: an LP, which has dual prices.

        It may have no solution where the search used its tolerance to the last.
        """
        lower, upper = self._lower.copy(), self._upper.copy()
        lower[self._integers] = upper[self._integers] = np.rint(values[self._integers])
        self._run(costs, lower, upper, [])

    def _run(
        self, costs: Floats, lower: Floats, upper: Floats, kinds: list[highspy.HighsVarType]
    ) -> None:
        lp = self._lp
        lp.col_cost_, lp.col_lower_, lp.col_upper_, lp.integrality_ = costs, lower, upper, kinds
        self._highs.passModel(lp)
        self._highs.run()


def _linear_program(data: dict[str, Any]) -> highspy.HighsLp:
    """Compiled matrices as a model: ``A x = b`` in the first rows, ``A x <= b`` in the others."""
    matrix, right = data["A"].tocsc(), data["b"]
    rows, columns = matrix.shape
    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = rows, columns
    lp.row_upper_ = right
    lp.row_lower_ = np.where(np.arange(rows) < data["dims"].zero, right, -highspy.kHighsInf)
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_ = matrix.indptr
    lp.a_matrix_.index_ = matrix.indices
    lp.a_matrix_.value_ = matrix.data
    return lp


def _column_bounds(data: dict[str, Any]) -> tuple[Floats, Floats]:
    """Bounds of the columns; CVXPY leaves out those that nobody set."""
    lower, upper = data["lower_bounds"], data["upper_bounds"]
    columns = data["c"].size
    booleans = np.isin(np.arange(columns), data["bool_vars_idx"])
    least = np.full(columns, -highspy.kHighsInf) if lower is None else np.array(lower)
    most = np.full(columns, highspy.kHighsInf) if upper is None else np.array(upper)
    return np.where(booleans, 0.0, least), np.where(booleans, 1.0, most)
