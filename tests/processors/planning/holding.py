"""Checks of a plan against its case, with nothing of the planner's own arithmetic."""

import math

import numpy as np
import pytest

from processors.planning.arrays import Floats, vector
from schemas.planning_case import (
    Battery,
    Deferrable,
    Generator,
    PlanningCase,
    Session,
    Solar,
)
from schemas.planning_result import PlanningResult
from tests.processors.planning.rowwise import too_much_kwh

LIMIT = 1e-6
"""Limits are held to this [kW, kWh]."""


def assert_plan_holds(case: PlanningCase, result: PlanningResult) -> None:
    """Every constraint of the case holds, and the costs are what the schedules cost."""
    assert result.unmet == ()
    powers = {each.device: np.array(each.power_kw) for each in result.schedules}
    steps = case.horizon.steps
    grid_kw = np.array(result.grid_kw)
    assert grid_kw == pytest.approx(sum(powers.values(), start=np.zeros(steps)), abs=LIMIT)
    for limit, way in ((case.grid.max_import_kw, 1), (case.grid.max_export_kw, -1)):
        if limit is not None:
            assert (way * grid_kw <= vector(limit, steps) + LIMIT).all()
    for shared in case.limits:
        through_kw = sum((powers[name] for name in case.members_of[shared.id]), np.zeros(steps))
        assert (np.abs(through_kw) <= vector(shared.max_kw, steps) + LIMIT).all()
    for load in case.loads:
        assert powers[load.id] == pytest.approx(vector(load.power_kw, steps), abs=LIMIT)
    for plant in case.solar:
        _assert_solar(plant, powers[plant.id])
    for generator in case.generators:
        _assert_generator(generator, -powers[generator.id])
    for battery in case.batteries:
        _assert_battery(battery, case, result)
    for session in case.sessions:
        _assert_session(session, powers[session.id], case.horizon.step_h)
    for deferrable in case.deferrables:
        _assert_deferrable(deferrable, powers[deferrable.id], case.horizon.step_h)
    assert result.total_cost == pytest.approx(_cost(case, result), abs=1e-5)


def _assert_solar(plant: Solar, power_kw: Floats) -> None:
    available_kw = vector(plant.available_kw, power_kw.size)
    assert (-power_kw <= available_kw + LIMIT).all()
    assert (power_kw <= LIMIT).all()
    if not plant.curtailable:
        assert -power_kw == pytest.approx(available_kw, abs=LIMIT)


def _assert_generator(device: Generator, output_kw: Floats) -> None:
    assert (output_kw <= device.max_kw + LIMIT).all()
    assert ((output_kw >= device.min_kw - LIMIT) | (np.abs(output_kw) <= LIMIT)).all()


def _assert_battery(device: Battery, case: PlanningCase, result: PlanningResult) -> None:
    """Each step either charges or discharges: the stored energy follows from the net power."""
    (schedule,) = (each for each in result.schedules if each.device == device.id)
    step_h = case.horizon.step_h
    into, out_of = device.efficiencies
    kept = (1 - device.self_discharge_per_h) ** step_h
    energy_kwh = device.capacity_kwh * device.soc
    for power_kw, soc in zip(schedule.power_kw, schedule.soc[1:], strict=True):
        assert -device.max_discharge_kw - LIMIT <= power_kw <= device.max_charge_kw + LIMIT
        moved_kwh = power_kw * into if power_kw > 0 else power_kw / out_of
        energy_kwh = kept * energy_kwh + step_h * moved_kwh
        assert device.capacity_kwh * soc == pytest.approx(energy_kwh, abs=1e-5)
        assert device.min_soc - LIMIT <= soc <= device.max_soc + LIMIT
    assert schedule.soc[0] == device.soc
    assert schedule.soc[-1] >= (device.min_final_soc or 0.0) - LIMIT


def _assert_session(session: Session, power_kw: Floats, step_h: float) -> None:
    at = np.arange(power_kw.size)
    present = (at >= session.arrival_step) & (at < session.departure_step)
    assert power_kw[~present] == pytest.approx(0, abs=LIMIT)
    assert (power_kw >= -LIMIT).all()
    assert (power_kw <= session.max_kw + LIMIT).all()
    charging = power_kw[power_kw > LIMIT]
    assert (charging >= session.min_kw - LIMIT).all()
    delivered_kwh = step_h * power_kw.sum()
    if session.shortfall_price_per_kwh is None:
        assert delivered_kwh >= session.energy_kwh - LIMIT
    if session.pilots_kw:
        assert all(min(abs(session.pilots_kw - each)) <= LIMIT for each in charging)
        assert delivered_kwh <= session.energy_kwh + step_h * min(session.pilots_kw) + LIMIT
    else:
        assert delivered_kwh <= session.energy_kwh + too_much_kwh(session, step_h) + LIMIT


def _assert_deferrable(device: Deferrable, power_kw: Floats, step_h: float) -> None:
    at = np.arange(power_kw.size)
    end = power_kw.size if device.end_step is None else device.end_step
    assert power_kw[(at < device.earliest_step) | (at >= end)] == pytest.approx(0, abs=LIMIT)
    assert (power_kw <= device.power_kw + LIMIT).all()
    running = power_kw > LIMIT
    drawn_kwh = step_h * power_kw.sum()
    if device.modulated:
        assert (power_kw[running] >= device.min_kw - LIMIT).all()
        assert drawn_kwh == pytest.approx(device.demand_kwh, abs=LIMIT)
    else:
        assert power_kw[running] == pytest.approx(device.power_kw, abs=LIMIT)
        steps = math.ceil(device.demand_kwh / (device.power_kw * step_h) - 1e-9)
        assert np.count_nonzero(running) == steps
    if not device.interruptible:
        assert np.count_nonzero(np.diff(np.r_[False, running, False].astype(int)) > 0) <= 1


def _cost(case: PlanningCase, result: PlanningResult) -> float:
    """What the schedules cost."""
    powers = {each.device: np.array(each.power_kw) for each in result.schedules}
    step_h, grid, grid_kw = case.horizon.step_h, case.grid, np.array(result.grid_kw)
    buy, sell = (
        vector(each, grid_kw.size)
        for each in (grid.import_price_per_kwh, grid.export_price_per_kwh)
    )
    cost = step_h * float(np.where(grid_kw > 0, buy, sell) @ grid_kw)
    cost += (grid.demand_charge_per_kw or 0) * max(0, float(grid_kw.max()) - grid.peak_so_far_kw)
    for plant in case.solar:
        lost_kw = vector(plant.available_kw, grid_kw.size) + powers[plant.id]
        cost += step_h * plant.curtailment_price_per_kwh * float(lost_kw.sum())
    for battery in case.batteries:
        out_kw = float(-powers[battery.id].clip(max=0).sum())
        cost += step_h * battery.wear_price_per_kwh * out_kw
    for session in case.sessions:
        delivered_kwh = step_h * float(powers[session.id].sum())
        short_kwh = max(0.0, session.energy_kwh - delivered_kwh)
        cost += (session.shortfall_price_per_kwh or 0.0) * short_kwh
    for generator in case.generators:
        cost -= step_h * generator.price_per_kwh * float(powers[generator.id].sum())
    return cost + _switching_cost(case, result, powers)


def _switching_cost(case: PlanningCase, result: PlanningResult, powers: dict[str, Floats]) -> float:
    """Starts and stops; where a generator may stay on at no output, as the result says."""
    if any(device.min_kw == 0 for device in case.generators):
        return result.costs.starts_and_stops
    cost = 0.0
    for device in case.generators:
        changes = np.diff(np.r_[device.was_on, powers[device.id] < -LIMIT].astype(int))
        cost += device.start_cost * np.count_nonzero(changes > 0)
        cost += device.stop_cost * np.count_nonzero(changes < 0)
    return cost
