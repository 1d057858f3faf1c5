"""What dispatch decides, and the data that change from window to window."""

import cvxpy as cp
import numpy as np

from processors.dispatching.case import Case
from processors.dispatching.objective import Levels


class Variables:
    """The unknowns, for n outputs over the steps of the look-ahead.

    Attributes:
        on: 1 where an output is planned on, shape (n,); the same over the whole look-ahead.
        above_threshold_kw, above_capacity_kw: excess at each step, shape (steps,) [kW].
        capacity_level, threshold_level: their sums over the steps [kW x steps].
        integer_levels: the objective's other levels, shape (levels,); see ``objective``.
    """

    def __init__(self, outputs: int, steps: int, levels: int) -> None:
        self.on = cp.Variable(outputs, boolean=True)
        self.above_threshold_kw = cp.Variable(steps, nonneg=True)
        self.above_capacity_kw = cp.Variable(steps, nonneg=True)
        self.capacity_level = cp.Variable()
        self.threshold_level = cp.Variable()
        self.integer_levels = cp.Variable(levels)


class Parameters:
    """The data, as parameters of one compiled problem (disciplined parametrised programming).

    Attributes:
        base_kw: shape (steps,) [kW].
        power_kw: shape (n,) [kW].
        lowest, highest: bounds of ``on``, shape (n,).
        was_off: 1 where an output is off now, shape (n,).
        weights: what an output that is on adds to each level, shape (levels, n).
        offsets: what each level costs with every output off, shape (levels,).
    """

    def __init__(self, outputs: int, steps: int, levels: int) -> None:
        self.base_kw = _blank(steps)
        self.power_kw = _blank(outputs)
        self.lowest = _blank(outputs)
        self.highest = _blank(outputs)
        self.was_off = _blank(outputs)
        self.weights = _blank(levels, outputs)
        self.offsets = _blank(levels)

    def fill(self, case: Case, levels: Levels) -> None:
        """Take the data of one decision; setting a value costs more than comparing it."""
        weights, offsets = levels.coefficients(case)
        for parameter, value in (
            (self.base_kw, case.base_kw),
            (self.power_kw, case.power_kw),
            (self.lowest, case.lowest),
            (self.highest, case.highest),
            (self.was_off, ~case.was_on),
            (self.weights, weights),
            (self.offsets, offsets),
        ):
            before = parameter.value
            if before is None or not np.array_equal(before, value):
                parameter.value = value.astype(float)


def _blank(*shape: int) -> cp.Parameter:
    """A parameter of zeros, so that the problem can be compiled before there is a decision."""
    return cp.Parameter(shape, value=np.zeros(shape))
