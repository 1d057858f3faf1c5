"""HiGHS, held in place and driven one objective column after the other.

Nothing is measured against the clock: a limit on nodes ends a search that would be too long,
at the same place every time.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import highspy
import numpy as np

from processors.dispatching.lookahead import Floats
from processors.linear_program import linear_program

MAX_NODES: Final = 1_000
"""Branch-and-bound nodes of one stage."""

_OPTIONS: Final[dict[str, bool | int | float]] = {
    "output_flag": False,
    "threads": 1,
    "mip_rel_gap": 0.0,  # a relative gap means nothing near zero; each stage has its own
    "mip_max_nodes": MAX_NODES,
    "mip_heuristic_run_feasibility_jump": False,  # a plan is easy to find; it takes 1 ms anyway
    "mip_feasibility_tolerance": 1e-9,
    "primal_feasibility_tolerance": 1e-9,
}
_FEASIBLE: Final = int(highspy.SolutionStatus.kSolutionStatusFeasible)


@dataclass(frozen=True, slots=True)
class Stage:
    """One column to minimise.

    Attributes:
        column: its number.
        gap: how far above the least value it may end.
        slack: how much more than it reached it may have in the stages after it.
        known: its least value where that needs no search.
    """

    column: int
    gap: float
    slack: float
    known: float | None = None


class StagedSolver:
    """Minimises columns of one model in their order, each within the caps of those before."""

    def __init__(self) -> None:
        self._highs = highspy.Highs()
        for name, value in _OPTIONS.items():
            self._highs.setOptionValue(name, value)

    def descend(self, data: dict[str, Any], stages: list[Stage]) -> tuple[Floats, bool] | None:
        """The columns' values and whether each stage is proven optimal; None without any.

        Args:
            data: matrices as CVXPY compiles them for HiGHS.
            stages: what to minimise, most important first; the last one is not known.
        """
        program = linear_program(data)
        without_costs = replace(program, costs=np.zeros_like(program.costs))
        self._highs.passModel(without_costs.to_highs())
        solution, proven = None, True
        for stage in stages:
            reached = stage.known
            if reached is None:
                if (solution := self._minimise(stage, solution)) is None:
                    return None
                proven = proven and self._is_optimal()
                reached = solution.col_value[stage.column]
            self._cap(stage, reached)
        return (np.asarray(solution.col_value), proven) if solution else None

    def _minimise(
        self, stage: Stage, start: highspy.HighsSolution | None
    ) -> highspy.HighsSolution | None:
        """The best solution for one column, searched for from ``start``."""
        self._highs.setOptionValue("mip_abs_gap", stage.gap)
        self._highs.changeColCost(stage.column, 1.0)
        if start is not None:
            self._highs.setSolution(start)
        self._highs.run()
        found = self._highs.getInfo().primal_solution_status == _FEASIBLE
        return self._highs.getSolution() if found else None

    def _is_optimal(self) -> bool:
        """Whether the last search ended with a proof."""
        return self._highs.getModelStatus() == highspy.HighsModelStatus.kOptimal

    def _cap(self, stage: Stage, reached: float) -> None:
        """Hold a column at what it reached, and minimise it no more."""
        self._highs.changeColCost(stage.column, 0.0)
        self._highs.changeColBounds(stage.column, -highspy.kHighsInf, reached + stage.slack)
