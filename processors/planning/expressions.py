"""Expressions of the optimisation problem: parameters to be filled, sums, products, values."""

from collections.abc import Iterable

import cvxpy as cp
import numpy as np
from cvxpy.atoms.affine.binary_operators import multiply
from cvxpy.atoms.affine.hstack import Hstack

from processors.planning.arrays import Floats


def blank(*shape: int) -> cp.Parameter:
    """A parameter of zeros, so that a problem can be compiled before there are data."""
    return cp.Parameter(shape, value=np.zeros(shape))


def weigh(weights: Floats | cp.Parameter, expression: cp.Expression) -> cp.Expression:
    """The matrix product ``weights @ expression``."""
    factor = cp.Constant(weights) if isinstance(weights, np.ndarray) else weights
    product: cp.Expression = factor @ expression
    return product


def scale(factor: float, expression: cp.Expression) -> cp.Expression:
    """The expression, ``factor`` times."""
    product: cp.Expression = expression * factor
    return product


def times(factors: Floats | cp.Expression, expression: cp.Expression) -> cp.Expression:
    """Both multiplied element by element; a column counts in every column."""
    if isinstance(factors, np.ndarray):
        factors = np.broadcast_to(factors, expression.shape)
    product: cp.Expression = multiply(factors, expression)
    return product


def add(expressions: Iterable[cp.Expression], start: cp.Expression) -> cp.Expression:
    """All of them added to ``start``."""
    total = start
    for each in expressions:
        total = total + each
    return total


def previous(first: cp.Expression, each: cp.Expression) -> cp.Expression:
    """What was before each step: ``first``, a column, and then all steps but the last."""
    if each.shape[1] == 1:
        return first
    joined: cp.Expression = Hstack(first, each[:, :-1])
    return joined


def value_of(expression: cp.Expression) -> Floats:
    """The value of an expression whose variables have one."""
    return np.asarray(expression.value, dtype=np.float64)
