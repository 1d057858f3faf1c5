"""Batteries and vehicles of a site as devices of a planning case."""

from zoneinfo import ZoneInfo

from processors.planning.clock_steps import Stay, instant_ms
from schemas import planning_case, site_model
from schemas.planning_case import Horizon, Session
from schemas.site_now import BatteryNow, VehicleNow


def battery_of(model: site_model.Battery, now: BatteryNow) -> planning_case.Battery:
    """A battery: ratings from the site model, all else from its state."""
    return planning_case.Battery(
        id=model.id,
        capacity_kwh=model.capacity_kwh,
        max_charge_kw=model.max_charge_kw,
        max_discharge_kw=model.max_discharge_kw,
        soc=now.soc,
        min_soc=now.min_soc,
        max_soc=now.max_soc,
        min_final_soc=now.soc if now.min_final_soc is None else now.min_final_soc,
        roundtrip_efficiency=now.roundtrip_efficiency,
    )


def stay_of(vehicle: VehicleNow, horizon: Horizon, zone: ZoneInfo) -> Stay:
    """When a vehicle is there; one without an arrival is there as the horizon begins."""
    arrival = vehicle.arrival
    return Stay(
        horizon.start_ms if arrival is None else instant_ms(arrival, zone),
        instant_ms(vehicle.departure, zone),
    )


def session_of(
    vehicle: VehicleNow, charger: site_model.Charger, steps: tuple[int, int], share: float
) -> Session:
    """A vehicle's session.

    Args:
        vehicle: the vehicle.
        charger: where it charges.
        steps: when, ``first <= t < end``.
        share: of its energy that is planned [1].
    """
    first, end = steps
    return Session(
        id=charger.id,
        arrival_step=first,
        departure_step=end,
        energy_kwh=vehicle.energy_kwh * share,
        max_kw=charger.max_kw,
        min_kw=vehicle.min_kw,
        pilots_kw=vehicle.pilots_kw,
        priority=vehicle.priority,
        shortfall_price_per_kwh=vehicle.shortfall_price_per_kwh,
    )
