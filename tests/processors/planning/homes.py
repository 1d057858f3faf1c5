"""A small home that tests change."""

from typing import Any

from msgspec.structs import replace

from schemas.planning_case import (
    Battery,
    Deferrable,
    FixedLoad,
    Generator,
    GridConnection,
    Horizon,
    PlanningCase,
    Session,
    SharedLimit,
    Solar,
)

BATTERY = Battery(id="cellar", capacity_kwh=10.0, max_charge_kw=5.0, max_discharge_kw=5.0, soc=0.5)
CAR = Session(id="car", arrival_step=0, departure_step=4, energy_kwh=6.0, max_kw=7.0)
BOILER = Deferrable(id="boiler", power_kw=3.0, hours=1.0)

HOME = PlanningCase(
    horizon=Horizon(steps=4, step_s=3600.0),
    grid=GridConnection(import_price_per_kwh=(0.1, 0.2, 0.4, 0.3), export_price_per_kwh=0.05),
    loads=(FixedLoad(id="house", power_kw=1.0),),
    solar=(Solar(id="roof", available_kw=(0.0, 2.0, 1.0, 0.0)),),
    generators=(Generator(id="backup", max_kw=5.0, min_kw=2.0, price_per_kwh=0.5),),
    batteries=(BATTERY,),
    sessions=(CAR,),
    deferrables=(BOILER,),
    limits=(SharedLimit(id="fuse", max_kw=9.0, members=("house", "car", "boiler")),),
)


def changed(**fields: Any) -> PlanningCase:  # noqa: ANN401  any field of a case
    """The home with other fields."""
    return replace(HOME, **fields)


def alone(**fields: Any) -> PlanningCase:  # noqa: ANN401  any field of a case
    """Nothing but these devices, over the home's horizon and prices."""
    return PlanningCase(horizon=HOME.horizon, **{"grid": HOME.grid, **fields})
