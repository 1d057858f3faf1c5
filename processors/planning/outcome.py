"""A solution as a result: schedules, costs, prices, what cannot hold."""

import numpy as np

from processors.planning.arrays import Floats, vector
from processors.planning.batteries import Batteries
from processors.planning.expressions import value_of
from processors.planning.highs import Found
from processors.planning.limits import membership
from processors.planning.problem import CompiledPlan
from processors.planning.reasons import Situation, reasons_of
from processors.planning.unmet import find_unmet
from schemas.planning_case import PlanningCase, Series
from schemas.planning_result import (
    Costs,
    DeviceKind,
    DeviceSchedule,
    LimitPrice,
    PlanningResult,
    PlanningStatus,
    Unmet,
)

_NOTHING = 1e-9
"""What is smaller is what arithmetic left."""
_WORTH = 1e-7
"""A limit whose price is smaller does not bind [currency/kWh]."""


def tell_result(case: PlanningCase, compiled: CompiledPlan, found: Found) -> PlanningResult:
    """The result of a solved case; the variables of ``compiled`` have their values."""
    costs = Costs(
        **{name: _clean(float(value_of(each))) for name, each in compiled.costs().items()}
    )
    grid_kw = value_of(compiled.grid.import_kw - compiled.grid.export_kw)
    unmet = tuple(find_unmet(case, compiled))
    return PlanningResult(
        status=_status(unmet, found),
        gap=found.gap,
        grid_kw=_listed(grid_kw),
        price_per_kwh=_listed(_marginal_price(case, compiled)),
        peak_kw=_clean(float(grid_kw.max(initial=0.0))),
        costs=costs,
        total_cost=costs.total,
        schedules=tuple(_schedules(case, compiled)),
        binding=(*_grid_prices(case, compiled), *_limit_prices(case, compiled)),
        unmet=unmet,
    )


def _status(unmet: tuple[Unmet, ...], found: Found) -> PlanningStatus:
    if unmet:
        return PlanningStatus.BEST_EFFORT
    return PlanningStatus.OPTIMAL if found.proven else PlanningStatus.FEASIBLE


def _marginal_price(case: PlanningCase, compiled: CompiledPlan) -> Floats:
    """What one more kWh of load would cost at each step, (steps,) [currency/kWh]."""
    return compiled.price_of(compiled.grid.demand_kw) / case.horizon.step_h


def _schedules(case: PlanningCase, compiled: CompiledPlan) -> list[DeviceSchedule]:
    """What every device does, in the order of the case."""
    surcharge = _surcharges(case, compiled)
    site_price = _marginal_price(case, compiled)
    schedules = []
    for name, family in compiled.families.items():
        powers_kw = value_of(family.power_kw)
        for row, device in enumerate(case.families[name]):
            soc = _states_of_charge(case, family, row) if isinstance(family, Batteries) else ()
            local = surcharge[name][row] if name in surcharge else np.zeros_like(site_price)
            situation = Situation(
                horizon=case.horizon,
                power_kw=powers_kw[row],
                price=site_price + local,
                limited=np.abs(local + _grid_limit_price(case, compiled)) > _WORTH,
                soc=np.array(soc),
            )
            schedules.append(
                DeviceSchedule(
                    device=device.id,
                    kind=DeviceKind(name),
                    power_kw=_listed(powers_kw[row]),
                    soc=soc,
                    reasons=tuple(reasons_of(device, situation)),
                )
            )
    return schedules


def _states_of_charge(case: PlanningCase, family: Batteries, row: int) -> tuple[float, ...]:
    battery = case.batteries[row]
    return (battery.soc, *_listed(value_of(family.energy_kwh)[row] / battery.capacity_kwh))


def _surcharges(case: PlanningCase, compiled: CompiledPlan) -> dict[str, Floats]:
    """What shared limits add to the price of energy at each device [currency/kWh], by family."""
    if compiled.limits is None:
        return {}
    prices = -compiled.price_of(compiled.limits.inside_kw) / case.horizon.step_h
    return {name: members.T @ prices for name, members in membership(case).items()}


def _grid_limit_price(case: PlanningCase, compiled: CompiledPlan) -> Floats:
    """Dual prices of the grid's limits at each step, (steps,) [currency/kWh]."""
    grid = compiled.grid
    bought = -compiled.price_of(grid.within_import_kw) * _at_limit(
        value_of(grid.import_kw), case.grid.max_import_kw
    )
    sold = -compiled.price_of(grid.within_export_kw) * _at_limit(
        value_of(grid.export_kw), case.grid.max_export_kw
    )
    return (bought - sold) / case.horizon.step_h


def _at_limit(power_kw: Floats, limit: Series | None) -> Floats:
    """1 where the power has reached its limit, (steps,)."""
    if limit is None:
        return np.zeros_like(power_kw)
    reached: Floats = (power_kw >= vector(limit, power_kw.size) - _WORTH).astype(np.float64)
    return reached


def _grid_prices(case: PlanningCase, compiled: CompiledPlan) -> list[LimitPrice]:
    """The grid's limits where they bind."""
    prices = _grid_limit_price(case, compiled)
    power_kw = value_of(compiled.grid.import_kw - compiled.grid.export_kw)
    return [
        LimitPrice(
            limit="grid.max_import_kw" if price > 0 else "grid.max_export_kw",
            step=step,
            power_kw=_clean(power_kw[step]),
            price_per_kwh=abs(float(price)),
        )
        for step, price in enumerate(prices)
        if abs(price) > _WORTH
    ]


def _limit_prices(case: PlanningCase, compiled: CompiledPlan) -> list[LimitPrice]:
    """Shared limits where they bind."""
    if compiled.limits is None:
        return []
    prices = np.abs(compiled.price_of(compiled.limits.inside_kw)) / case.horizon.step_h
    through_kw = value_of(compiled.limits.through_kw)
    return [
        LimitPrice(
            limit=case.limits[row].id,
            step=int(step),
            power_kw=_clean(through_kw[row, step]),
            price_per_kwh=float(prices[row, step]),
        )
        for row, step in np.argwhere(prices > _WORTH)
    ]


def _listed(values: Floats) -> tuple[float, ...]:
    return tuple(_clean(value) for value in values.tolist())


def _clean(value: float) -> float:
    """Without what arithmetic left at zero."""
    return 0.0 if abs(value) < _NOTHING else float(value)
