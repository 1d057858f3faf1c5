"""The peer of dispatch: the same problem, each level by ``Problem.solve`` in every window."""

from typing import Final

import cvxpy as cp
import numpy as np

from processors.dispatching.case import Case, Flags
from processors.dispatching.constraints import TOLERANCE_KW, all_constraints
from processors.dispatching.dispatcher import Dispatcher
from processors.dispatching.lookahead import horizon_steps
from processors.dispatching.solving import Answer, Solver, in_model_order
from schemas.site_model import Relay, SiteModel

_INTEGER_SLACK: Final = 0.5


class WatchedSolver(Solver):
    """Gridloom's solver, which also tells whether the last case had to be weighed."""

    weighed = False

    def solve(self, case: Case) -> Answer | None:
        """As ever."""
        self.weighed = not ((case.lowest == case.highest).all() or self._fits(case))
        return super().solve(case)


class PlainSolver(WatchedSolver):
    """CVXPY as its manual shows it: parametrised, compiled once per level, solved by HiGHS.

    It keeps the order of the levels and the gaps of Gridloom's solver, and asks CVXPY for every
    level in every window.

    Args:
        model, relays, steps: as of the solver.
    """

    def __init__(self, model: SiteModel, relays: tuple[Relay, ...], steps: int) -> None:
        super().__init__(model, relays, steps)
        self._chain = self._levels_in_order()
        self._caps = [cp.Parameter(value=0.0) for _ in self._chain]
        constraints = all_constraints(model, self._variables, self._parameters)
        self._problems = [
            cp.Problem(cp.Minimize(level), [*constraints, *self._capped(number)])
            for number, (level, _) in enumerate(self._chain)
        ]

    def solve(self, case: Case) -> Answer | None:
        """The best plan, without any shortcut."""
        self._parameters.fill(case, self._levels)
        for problem, cap, (level, slack) in zip(
            self._problems, self._caps, self._chain, strict=True
        ):
            gaps = {"mip_rel_gap": 0.0, "mip_abs_gap": slack}
            problem.solve(cp.HIGHS, warm_start=False, **gaps)  # type: ignore[no-untyped-call]
            if level.value is None:
                return None
            cap.value = float(level.value) + slack
        on: Flags = np.rint(np.asarray(self._variables.on.value)).astype(np.bool_)
        return Answer(in_model_order(self._relays, case, on), proven=True)

    def _levels_in_order(self) -> list[tuple[cp.Expression, float]]:
        """Each level with how much more than it reached it may have afterwards."""
        variables, broken = self._variables, len(self._levels.broken_dwell)
        integers: list[tuple[cp.Expression, float]] = [
            (variables.integer_levels[number], _INTEGER_SLACK)
            for number in range(self._levels.count)
        ]
        capacity: tuple[cp.Expression, float] = (variables.capacity_level, TOLERANCE_KW)
        threshold: tuple[cp.Expression, float] = (variables.threshold_level, TOLERANCE_KW)
        return [capacity, *integers[:broken], threshold, *integers[broken:]]

    def _capped(self, number: int) -> list[cp.Constraint]:
        """``level <= cap`` for every level above."""
        above = zip(self._chain[:number], self._caps, strict=False)
        return [level <= cap for (level, _), cap in above]


class WatchedDispatcher(Dispatcher):
    """A dispatcher with another solver.

    Args:
        model: the site.
        kind: what solves its cases.
    """

    def __init__(self, model: SiteModel, kind: type[WatchedSolver] = WatchedSolver) -> None:
        super().__init__(model)
        relays = tuple(relay for board in model.relay_boards for relay in board.relays)
        self.solver = kind(model, relays, horizon_steps(model.control.lookahead_s))
        self._solver = self.solver
