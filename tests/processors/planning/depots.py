"""A small depot with a battery and two chargers, that tests change."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from processors.accounting.peak_hours import PeakHours
from processors.planning.clock_steps import instant_ms
from processors.planning.site_outlook import Outlook, Terms
from schemas.planning_case import Horizon
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_now import BatteryNow, SiteNow, VehicleNow

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 3, 2, tzinfo=BERLIN)
"""A Monday in winter: 23:00 of the day before in UTC."""

HORIZON = Horizon(steps=96, start_ms=instant_ms(MIDNIGHT, BERLIN))
TERMS = Terms(zone=BERLIN, peak_hours=PeakHours(first=16, end=21), peak_price=0.5)


def depot(**fields: Any) -> SiteModel:  # noqa: ANN401  any field of a site
    """The depot: 50 kW from the grid at 0.30 EUR/kWh."""
    battery = {"capacity_kwh": 40, "max_charge_kw": 20, "max_discharge_kw": 20}
    data = {
        "name": "depot",
        "capacity_kw": 50,
        "meters": [{"id": "hall", "rated_kw": 50}],
        "batteries": [{"id": "cellar", "gateway": "g1", **battery}],
        "chargers": [{"id": f"bay-{n}", "gateway": "g1", "max_kw": 22} for n in (1, 2)],
        "tariff": {"currency": "EUR", "import_price_per_kwh": 0.3},
    }
    return parse_site_model(data | fields, "test")


def at(hours: float) -> datetime:
    """So many hours after the plan's beginning."""
    return (MIDNIGHT.astimezone(UTC) + timedelta(hours=hours)).astimezone(BERLIN)


def vehicle(**fields: Any) -> VehicleNow:  # noqa: ANN401  any field of a vehicle
    """A van at the first bay from 18 o'clock to the plan's end."""
    given: dict[str, Any] = {
        "charger": "bay-1",
        "arrival": at(18),
        "departure": at(24),
        "energy_kwh": 30.0,
    }
    return VehicleNow(**given | fields)


NOW = SiteNow(
    batteries=(BatteryNow(id="cellar", soc=0.5),),
    vehicles=(vehicle(), vehicle(charger="bay-2", arrival=None, departure=at(6), energy_kwh=60.0)),
)


def outlook(**fields: Any) -> Outlook:  # noqa: ANN401  any field of an outlook
    """20 kW all day and nothing generated."""
    steps = HORIZON.steps
    flat = {"base_kw": 20.0, "generation_kw": 0.0, "reserve_kw": 0.0}
    given: dict[str, Any] = {name: np.full(steps, value) for name, value in flat.items()}
    return Outlook(**{"horizon": HORIZON, **given} | fields)
