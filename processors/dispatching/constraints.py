"""What every plan must keep, each rule as an inequality.

``x`` is 1 where an output is on, ``p`` what it counts [kW], ``b_t`` the base load of step
``t`` [kW], ``s_t`` and ``c_t`` the excess over threshold and capacity [kW].
"""

from typing import Final

import cvxpy as cp

from processors.dispatching.variables import Parameters, Variables
from schemas.site_model import SiteModel

TOLERANCE_KW: Final = 1e-6
"""A limit counts as held up to this much above it [kW]: what sums of decimals leave behind."""


def all_constraints(
    model: SiteModel, variables: Variables, parameters: Parameters
) -> list[cp.Constraint]:
    """Every constraint of the problem; it always has a solution, as both limits have slack."""
    return [
        *hold_limits(model, variables, parameters),
        *keep_bounds(variables, parameters),
        *limit_restores(model, variables, parameters),
        *define_levels(variables, parameters),
    ]


def hold_limits(
    model: SiteModel, variables: Variables, parameters: Parameters
) -> list[cp.Constraint]:
    """``b_t + p·x <= threshold + s_t`` and ``b_t + p·x <= capacity + c_t``, t = 1..steps [kW].

    ``p`` of an output that is off now includes its hysteresis: it comes back only with room.
    """
    load_kw = parameters.base_kw + parameters.power_kw @ variables.on
    return [
        load_kw <= model.threshold_kw + TOLERANCE_KW + variables.above_threshold_kw,
        load_kw <= model.capacity_kw + TOLERANCE_KW + variables.above_capacity_kw,
    ]


def keep_bounds(variables: Variables, parameters: Parameters) -> list[cp.Constraint]:
    """``lowest <= x <= highest``: never-shed and unknown outputs on; dwell, degraded data off."""
    return [variables.on >= parameters.lowest, variables.on <= parameters.highest]


def limit_restores(
    model: SiteModel, variables: Variables, parameters: Parameters
) -> list[cp.Constraint]:
    """``sum of x over outputs that are off now <= restores_per_window``."""
    return [parameters.was_off @ variables.on <= model.control.restores_per_window]


def define_levels(variables: Variables, parameters: Parameters) -> list[cp.Constraint]:
    """Each level equals its cost, constants included, so that no gap is relative to less."""
    return [
        variables.capacity_level == variables.above_capacity_kw.sum(),
        variables.threshold_level == variables.above_threshold_kw.sum(),
        variables.integer_levels == parameters.offsets + parameters.weights @ variables.on,
    ]
