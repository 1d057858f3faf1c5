"""The same problem written again, row by row for scipy's ``milp``: every device on its own.

Nothing is shared with ``processors.planning``, and everything that may need an integer has one.
"""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]

from schemas.planning_case import (
    Battery,
    Deferrable,
    Generator,
    PlanningCase,
    Series,
    Session,
    Solar,
)

Row = dict[int, float]
INFINITY = float("inf")


@dataclass
class Model:
    """Columns and rows, added one by one."""

    costs: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    integer: list[int] = field(default_factory=list)
    rows: list[tuple[Row, float, float]] = field(default_factory=list)
    constant: float = 0.0

    def column(
        self, upper: float = INFINITY, *, cost: float = 0.0, lower: float = 0.0, whole: bool = False
    ) -> int:
        self.costs.append(cost)
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(int(whole))
        return len(self.costs) - 1

    def row(self, row: Row, lower: float, upper: float) -> None:
        self.rows.append((row, lower, upper))

    def least_cost(self) -> float | None:
        """The least cost; None where nothing is feasible."""
        matrix = np.zeros((len(self.rows), len(self.costs)))
        for number, (row, _, _) in enumerate(self.rows):
            for column, factor in row.items():
                matrix[number, column] += factor
        limits = LinearConstraint(matrix, [r[1] for r in self.rows], [r[2] for r in self.rows])
        found = milp(
            self.costs,
            constraints=limits,
            integrality=self.integer,
            bounds=Bounds(self.lower, self.upper),
            options={"mip_rel_gap": 0.0},
        )
        return None if found.x is None else float(found.fun) + self.constant


def at(series: Series, step: int) -> float:
    return float(series[step]) if isinstance(series, tuple) else float(series)


def least_cost(case: PlanningCase) -> float | None:
    """What the cheapest plan costs; None where no plan keeps every constraint."""
    model, steps = Model(), case.horizon.steps
    powers: dict[str, list[tuple[Row, float]]] = {
        load.id: [({}, at(load.power_kw, step)) for step in range(steps)] for load in case.loads
    }
    for plant in case.solar:
        powers[plant.id] = _solar(model, plant, case)
    for generator in case.generators:
        powers[generator.id] = [(row, 0.0) for row in _generator(model, generator, case)]
    for battery in case.batteries:
        powers[battery.id] = [(row, 0.0) for row in _battery(model, battery, case)]
    for session in case.sessions:
        powers[session.id] = [(row, 0.0) for row in _session(model, session, case)]
    for deferrable in case.deferrables:
        powers[deferrable.id] = [(row, 0.0) for row in _deferrable(model, deferrable, case)]
    _grid(model, case, powers)
    for limit in case.limits:
        for step in range(steps):
            row, fixed = _together([powers[name][step] for name in case.members_of[limit.id]])
            model.row(row, -at(limit.max_kw, step) - fixed, at(limit.max_kw, step) - fixed)
    return model.least_cost()


def _together(parts: list[tuple[Row, float]]) -> tuple[Row, float]:
    joined: Row = {}
    for row, _ in parts:
        joined |= row
    return joined, sum(fixed for _, fixed in parts)


def _grid(model: Model, case: PlanningCase, powers: dict[str, list[tuple[Row, float]]]) -> None:
    grid, step_h, much = case.grid, case.horizon.step_h, 1e4
    charge = grid.demand_charge_per_kw or 0.0
    peak = model.column(lower=grid.peak_so_far_kw, cost=charge)
    model.constant -= charge * grid.peak_so_far_kw
    for step in range(case.horizon.steps):
        most_in = much if grid.max_import_kw is None else at(grid.max_import_kw, step)
        most_out = much if grid.max_export_kw is None else at(grid.max_export_kw, step)
        bought = model.column(most_in, cost=step_h * at(grid.import_price_per_kwh, step))
        sold = model.column(most_out, cost=-step_h * at(grid.export_price_per_kwh, step))
        buys = model.column(1.0, whole=True)
        model.row({bought: 1.0, buys: -much}, -INFINITY, 0.0)
        model.row({sold: 1.0, buys: much}, -INFINITY, much)
        model.row({bought: 1.0, peak: -1.0}, -INFINITY, 0.0)
        row, fixed = _together([power[step] for power in powers.values()])
        balance = {column: -factor for column, factor in row.items()}
        model.row({bought: 1.0, sold: -1.0, **balance}, fixed, fixed)


def _solar(model: Model, plant: Solar, case: PlanningCase) -> list[tuple[Row, float]]:
    powers: list[tuple[Row, float]] = []
    for step in range(case.horizon.steps):
        most = at(plant.available_kw, step)
        price = case.horizon.step_h * plant.curtailment_price_per_kwh
        output = model.column(most, lower=0.0 if plant.curtailable else most, cost=-price)
        model.constant += price * most
        powers.append(({output: -1.0}, 0.0))
    return powers


def _generator(model: Model, device: Generator, case: PlanningCase) -> list[Row]:
    """Minimum times pair by pair of steps: a start at s keeps it on at every t within."""
    step_h, steps = case.horizon.step_h, case.horizon.steps
    outputs = [
        model.column(device.max_kw, cost=step_h * device.price_per_kwh) for _ in range(steps)
    ]
    on = [model.column(1.0, whole=True) for _ in range(steps)]
    start = [model.column(1.0, cost=device.start_cost, whole=True) for _ in range(steps)]
    stop = [model.column(1.0, cost=device.stop_cost, whole=True) for _ in range(steps)]
    for t in range(steps):
        model.row({outputs[t]: 1.0, on[t]: -device.max_kw}, -INFINITY, 0.0)
        model.row({outputs[t]: 1.0, on[t]: -device.min_kw}, 0.0, INFINITY)
        before = {on[t - 1]: -1.0} if t else {}
        was = float(device.was_on) if t == 0 else 0.0
        model.row({on[t]: 1.0, **before, start[t]: -1.0, stop[t]: 1.0}, was, was)
        model.row({start[t]: 1.0, stop[t]: 1.0}, -INFINITY, 1.0)
        for later in range(t, steps):
            if (later - t) * step_h < device.min_up_h - 1e-9:
                model.row({start[t]: 1.0, on[later]: -1.0}, -INFINITY, 0.0)
            if (later - t) * step_h < device.min_down_h - 1e-9:
                model.row({stop[t]: 1.0, on[later]: 1.0}, -INFINITY, 1.0)
        least_h = device.min_up_h if device.was_on else device.min_down_h
        if device.in_state_h is not None and device.in_state_h + t * step_h < least_h - 1e-9:
            model.row({on[t]: 1.0}, float(device.was_on), float(device.was_on))
    return [{output: -1.0} for output in outputs]


def _battery(model: Model, device: Battery, case: PlanningCase) -> list[Row]:
    step_h, powers = case.horizon.step_h, []
    into, out_of = device.efficiencies
    kept = (1 - device.self_discharge_per_h) ** step_h
    before: Row = {}
    start_kwh = kept * device.soc * device.capacity_kwh
    for step in range(case.horizon.steps):
        charge = model.column(device.max_charge_kw)
        discharge = model.column(device.max_discharge_kw, cost=step_h * device.wear_price_per_kwh)
        charges = model.column(1.0, whole=True)
        model.row({charge: 1.0, charges: -device.max_charge_kw}, -INFINITY, 0.0)
        most = device.max_discharge_kw
        model.row({discharge: 1.0, charges: most}, -INFINITY, most)
        last = step == case.horizon.steps - 1
        least = max(device.min_soc, (device.min_final_soc or 0.0) if last else 0.0)
        energy = model.column(
            device.max_soc * device.capacity_kwh, lower=least * device.capacity_kwh
        )
        moved = {charge: -step_h * into, discharge: step_h / out_of}
        model.row({energy: 1.0, **before, **moved}, start_kwh, start_kwh)
        before, start_kwh = {energy: -kept}, 0.0
        powers.append({charge: 1.0, discharge: -1.0})
    return powers


def _session(model: Model, device: Session, case: PlanningCase) -> list[Row]:
    step_h, powers = case.horizon.step_h, []
    delivered: Row = {}
    for step in range(case.horizon.steps):
        present = device.arrival_step <= step < device.departure_step
        most = device.max_kw if present else 0.0
        power = model.column(most)
        if device.pilots_kw:
            chosen = {model.column(1.0, whole=True): -pilot for pilot in device.pilots_kw}
            model.row({power: 1.0, **chosen}, 0.0, 0.0)
            model.row(dict.fromkeys(chosen, 1.0), -INFINITY, 1.0)
        else:
            on = model.column(1.0, whole=True)
            model.row({power: 1.0, on: -device.min_kw}, 0.0, INFINITY)
            model.row({power: 1.0, on: -most}, -INFINITY, 0.0)
        delivered[power] = step_h
        powers.append({power: 1.0})
    beyond = step_h * min(device.pilots_kw) if device.pilots_kw else too_much_kwh(device, step_h)
    price = device.shortfall_price_per_kwh
    short = model.column(0.0 if price is None else INFINITY, cost=price or 0.0)
    model.row({**delivered, short: 1.0}, device.energy_kwh, device.energy_kwh + beyond)
    return powers


def too_much_kwh(device: Session, step_h: float) -> float:
    """What even the least power exceeds the energy by, in as few steps as can deliver it [kWh]."""
    fewest = 0
    while fewest * step_h * device.max_kw < device.energy_kwh - 1e-9:
        fewest += 1
    return max(0.0, fewest * step_h * device.min_kw - device.energy_kwh)


def _deferrable(model: Model, device: Deferrable, case: PlanningCase) -> list[Row]:
    """A run without pauses is one of all runs that there are."""
    step_h, steps = case.horizon.step_h, case.horizon.steps
    end = steps if device.end_step is None else device.end_step
    powers = [model.column(device.power_kw) for _ in range(steps)]
    on = [model.column(1.0, whole=True) for _ in range(steps)]
    for step in range(steps):
        if not device.earliest_step <= step < end:
            model.row({on[step]: 1.0}, 0.0, 0.0)
        least = device.min_kw if device.modulated else device.power_kw
        model.row({powers[step]: 1.0, on[step]: -least}, 0.0, INFINITY)
        model.row({powers[step]: 1.0, on[step]: -device.power_kw}, -INFINITY, 0.0)
    wanted = device.demand_kwh
    if not device.modulated:
        step_kwh = step_h * device.power_kw
        wanted = step_kwh * -(-(wanted - 1e-9) // step_kwh)
    model.row(dict.fromkeys(powers, step_h), wanted, wanted)
    if not device.interruptible:
        for first in range(steps):
            for last in range(first + 2, steps):
                for gap in range(first + 1, last):
                    model.row({on[first]: 1.0, on[last]: 1.0, on[gap]: -1.0}, -INFINITY, 1.0)
    return [{power: 1.0} for power in powers]
