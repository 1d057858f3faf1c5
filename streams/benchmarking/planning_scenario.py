"""Planning cases of any size: batteries, vehicles, flexible loads, plants behind fuses.

They have no integers, and some of all that a plan is asked for: prices by time of use, a demand
charge, a contract, fuses, final states of charge, vehicles that must be full.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from msgspec.structs import replace

from schemas.planning_case import (
    Battery,
    Deferrable,
    FixedLoad,
    GridConnection,
    Horizon,
    PlanningCase,
    Session,
    SharedLimit,
    Solar,
)

CHANGED_SHARE: Final = 0.01
"""Part of the devices and of the steps whose data change from solve to solve."""

_DAY_H: Final = 24.0
_FEEDERS: Final = 10
_SEED: Final = 20
_DEAR_FROM_H, _DEAR_TO_H = 16.0, 21.0


def planning_case(devices: int, steps: int) -> PlanningCase:
    """A day of a site: 3 in 10 are batteries, 4 vehicles, 2 flexible loads, 1 solar plants.

    Args:
        devices: how many are controlled, 10 or a multiple.
        steps: into which the day is divided.
    """
    random = np.random.default_rng(_SEED)
    horizon = Horizon(steps=steps, step_s=3_600 * _DAY_H / steps)
    tenth = devices // 10
    case = PlanningCase(
        horizon=horizon,
        grid=_grid(random, devices, horizon),
        loads=(FixedLoad(id="base", power_kw=_base_kw(random, devices, horizon)),),
        solar=tuple(_solar(random, n, horizon) for n in range(tenth)),
        batteries=tuple(_battery(random, n) for n in range(3 * tenth)),
        sessions=tuple(_session(random, n, horizon) for n in range(4 * tenth)),
        deferrables=tuple(_flexible_load(random, n, horizon) for n in range(2 * tenth)),
    )
    return replace(case, limits=_feeders(case))


def tracked(case: PlanningCase, solves: int) -> Iterator[PlanningCase]:
    """The case again and again, each time with a share of its data changed."""
    random = np.random.default_rng(_SEED + 1)
    for _ in range(solves):
        case = _changed(random, case)
        yield case


def _changed(random: np.random.Generator, case: PlanningCase) -> PlanningCase:
    """States, wishes, a price and a forecast are other ones now."""
    (load,) = case.loads
    batteries, sessions = [*case.batteries], [*case.sessions]
    for row in _some(random, len(batteries)):
        soc = float(np.clip(batteries[row].soc + random.uniform(-0.05, 0.05), 0.1, 0.9))
        batteries[row] = replace(batteries[row], soc=soc)
    for row in _some(random, len(sessions)):
        wanted_kwh = sessions[row].energy_kwh * random.uniform(0.9, 1.0)
        sessions[row] = replace(sessions[row], energy_kwh=wanted_kwh)
    prices = _moved(random, case.grid.import_price_per_kwh)
    return replace(
        case,
        grid=replace(case.grid, import_price_per_kwh=prices),
        loads=(replace(load, power_kw=_moved(random, load.power_kw)),),
        batteries=tuple(batteries),
        sessions=tuple(sessions),
    )


def _some(random: np.random.Generator, count: int) -> list[int]:
    """Rows that change, at least one."""
    chosen: list[int] = random.choice(count, max(1, round(CHANGED_SHARE * count))).tolist()
    return chosen


def _moved(random: np.random.Generator, series: float | tuple[float, ...]) -> tuple[float, ...]:
    """The series, some of its steps up to 2 % higher or lower."""
    values = np.array(series)
    rows = _some(random, values.size)
    values[rows] *= random.uniform(0.98, 1.02, len(rows))
    return tuple(values.tolist())


def _hours(horizon: Horizon) -> np.ndarray:
    """Hour of the day of each step, (steps,) [h]."""
    return np.arange(horizon.steps) * horizon.step_h


def _grid(random: np.random.Generator, devices: int, horizon: Horizon) -> GridConnection:
    """Time of use with a little of the spot market in it, a demand charge, a contract."""
    hours = _hours(horizon)
    dear = (hours >= _DEAR_FROM_H) & (hours < _DEAR_TO_H)
    prices = np.where(dear, 0.32, 0.18) + random.uniform(-0.03, 0.03, horizon.steps)
    return GridConnection(
        import_price_per_kwh=tuple(prices.tolist()),
        export_price_per_kwh=0.06,
        max_import_kw=2.2 * devices,
        max_export_kw=1.0 * devices,
        demand_charge_per_kw=2.0,
    )


def _base_kw(random: np.random.Generator, devices: int, horizon: Horizon) -> tuple[float, ...]:
    """A load with a peak in the evening."""
    evening = np.exp(-(((_hours(horizon) - 19.0) / 3.0) ** 2))
    shape = 0.5 + evening + random.uniform(0.0, 0.1, horizon.steps)
    return tuple((devices * shape).tolist())


def _solar(random: np.random.Generator, number: int, horizon: Horizon) -> Solar:
    daylight = np.sin(np.pi * (_hours(horizon) - 6.0) / 12.0).clip(min=0.0)
    available_kw = random.uniform(3.0, 10.0) * daylight
    return Solar(id=f"solar-{number}", available_kw=tuple(available_kw.tolist()))


def _battery(random: np.random.Generator, number: int) -> Battery:
    capacity_kwh = random.uniform(5.0, 15.0)
    return Battery(
        id=f"battery-{number}",
        capacity_kwh=capacity_kwh,
        max_charge_kw=capacity_kwh / 2,
        max_discharge_kw=capacity_kwh / 2,
        soc=random.uniform(0.2, 0.8),
        min_soc=0.05,
        min_final_soc=0.4,
        charge_efficiency=random.uniform(0.92, 0.98),
        discharge_efficiency=random.uniform(0.92, 0.98),
        self_discharge_per_h=0.0005,
        wear_price_per_kwh=random.uniform(0.01, 0.04),
    )


def _session(random: np.random.Generator, number: int, horizon: Horizon) -> Session:
    """A vehicle that stays at least a third of the day, and wants half of what it could get."""
    stay = int(random.integers(horizon.steps // 3, horizon.steps // 2))
    arrival = int(random.integers(0, horizon.steps - stay))
    max_kw = float(random.choice([3.7, 7.4, 11.0]))
    return Session(
        id=f"car-{number}",
        arrival_step=arrival,
        departure_step=arrival + stay,
        energy_kwh=min(40.0, 0.5 * stay * horizon.step_h * max_kw) * random.uniform(0.4, 1.0),
        max_kw=max_kw,
    )


def _flexible_load(random: np.random.Generator, number: int, horizon: Horizon) -> Deferrable:
    first = int(random.integers(0, horizon.steps // 2))
    return Deferrable(
        id=f"flexible-{number}",
        power_kw=random.uniform(1.0, 4.0),
        hours=random.uniform(1.0, 4.0),
        earliest_step=first,
        end_step=int(random.integers(first + horizon.steps // 4, horizon.steps)),
        modulated=True,
    )


def _feeders(case: PlanningCase) -> tuple[SharedLimit, ...]:
    """Fuses, each over every tenth device."""
    names = [
        each.id for name, devices in case.families.items() if name != "loads" for each in devices
    ]
    most_kw = 1.5 * len(names) / _FEEDERS
    return tuple(
        SharedLimit(id=f"feeder-{n}", max_kw=most_kw, members=tuple(names[n::_FEEDERS]))
        for n in range(_FEEDERS)
    )
