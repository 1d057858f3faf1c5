"""What a site's plan is made of besides its devices: forecasts, and what energy costs when."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from processors.accounting.peak_hours import PeakHours
from processors.planning.arrays import Floats
from schemas.planning_case import Horizon


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is expected in each step, shapes (steps,).

    Attributes:
        horizon: the steps.
        base_kw: what all draws that is not planned [kW].
        generation_kw: what the site generates, never negative [kW].
        reserve_kw: what is kept free of the capacity, never negative [kW].
    """

    horizon: Horizon
    base_kw: Floats
    generation_kw: Floats
    reserve_kw: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """At which hours of the site's clock energy costs something else than the tariff says.

    Attributes:
        zone: the site's time zone.
        peak_hours: these hours.
        peak_price: price in them [currency/kWh]; None: the tariff's, as at all other hours.
    """

    zone: ZoneInfo
    peak_hours: PeakHours
    peak_price: float | None = None
