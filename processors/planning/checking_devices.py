"""What is wrong with single devices."""

from collections.abc import Iterator
from typing import Final

from processors.planning.checking_values import number, series, whole
from processors.planning.deferrables import allowed_steps
from schemas.planning_case import (
    Battery,
    Deferrable,
    Device,
    FixedLoad,
    Generator,
    Horizon,
    Session,
    Solar,
)

LEAST_PRIORITY: Final = 9
"""The least important priority; 1 is the most important."""

LEAST_EFFICIENCY: Final = 0.01
"""Less is no battery, and would make numbers that no solver takes."""

_ROUNDING: Final = 1e-9


def device_problems(device: Device, place: str, horizon: Horizon) -> Iterator[str]:
    """Every wrong field of a device, one sentence each; ``place`` is where it stands."""
    match device:
        case FixedLoad():
            yield from series(device.power_kw, f"{place}.power_kw", horizon.steps)
        case Solar():
            yield from series(
                device.available_kw, f"{place}.available_kw", horizon.steps, least=0.0
            )
            price = device.curtailment_price_per_kwh
            yield from number(price, f"{place}.curtailment_price_per_kwh")
        case Generator():
            yield from _generator_problems(device, place)
        case Battery():
            yield from _battery_problems(device, place)
        case Session():
            yield from _session_problems(device, place, horizon)
        case Deferrable():
            yield from _deferrable_problems(device, place, horizon)


def fitting_problems(device: Device, place: str, horizon: Horizon) -> Iterator[str]:
    """Where fields that are right by themselves do not fit together, or the horizon."""
    match device:
        case Battery():
            yield from _holding_problems(device, place, horizon)
        case Deferrable():
            yield from _demand_problems(device, place, horizon)
        case _:
            pass


def _generator_problems(device: Generator, place: str) -> Iterator[str]:
    yield from number(device.max_kw, f"{place}.max_kw", open_end=True)
    for field in ("min_kw", "start_cost", "stop_cost", "min_up_h", "min_down_h"):
        yield from number(getattr(device, field), f"{place}.{field}")
    yield from series(device.price_per_kwh, f"{place}.price_per_kwh", 1)
    if device.in_state_h is not None:
        yield from number(device.in_state_h, f"{place}.in_state_h")
    if device.min_kw > device.max_kw:
        yield f"{place}.min_kw: {device.min_kw:g} is above max_kw {device.max_kw:g}"


def _battery_problems(device: Battery, place: str) -> Iterator[str]:
    yield from number(device.capacity_kwh, f"{place}.capacity_kwh", open_end=True)
    for field in ("max_charge_kw", "max_discharge_kw", "wear_price_per_kwh"):
        yield from number(getattr(device, field), f"{place}.{field}")
    for field in ("charge_efficiency", "discharge_efficiency", "roundtrip_efficiency"):
        if (share := getattr(device, field)) is not None:
            yield from number(share, f"{place}.{field}", least=LEAST_EFFICIENCY, most=1.0)
    if (
        device.roundtrip_efficiency is not None
        and device.charge_efficiency * device.discharge_efficiency != 1
    ):
        yield f"{place}.roundtrip_efficiency: stands beside efficiencies of charging or discharging"
    yield from number(device.self_discharge_per_h, f"{place}.self_discharge_per_h", most=0.99)
    yield from _soc_problems(device, place)


def _soc_problems(device: Battery, place: str) -> Iterator[str]:
    """States of charge that are no share, or do not fit together."""
    for field in ("min_soc", "max_soc"):
        yield from number(getattr(device, field), f"{place}.{field}", most=1.0)
    if device.min_soc > device.max_soc:
        yield f"{place}.min_soc: {device.min_soc:g} is above max_soc {device.max_soc:g}"
        return
    for field in ("soc", "min_final_soc"):
        soc = getattr(device, field)
        if soc is not None and not device.min_soc - _ROUNDING <= soc <= device.max_soc + _ROUNDING:
            limits = f"min_soc {device.min_soc:g} to max_soc {device.max_soc:g}"
            yield f"{place}.{field}: {soc:g} is not from {limits}"


def _holding_problems(device: Battery, place: str, horizon: Horizon) -> Iterator[str]:
    """A battery that loses more at its lowest state of charge than it can be charged."""
    kept = (1 - device.self_discharge_per_h) ** horizon.step_h
    lost_kwh = device.capacity_kwh * device.min_soc * (1 - kept)
    gained_kwh = horizon.step_h * device.max_charge_kw * device.efficiencies[0]
    if lost_kwh > gained_kwh:
        yield f"{place}.self_discharge_per_h: at min_soc it loses more than it can be charged"


def _session_problems(device: Session, place: str, horizon: Horizon) -> Iterator[str]:
    for field in ("energy_kwh", "max_kw", "min_kw"):
        yield from number(getattr(device, field), f"{place}.{field}")
    yield from whole(device.arrival_step, f"{place}.arrival_step", 0, horizon.steps)
    yield from whole(device.departure_step, f"{place}.departure_step", 0, horizon.steps)
    if device.departure_step <= device.arrival_step:
        arrival = f"arrival_step {device.arrival_step}"
        yield f"{place}.departure_step: {device.departure_step} is not after {arrival}"
    if device.min_kw > device.max_kw:
        yield f"{place}.min_kw: {device.min_kw:g} is above max_kw {device.max_kw:g}"
    yield from whole(device.priority, f"{place}.priority", 1, LEAST_PRIORITY)
    if device.shortfall_price_per_kwh is not None:
        yield from number(device.shortfall_price_per_kwh, f"{place}.shortfall_price_per_kwh")
    for number_, pilot_kw in enumerate(device.pilots_kw):
        yield from number(pilot_kw, f"{place}.pilots_kw[{number_}]", open_end=True)
    if device.pilots_kw and device.min_kw:
        yield f"{place}.min_kw: stands beside pilots_kw, of which the least is the minimum"
    if device.pilots_kw and min(device.pilots_kw) > device.max_kw:
        yield f"{place}.pilots_kw: all are above max_kw {device.max_kw:g}"


def _deferrable_problems(device: Deferrable, place: str, horizon: Horizon) -> Iterator[str]:
    yield from number(device.power_kw, f"{place}.power_kw", open_end=True)
    yield from whole(device.priority, f"{place}.priority", 1, LEAST_PRIORITY)
    yield from whole(device.earliest_step, f"{place}.earliest_step", 0, horizon.steps)
    if device.end_step is not None:
        yield from whole(device.end_step, f"{place}.end_step", 0, horizon.steps)
        if device.end_step <= device.earliest_step:
            earliest = f"earliest_step {device.earliest_step}"
            yield f"{place}.end_step: {device.end_step} is not after {earliest}"
    if (device.hours is None) == (device.energy_kwh is None):
        yield f"{place}.hours: give either hours or energy_kwh"
    for field in ("hours", "energy_kwh"):
        if (wanted := getattr(device, field)) is not None:
            yield from number(wanted, f"{place}.{field}")
    yield from _modulation_problems(device, place)


def _demand_problems(device: Deferrable, place: str, horizon: Horizon) -> Iterator[str]:
    """Energy that its window of time cannot hold, even with nothing else at the site."""
    field = "hours" if device.energy_kwh is None else "energy_kwh"
    first, end = allowed_steps(device, horizon)
    possible_kwh = device.power_kw * horizon.step_h * max(0, end - first)
    if device.demand_kwh > possible_kwh + _ROUNDING:
        wanted = f"{device.demand_kwh:g} kWh"
        yield f"{place}.{field}: {wanted} cannot be drawn: its window holds {possible_kwh:g} kWh"
    least_kwh = device.min_kw * horizon.step_h
    if device.modulated and 0 < device.demand_kwh < least_kwh - _ROUNDING:
        yield f"{place}.{field}: less than one step at min_kw, which is {least_kwh:g} kWh"


def _modulation_problems(device: Deferrable, place: str) -> Iterator[str]:
    yield from number(device.min_kw, f"{place}.min_kw")
    if device.min_kw > device.power_kw:
        yield f"{place}.min_kw: {device.min_kw:g} is above power_kw {device.power_kw:g}"
    if device.min_kw and not device.modulated:
        yield f"{place}.min_kw: only a modulated load has one"
    if device.modulated and not device.interruptible and not device.min_kw:
        yield f"{place}.min_kw: a modulated load without pauses needs one above 0"
