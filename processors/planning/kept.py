"""A HiGHS that keeps its problem: new data go into the model in place, not into a new one."""

from typing import Final

import highspy
import numpy as np

from processors.linear_program import Floats, LinearProgram

MAX_NODES: Final = 20_000
"""Branch-and-bound nodes of one search."""

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
# Cold: HiGHS's own defaults, the dual simplex. Hot: the primal simplex, as cheap as can be for each
# iteration, as there are few; with a limit to them, where a new start is sooner there.
_COLD: Final[dict[str, int | float]] = {
    "simplex_strategy": 1,
    "simplex_primal_edge_weight_strategy": -1,
    "primal_simplex_bound_perturbation_multiplier": 1.0,
    "simplex_iteration_limit": highspy.kHighsIInf,
}
_HOT: Final[dict[str, int | float]] = {
    "simplex_strategy": 4,
    "simplex_primal_edge_weight_strategy": 0,
    "primal_simplex_bound_perturbation_multiplier": 0.0,
    "simplex_iteration_limit": 3_000,
}
_CLEAR: Final = (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kInfeasible)


class KeptModel:
    """HiGHS with the problem that it solved last.

    Handing over an old *solution* makes re-solves of linear problems thirty times slower
    (``warm_start`` of CVXPY); going on from the old *basis* makes them thirty times faster.

    Attributes:
        highs: what holds status and solution after a run.

    Args:
        hot: whether a linear problem goes on from the basis of the one before. Among equally good
            solutions it then hangs on what was solved before which one is found.
    """

    def __init__(self, *, hot: bool) -> None:
        self._hot = hot
        self._kept: LinearProgram | None = None
        self.highs = highspy.Highs()
        for name, value in OPTIONS.items():
            self.highs.setOptionValue(name, value)

    def run(self, program: LinearProgram) -> None:
        """Solve; where going on from before leaves open what holds, once more from nothing."""
        kept, self._kept = self._kept, program
        if self._hot and kept is not None and _can_go_on(kept, program):
            self._change(kept, program)
            self._start(_HOT)
            if self.highs.getModelStatus() in _CLEAR:
                return
        self.highs.passModel(program.to_highs())
        self._start(_COLD)

    def _start(self, options: dict[str, int | float]) -> None:
        for name, value in options.items():
            self.highs.setOptionValue(name, value)
        self.highs.run()

    def _change(self, old: LinearProgram, new: LinearProgram) -> None:
        """Put what differs into the model: costs, bounds, right-hand sides."""
        if (at := _differing((old.costs, new.costs))).size:
            self.highs.changeColsCost(at.size, at, new.costs[at])
        if (at := _differing((old.lower, new.lower), (old.upper, new.upper))).size:
            self.highs.changeColsBounds(at.size, at, new.lower[at], new.upper[at])
        sides = ((old.row_lower, new.row_lower), (old.row_upper, new.row_upper))
        if (at := _differing(*sides)).size:
            change = self.highs.changeRowsBounds  # type: ignore[attr-defined]  # not in its stubs
            change(at.size, at, new.row_lower[at], new.row_upper[at])


def _can_go_on(old: LinearProgram, new: LinearProgram) -> bool:
    """Whether only costs and bounds differ, and nothing is whole."""
    return not old.integers.size and not new.integers.size and new.has_matrix_of(old)


def _differing(*pairs: tuple[Floats, Floats]) -> np.ndarray:
    """Where one of the pairs differs, in HiGHS's kind of numbers."""
    differs = np.any([old != new for old, new in pairs], axis=0)
    return np.flatnonzero(differs).astype(np.int32)
