"""Compiled problems as linear programs for HiGHS: between CVXPY's matrices and highspy's model."""

from dataclasses import dataclass
from typing import Any, Final

import highspy
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]

NONE: Final[Numbers] = np.zeros(0, dtype=np.intp)
"""No columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearProgram:
    """Least ``costs x`` with ``row_lower <= A x <= row_upper`` and ``lower <= x <= upper``.

    Attributes:
        coefficients, at_rows, starts: ``A`` by columns, without zeros: the numbers, the row
            of each, and where each column begins.
        row_lower, row_upper: (rows,).
        costs, lower, upper: (columns,).
        integers: numbers of the columns that are whole.
    """

    coefficients: Floats
    at_rows: NDArray[np.int32]
    starts: NDArray[np.int32]
    row_lower: Floats
    row_upper: Floats
    costs: Floats
    lower: Floats
    upper: Floats
    integers: Numbers

    def has_matrix_of(self, other: "LinearProgram") -> bool:
        """Whether all coefficients are the same."""
        return all(
            np.array_equal(mine, its)
            for mine, its in (
                (self.coefficients, other.coefficients),
                (self.at_rows, other.at_rows),
                (self.starts, other.starts),
            )
        )

    def to_highs(self) -> highspy.HighsLp:
        """The same as HiGHS takes it."""
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = self.row_upper.size, self.costs.size
        lp.row_lower_, lp.row_upper_ = self.row_lower, self.row_upper
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = self.costs, self.lower, self.upper
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = self.starts
        lp.a_matrix_.index_ = self.at_rows
        lp.a_matrix_.value_ = self.coefficients
        if self.integers.size:
            kinds = np.full(self.costs.size, highspy.HighsVarType.kContinuous)
            kinds[self.integers] = highspy.HighsVarType.kInteger
            lp.integrality_ = kinds.tolist()
        return lp


def linear_program(data: dict[str, Any]) -> LinearProgram:
    """The program in matrices as CVXPY compiles them for HiGHS.

    ``A x = b`` holds in the first ``dims.zero`` rows, ``A x <= b`` in the others. CVXPY leaves out
    the bounds of columns where nobody set one, and those of booleans.
    """
    matrix, right = data["A"].tocsc(), data["b"]
    rows, columns = matrix.shape
    lower, upper = data["lower_bounds"], data["upper_bounds"]
    least = np.full(columns, -highspy.kHighsInf) if lower is None else lower
    most = np.full(columns, highspy.kHighsInf) if upper is None else upper
    booleans = np.isin(np.arange(columns), data["bool_vars_idx"])
    return LinearProgram(
        coefficients=matrix.data,
        at_rows=matrix.indices,
        starts=matrix.indptr,
        row_lower=np.where(np.arange(rows) < data["dims"].zero, right, -highspy.kHighsInf),
        row_upper=np.array(right),
        costs=np.array(data["c"], dtype=np.float64),
        lower=np.where(booleans, 0.0, least),
        upper=np.where(booleans, 1.0, most),
        integers=np.array([*data["bool_vars_idx"], *data["int_vars_idx"]], dtype=np.intp),
    )
