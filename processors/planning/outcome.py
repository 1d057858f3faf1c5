"""A solution as a result: schedules, costs, prices, what cannot hold."""

from collections.abc import Iterator

import numpy as np

from processors.planning.arrays import Floats
from processors.planning.batteries import Batteries
from processors.planning.expressions import value_of
from processors.planning.highs import Found
from processors.planning.prices import Prices, binding_limits, find_prices
from processors.planning.problem import CompiledPlan
from processors.planning.reasons import Situation, reasons_of
from processors.planning.unmet import find_unmet
from schemas.planning_case import PlanningCase
from schemas.planning_result import (
    Because,
    Costs,
    DeviceKind,
    DeviceSchedule,
    PlanningResult,
    PlanningStatus,
    Unmet,
)

_NOTHING = 1e-9
"""What is smaller is what arithmetic left."""


def tell_result(
    case: PlanningCase, compiled: CompiledPlan, found: Found, *, reasons: bool
) -> PlanningResult:
    """The result of a solved case; the variables of ``compiled`` have their values."""
    costs = Costs(
        **{name: float(_clean(value_of(each))) for name, each in compiled.costs().items()}
    )
    grid_kw = _clean(value_of(compiled.grid.import_kw - compiled.grid.export_kw))
    unmet = tuple(find_unmet(case, compiled))
    prices = find_prices(case, compiled)
    return PlanningResult(
        status=_status(unmet, found),
        gap=found.gap,
        grid_kw=tuple(grid_kw.tolist()),
        price_per_kwh=tuple(_clean(prices.site).tolist()),
        peak_kw=float(grid_kw.max(initial=0.0)),
        costs=costs,
        total_cost=costs.total,
        schedules=tuple(_schedules(case, compiled, prices if reasons else None)),
        binding=tuple(binding_limits(case, compiled, prices)),
        unmet=unmet,
    )


def _status(unmet: tuple[Unmet, ...], found: Found) -> PlanningStatus:
    if unmet:
        return PlanningStatus.BEST_EFFORT
    return PlanningStatus.OPTIMAL if found.proven else PlanningStatus.FEASIBLE


def _schedules(
    case: PlanningCase, compiled: CompiledPlan, prices: Prices | None
) -> Iterator[DeviceSchedule]:
    """What every device does, in the order of the case; why, where there are prices."""
    for name, family in compiled.families.items():
        powers_kw = _clean(value_of(family.power_kw))
        charges = _states_of_charge(case, family) if isinstance(family, Batteries) else None
        for row, device in enumerate(case.families[name]):
            soc = np.zeros(0) if charges is None else charges[row]
            why: tuple[Because, ...] = ()
            if prices is not None:
                situation = Situation(
                    horizon=case.horizon,
                    power_kw=powers_kw[row],
                    price=prices.at(name, row),
                    binding=prices.binding_on(name, row),
                    soc=soc,
                )
                why = tuple(reasons_of(device, situation))
            yield DeviceSchedule(
                device=device.id,
                kind=DeviceKind(name),
                power_kw=tuple(powers_kw[row].tolist()),
                soc=tuple(soc.tolist()),
                reasons=why,
            )


def _states_of_charge(case: PlanningCase, batteries: Batteries) -> Floats:
    """Of each battery before the first step and after each, shape (n, steps + 1)."""
    capacity_kwh = np.array([[each.capacity_kwh] for each in case.batteries])
    first = np.array([[each.soc] for each in case.batteries])
    return np.hstack([first, _clean(value_of(batteries.energy_kwh) / capacity_kwh)])


def _clean(values: Floats) -> Floats:
    """Without what arithmetic left at zero."""
    return np.where(np.abs(values) < _NOTHING, 0.0, values)
