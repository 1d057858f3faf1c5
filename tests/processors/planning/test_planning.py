"""What a planner promises beside the cheapest plan: prices, reasons, reuse, determinism."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from processors.planning.planner import Planner
from processors.planning.problem import CompiledPlan, Exclusive
from processors.planning.shape import shape_of
from schemas.planning_case import (
    FixedLoad,
    Generator,
    GridConnection,
    Horizon,
    PlanningCase,
    SharedLimit,
    Solar,
)
from schemas.planning_result import DeviceSchedule, PlanningResult, PlanningStatus, PlanReason
from tests.processors.planning.drawing import cases
from tests.processors.planning.holding import LIMIT, assert_plan_holds
from tests.processors.planning.homes import BATTERY, BOILER, CAR, HOME, alone, changed


def schedule_of(result: PlanningResult, device: str) -> DeviceSchedule:
    (found,) = (each for each in result.schedules if each.device == device)
    return found


def codes_of(result: PlanningResult, device: str) -> list[PlanReason]:
    """The reason of each step."""
    reasons = schedule_of(result, device).reasons
    return [each.code for each in reasons for _ in range(each.from_step, each.to_step)]


def test_a_battery_does_not_burn_energy_where_the_price_is_negative() -> None:
    """Full after 1.1 of 4 hours; charging and discharging at once would earn in all of them."""
    battery = replace(BATTERY, charge_efficiency=0.9, discharge_efficiency=0.9, max_soc=1.0)
    grid = GridConnection(import_price_per_kwh=-1.0, export_price_per_kwh=-1.0)
    case = alone(grid=grid, batteries=(battery,))
    result = Planner().plan(case)
    assert_plan_holds(case, result)
    (schedule,) = result.schedules
    # 5 kWh fit in; to take them out and in again earns less than nothing.
    bought_kwh = sum(power_kw for power_kw in schedule.power_kw if power_kw > 0)
    sold_kwh = -sum(power_kw for power_kw in schedule.power_kw if power_kw < 0)
    assert 0.9 * bought_kwh - sold_kwh / 0.9 == pytest.approx(5.0, abs=LIMIT)


def test_importing_and_exporting_at_once_does_not_pay_where_feed_in_earns_more() -> None:
    grid = GridConnection(import_price_per_kwh=0.1, export_price_per_kwh=0.3)
    case = alone(grid=grid, loads=HOME.loads, solar=HOME.solar)
    result = Planner().plan(case)
    assert_plan_holds(case, result)
    assert result.grid_kw == pytest.approx((1, -1, 0, 1))


def test_the_same_shape_is_compiled_once(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[PlanningCase] = []

    def count(shape: PlanningCase, exclusive: Exclusive, *, hot: bool) -> CompiledPlan:
        compiled.append(shape)
        return CompiledPlan(shape, exclusive, hot=hot)

    monkeypatch.setattr("processors.planning.planner.CompiledPlan", count)
    planner = Planner()
    later = changed(
        grid=replace(HOME.grid, import_price_per_kwh=(0.4, 0.1, 0.1, 0.2), max_import_kw=7.0),
        loads=(FixedLoad(id="house", power_kw=(1.0, 2.0, 3.0, 1.0)),),
        batteries=(replace(BATTERY, soc=0.2, min_final_soc=0.3),),
        sessions=(replace(CAR, arrival_step=1, energy_kwh=3.0, max_kw=5.0),),
        deferrables=(replace(BOILER, hours=2.0, end_step=3),),
    )
    first, second = planner.plan(HOME), planner.plan(later)
    assert len(compiled) == 1
    assert first == Planner().plan(HOME)
    assert second == Planner().plan(later)
    planner.plan(changed(batteries=()))
    assert len(compiled) == 4


@settings(max_examples=15)
@given(cases(), cases())
def test_a_plan_does_not_hang_on_what_was_planned_before(
    one: PlanningCase, other: PlanningCase
) -> None:
    planner = Planner()
    planner.plan(one)
    planner.plan(other)
    assert planner.plan(one) == Planner().plan(one)


def test_a_shape_has_no_data_in_it() -> None:
    """Every price, forecast, limit and wish is 0 or absent; ratings and names remain."""
    shape = shape_of(HOME)
    assert shape.grid == GridConnection()
    assert {load.power_kw for load in shape.loads} == {0.0}
    assert {session.energy_kwh for session in shape.sessions} == {0.0}
    assert shape.batteries[0].capacity_kwh == BATTERY.capacity_kwh
    assert shape_of(shape) == shape


def test_the_price_of_a_limit_is_what_one_more_kwh_through_it_saves() -> None:
    """The vehicle takes 1 kWh in the cheapest step, and 5 of 6 in dearer ones."""
    fuse = SharedLimit(id="fuse", max_kw=2.0, members=("car", "house"))
    case = alone(loads=HOME.loads, sessions=(replace(CAR, energy_kwh=2.0),), limits=(fuse,))
    result = Planner().plan(case)
    (price,) = (each for each in result.binding if each.step == 0)
    assert price.limit == "fuse"
    assert price.power_kw == pytest.approx(2.0)
    # One more kWh at 0.1 instead of 0.2.
    assert price.price_per_kwh == pytest.approx(0.1)
    wider = replace(fuse, max_kw=(2.25, 2.0, 2.0, 2.0))
    cheaper = Planner().plan(replace(case, limits=(wider,)))
    assert result.total_cost - cheaper.total_cost == pytest.approx(0.25 * price.price_per_kwh)


def test_prices_count_per_kwh_whatever_the_step() -> None:
    fuse = SharedLimit(id="fuse", max_kw=2.0, members=("car",))
    car = replace(CAR, energy_kwh=1.25)
    case = replace(alone(sessions=(car,), limits=(fuse,)), horizon=Horizon(steps=4, step_s=900.0))
    result = Planner().plan(case)
    assert [each.price_per_kwh for each in result.binding] == pytest.approx([0.2, 0.1])
    assert result.price_per_kwh == pytest.approx((0.1, 0.2, 0.4, 0.3))


def test_the_grids_limit_has_a_price_and_raises_that_of_energy() -> None:
    grid = replace(HOME.grid, max_import_kw=4.0)
    result = Planner().plan(alone(grid=grid, loads=HOME.loads, sessions=(CAR,)))
    (price,) = result.binding
    assert (price.limit, price.step) == ("grid.max_import_kw", 0)
    assert price.price_per_kwh == pytest.approx(0.1)
    assert result.price_per_kwh[0] == pytest.approx(0.2)


def test_prices_of_a_plan_with_integers_are_those_with_them_kept() -> None:
    """The boiler is on or off; the fuse's price is still the vehicle's to save."""
    fuse = SharedLimit(id="fuse", max_kw=4.0, members=("car", "boiler"))
    boiler = replace(BOILER, end_step=1)
    result = Planner().plan(
        alone(sessions=(replace(CAR, energy_kwh=3.0),), deferrables=(boiler,), limits=(fuse,))
    )
    (price,) = result.binding
    assert price.price_per_kwh == pytest.approx(0.1)


def test_a_demand_charge_counts_only_above_the_peak_so_far() -> None:
    grid = GridConnection(demand_charge_per_kw=2.0, peak_so_far_kw=1.25)
    result = Planner().plan(alone(grid=grid, sessions=(replace(CAR, energy_kwh=6.0),)))
    assert result.peak_kw == pytest.approx(1.5)
    assert result.costs.demand == pytest.approx(0.5)


def test_a_generator_keeps_its_least_times() -> None:
    """It pays in step 1 only, and has to run for two; it just stopped, and rests in step 0."""
    generator = Generator(
        id="g", max_kw=2.0, price_per_kwh=0.3, min_up_h=2.0, min_down_h=2.0, in_state_h=1.0
    )
    generator = replace(generator, min_kw=1.0)
    grid = GridConnection(import_price_per_kwh=(1.0, 0.9, 0.2, 0.2), max_export_kw=0.0)
    load = FixedLoad(id="house", power_kw=1.0)
    result = Planner().plan(alone(grid=grid, loads=(load,), generators=(generator,)))
    assert schedule_of(result, "g").power_kw == pytest.approx((0, -1, -1, 0))


def test_a_load_without_pauses_takes_its_best_run() -> None:
    grid = GridConnection(import_price_per_kwh=(0.1, 0.4, 0.2, 0.2))
    boiler = replace(BOILER, hours=2.0, interruptible=False)
    result = Planner().plan(alone(grid=grid, deferrables=(boiler,)))
    assert result.schedules[0].power_kw == pytest.approx((0, 0, 3, 3))


def test_pilots_are_the_only_powers_and_a_full_vehicle_ends_early() -> None:
    """4 kWh of stages of 3: two steps, and at most one stage too much."""
    car = replace(CAR, energy_kwh=4.0, pilots_kw=(3.0, 22.0))
    result = Planner().plan(alone(sessions=(car,)))
    assert result.schedules[0].power_kw == pytest.approx((3, 3, 0, 0))


def test_every_step_of_every_device_has_one_reason() -> None:
    result = Planner().plan(HOME)
    for schedule in result.schedules:
        spans = [(each.from_step, each.to_step) for each in schedule.reasons]
        assert [step for span in spans for step in range(*span)] == [0, 1, 2, 3]
        assert all(each.text for each in schedule.reasons)


def test_reasons_tell_what_limits_a_device_and_what_it_waits_for() -> None:
    fuse = SharedLimit(id="fuse", max_kw=2.0, members=("car",))
    car = replace(CAR, energy_kwh=3.0, departure_step=3)
    battery = replace(BATTERY, soc=0.0, max_charge_kw=1.0, min_final_soc=0.1)
    sun = Solar(id="sun", available_kw=(0.0, 9.0, 0.0, 0.0))
    grid = replace(HOME.grid, export_price_per_kwh=-0.1)
    result = Planner().plan(
        alone(grid=grid, sessions=(car,), batteries=(battery,), solar=(sun,), limits=(fuse,))
    )
    assert codes_of(result, "sun") == [
        PlanReason.NOTHING_AVAILABLE,
        PlanReason.CURTAILED,
        PlanReason.NOTHING_AVAILABLE,
        PlanReason.NOTHING_AVAILABLE,
    ]
    assert codes_of(result, "car") == [
        PlanReason.CHEAP,
        PlanReason.LIMITED,
        PlanReason.SERVED,
        PlanReason.ABSENT,
    ]
    assert codes_of(result, "cellar")[1] is PlanReason.CHEAP
    (limited,) = (
        each for each in schedule_of(result, "car").reasons if each.code is PlanReason.LIMITED
    )
    assert limited.text.startswith("2 kW: fuse leaves no more room; energy costs ")


def test_a_vehicle_without_time_to_spare_must_charge() -> None:
    result = Planner().plan(alone(sessions=(replace(CAR, max_kw=2.0, departure_step=3),)))
    assert codes_of(result, "car") == [PlanReason.MUST_RUN] * 3 + [PlanReason.ABSENT]


def test_a_battery_tells_why_it_rests() -> None:
    flat = GridConnection(import_price_per_kwh=0.2, export_price_per_kwh=0.1)
    for soc, reason in ((0.5, PlanReason.IDLE), (0.0, PlanReason.EMPTY), (1.0, PlanReason.FULL)):
        battery = replace(BATTERY, soc=soc, wear_price_per_kwh=1.0)
        result = Planner().plan(alone(grid=flat, batteries=(battery,)))
        assert codes_of(result, "cellar") == [reason] * 4


def test_an_island_is_served_by_its_generators() -> None:
    case = alone(
        grid=GridConnection(max_import_kw=0.0, max_export_kw=0.0),
        loads=HOME.loads,
        generators=(Generator(id="g", max_kw=3.0, price_per_kwh=0.7),),
    )
    result = Planner().plan(case)
    assert result.grid_kw == (0.0,) * 4
    assert result.total_cost == pytest.approx(4 * 0.7)
    assert codes_of(result, "g") == [PlanReason.CHEAPER_THAN_GRID] * 4


def test_a_case_without_devices_has_a_plan() -> None:
    result = Planner().plan(PlanningCase(horizon=Horizon(steps=2)))
    assert (result.status, result.grid_kw) == (PlanningStatus.OPTIMAL, (0.0, 0.0))


def test_a_result_goes_through_json_unchanged() -> None:
    result = Planner().plan(HOME)
    again = msgspec.json.decode(msgspec.json.encode(result), type=PlanningResult)
    assert again == result
    assert np.isfinite(again.total_cost)
