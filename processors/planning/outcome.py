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
    Costs,
    DeviceKind,
    DeviceSchedule,
    PlanningResult,
    PlanningStatus,
    Unmet,
)

_NOTHING = 1e-9
"""What is smaller is what arithmetic left."""


def tell_result(case: PlanningCase, compiled: CompiledPlan, found: Found) -> PlanningResult:
    """The result of a solved case; the variables of ``compiled`` have their values."""
    costs = Costs(
        **{name: _clean(float(value_of(each))) for name, each in compiled.costs().items()}
    )
    grid_kw = value_of(compiled.grid.import_kw - compiled.grid.export_kw)
    unmet = tuple(find_unmet(case, compiled))
    prices = find_prices(case, compiled)
    return PlanningResult(
        status=_status(unmet, found),
        gap=found.gap,
        grid_kw=_listed(grid_kw),
        price_per_kwh=_listed(prices.site),
        peak_kw=_clean(float(grid_kw.max(initial=0.0))),
        costs=costs,
        total_cost=costs.total,
        schedules=tuple(_schedules(case, compiled, prices)),
        binding=tuple(binding_limits(case, compiled, prices)),
        unmet=unmet,
    )


def _status(unmet: tuple[Unmet, ...], found: Found) -> PlanningStatus:
    if unmet:
        return PlanningStatus.BEST_EFFORT
    return PlanningStatus.OPTIMAL if found.proven else PlanningStatus.FEASIBLE


def _schedules(
    case: PlanningCase, compiled: CompiledPlan, prices: Prices
) -> Iterator[DeviceSchedule]:
    """What every device does, in the order of the case."""
    for name, family in compiled.families.items():
        powers_kw = value_of(family.power_kw)
        for row, device in enumerate(case.families[name]):
            soc = _states_of_charge(case, family, row) if isinstance(family, Batteries) else ()
            situation = Situation(
                horizon=case.horizon,
                power_kw=powers_kw[row],
                price=prices.at(name, row),
                binding=prices.binding_on(name, row),
                soc=np.array(soc),
            )
            yield DeviceSchedule(
                device=device.id,
                kind=DeviceKind(name),
                power_kw=_listed(powers_kw[row]),
                soc=soc,
                reasons=tuple(reasons_of(device, situation)),
            )


def _states_of_charge(case: PlanningCase, family: Batteries, row: int) -> tuple[float, ...]:
    battery = case.batteries[row]
    return (battery.soc, *_listed(value_of(family.energy_kwh)[row] / battery.capacity_kwh))


def _listed(values: Floats) -> tuple[float, ...]:
    return tuple(_clean(value) for value in values.tolist())


def _clean(value: float) -> float:
    """Without what arithmetic left at zero."""
    return 0.0 if abs(value) < _NOTHING else float(value)
