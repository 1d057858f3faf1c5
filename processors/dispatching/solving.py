"""Solves one case, level by level: CVXPY compiles the problem once, HiGHS re-solves it."""

from dataclasses import dataclass, replace
from typing import Final

import cvxpy as cp
import numpy as np

from processors.dispatching.case import Case, Flags
from processors.dispatching.constraints import TOLERANCE_KW, all_constraints
from processors.dispatching.lookahead import Floats
from processors.dispatching.objective import Levels
from processors.dispatching.staging import Stage, StagedSolver
from processors.dispatching.variables import Parameters, Variables
from schemas.site_model import Relay, SiteModel
from schemas.units import VALUE_LIMIT

_INTEGER_GAP: Final = 0.5
"""Two values of a whole-numbered level are 1 apart, or equal."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The planned states, shape (n,), and whether every level is proven to be the least."""

    on: Flags
    proven: bool


class Solver:
    """The compiled problem of one site.

    Args:
        model: the site.
        relays: its relays, in the order of every vector.
        steps: windows to look ahead.
    """

    def __init__(self, model: SiteModel, relays: tuple[Relay, ...], steps: int) -> None:
        self._restores = model.control.restores_per_window
        self._limit_kw = model.threshold_kw + TOLERANCE_KW
        self._relays = relays
        self._levels = Levels.of(relays)
        shape = (len(relays), steps, self._levels.count)
        self._variables = Variables(*shape)
        self._parameters = Parameters(*shape)
        self._problem = cp.Problem(
            cp.Minimize(self._variables.capacity_level),
            all_constraints(model, self._variables, self._parameters),
        )
        self._staged = StagedSolver()
        self._problem.get_problem_data(cp.HIGHS)  # compiles now, not in the first peak

    def solve(self, case: Case) -> Answer | None:
        """The best plan, or None where the solver has none, or the base load is no number.

        Where all that may be on fits under the threshold, or nothing is free, the upper bounds
        are the plan: no level can be lower. The solver is asked only when there is something
        to weigh.
        """
        if not (np.abs(case.base_kw) <= VALUE_LIMIT).all():  # NaN is not within it, either
            return None
        if (case.lowest == case.highest).all() or self._fits(case):
            return Answer(case.highest, proven=True)
        self._parameters.fill(case, self._levels)
        data = self._problem.get_problem_data(cp.HIGHS)[0]
        columns: dict[int, int] = data["param_prob"].var_id_to_col
        found = self._staged.descend(data, self._stages(case, columns))
        if found is None:
            return None
        first = columns[self._variables.on.id]
        on = as_states(found[0][first : first + len(self._relays)])
        return Answer(in_model_order(self._relays, case, on), proven=found[1])

    def _fits(self, case: Case) -> bool:
        """Whether every output may be as high as its bound."""
        restores = np.count_nonzero(case.highest & ~case.was_on)
        fits = case.peak_with_margins_kw(case.highest) <= self._limit_kw
        return bool(fits and restores <= self._restores)

    def _stages(self, case: Case, columns: dict[int, int]) -> list[Stage]:
        """The levels in their order.

        Where the threshold holds with all shed that is not held, the levels above service are 0
        for some plan, and need no search. That is so in nearly every window.
        """
        variables, broken = self._variables, len(self._levels.broken_dwell)
        first = columns[variables.integer_levels.id]
        integers = [
            Stage(first + number, gap=_INTEGER_GAP, slack=_INTEGER_GAP)
            for number in range(self._levels.count)
        ]
        limits = [
            _power_stage(columns[variables.capacity_level.id]),
            *integers[:broken],
            _power_stage(columns[variables.threshold_level.id]),
        ]
        if case.peak_with_margins_kw(case.lowest | case.held) <= self._limit_kw:
            limits = [replace(stage, known=0.0) for stage in limits]
        return [*limits, *integers[broken:]]


def _power_stage(column: int) -> Stage:
    """A level in kW x steps."""
    return Stage(column, gap=TOLERANCE_KW / 10, slack=TOLERANCE_KW)


def as_states(values: Floats) -> Flags:
    """The solver's binaries as states: rounded, as 0.9999999 is on and 0.0000001 is off."""
    return np.rint(values).astype(np.bool_)


def in_model_order(relays: tuple[Relay, ...], case: Case, on: Flags) -> Flags:
    """The same plan with equal outputs on in the site model's order.

    Outputs with the same load, class, power, state and bounds can change places without any
    level changing. The first of them stay on, so that a plan does not hang on the solver's way.
    """
    alike: dict[tuple[object, ...], list[int]] = {}
    for index, relay in enumerate(relays):
        flags = (case.was_on[index], case.lowest[index], case.highest[index], case.held[index])
        key = (relay.sheddable, relay.priority, relay.load_kw, case.power_kw[index], *flags)
        alike.setdefault(key, []).append(index)
    ordered = on.copy()
    for places in alike.values():
        ordered[places] = np.sort(on[places])[::-1]
    return ordered
