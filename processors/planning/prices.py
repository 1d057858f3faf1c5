"""What energy is worth in a solved case: at the site, at every device, through every limit."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from processors.planning.arrays import Floats, vector
from processors.planning.expressions import value_of
from processors.planning.limits import membership
from processors.planning.problem import CompiledPlan
from schemas.planning_case import PlanningCase, Series
from schemas.planning_result import LimitPrice

WORTH: Final = 1e-7
"""A limit whose price is smaller does not bind [currency/kWh]."""

_REACHED_KW: Final = 1e-6

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of a solved case [currency/kWh].

    Attributes:
        site: what one more kWh of load would cost, (steps,).
        through: what a limit adds to that for what consumes behind it, shape (limits, steps);
            negative where it binds the other way.
        grid: what of ``site`` is due to the grid's own limits, (steps,).
        behind: 1 where a device is behind a limit, by family, shape (limits, devices).
        names: of the limits.
    """

    site: Floats
    through: Floats
    grid: Floats
    behind: dict[str, Floats]
    names: tuple[str, ...]

    def at(self, family: str, row: int) -> Floats:
        """What one more kWh at a device would cost, (steps,)."""
        return self.site + self.behind[family][:, row] @ self.through

    def binding_on(self, family: str, row: int) -> dict[str, Flags]:
        """The limits that bind above a device in some step, and in which, (steps,) each."""
        above = np.flatnonzero(self.behind[family][:, row])
        found = {self.names[at]: np.abs(self.through[at]) > WORTH for at in above}
        found |= {"grid.max_import_kw": self.grid > WORTH, "grid.max_export_kw": self.grid < -WORTH}
        return {name: binds for name, binds in found.items() if binds.any()}


def find_prices(case: PlanningCase, compiled: CompiledPlan) -> Prices:
    """The prices of a solved case: reduced costs of columns that stand for what they price."""
    limits, step_h = compiled.limits, case.horizon.step_h
    inside = np.zeros((0, case.horizon.steps))
    if limits is not None:
        inside = compiled.price_of(limits.inside_kw)
    return Prices(
        site=compiled.price_of(compiled.grid.demand_kw) / step_h,
        through=-inside / step_h,
        grid=_grid_prices(case, compiled),
        behind=membership(case),
        names=tuple(limit.id for limit in case.limits),
    )


def _grid_prices(case: PlanningCase, compiled: CompiledPlan) -> Floats:
    """Dual prices of the grid's limits, negative where export is limited, (steps,)."""
    grid = compiled.grid
    bought = -compiled.price_of(grid.within_import_kw)
    sold = -compiled.price_of(grid.within_export_kw)
    import_binds = _at_limit(value_of(grid.import_kw), case.grid.max_import_kw)
    export_binds = _at_limit(value_of(grid.export_kw), case.grid.max_export_kw)
    prices: Floats = np.where(import_binds, bought, 0.0) - np.where(export_binds, sold, 0.0)
    return prices / case.horizon.step_h


def _at_limit(power_kw: Floats, limit: Series | None) -> Flags:
    """Whether the power has reached its limit, (steps,)."""
    most_kw = np.full_like(power_kw, np.inf) if limit is None else vector(limit, power_kw.size)
    return power_kw >= most_kw - _REACHED_KW


def binding_limits(
    case: PlanningCase, compiled: CompiledPlan, prices: Prices
) -> Iterator[LimitPrice]:
    """Every limit that binds, step by step: the grid's first."""
    grid_kw = value_of(compiled.grid.import_kw - compiled.grid.export_kw)
    for step in np.flatnonzero(np.abs(prices.grid) > WORTH).tolist():
        way = "import" if prices.grid[step] > 0 else "export"
        yield _priced(f"grid.max_{way}_kw", step, grid_kw[step], prices.grid[step])
    if compiled.limits is None:
        return
    through_kw = value_of(compiled.limits.through_kw)
    for row, step in np.argwhere(np.abs(prices.through) > WORTH).tolist():
        price = prices.through[row, step]
        yield _priced(case.limits[row].id, step, through_kw[row, step], price)


def _priced(limit: str, step: int, power_kw: float, price: float) -> LimitPrice:
    return LimitPrice(
        limit=limit, step=step, power_kw=float(power_kw), price_per_kwh=abs(float(price))
    )
