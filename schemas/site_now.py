"""What a site's devices are doing as a plan begins: charge of batteries, vehicles at chargers.

It also has what a plan needs of a device and its site model does not have, such as the losses of a
battery.
"""

from datetime import datetime

import msgspec


class BatteryNow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A battery of the site. States of charge are shares of its capacity (0 to 1).

    Attributes:
        id: its id in the site model.
        soc: state of charge.
        min_soc, max_soc: between these it stays.
        min_final_soc: state of charge that the plan leaves at least; None: that of now, so that
            no plan looks cheap by emptying it.
        roundtrip_efficiency: share of the energy put in that comes out again. The default is
            ours, for a lithium battery with its inverter.
    """

    id: str
    soc: float
    min_soc: float = 0.0
    max_soc: float = 1.0
    min_final_soc: float | None = None
    roundtrip_efficiency: float = 0.9


class VehicleNow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A vehicle that is, or will be, plugged in. Times without an offset are local.

    Attributes:
        charger: the charger's id in the site model.
        departure: when it leaves.
        energy_kwh: what it wants until then [kWh].
        arrival: when it comes; None: it is there.
        min_kw, pilots_kw, priority, shortfall_price_per_kwh: as of
            ``schemas.planning_case.Session``.
    """

    charger: str
    departure: datetime
    energy_kwh: float
    arrival: datetime | None = None
    min_kw: float = 0.0
    pilots_kw: tuple[float, ...] = ()
    priority: int = 5
    shortfall_price_per_kwh: float | None = None


class SiteNow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every battery of the site, and its vehicles, of which there may be none."""

    batteries: tuple[BatteryNow, ...] = ()
    vehicles: tuple[VehicleNow, ...] = ()
