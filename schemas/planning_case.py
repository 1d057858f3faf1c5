"""A planning case: what a site holds and expects over the steps of a horizon.

Powers follow the sign convention of ``schemas.units`` (consumption, charging and import are
positive) wherever a field or a result may have either sign. Fields that can only mean one thing,
such as ``max_discharge_kw`` or ``available_kw``, are magnitudes and never negative.

A series is one number for every step, or one number that holds at all of them. States of charge
are shares of the capacity (0 to 1). Money is in one currency, whichever it is.
"""

from functools import cached_property

import msgspec

Series = float | tuple[float, ...]
"""A value for each step, or one for all of them."""


class Horizon(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The steps that are planned: ``steps`` of ``step_s`` seconds, the first at ``start_ms``.

    Attributes:
        steps: how many.
        step_s: length of one [s].
        start_ms: start of the first [ms since 1970, UTC]; a label only.
    """

    steps: int
    step_s: float = 900.0
    start_ms: int = 0

    @property
    def step_h(self) -> float:
        """Length of a step [h]."""
        return self.step_s / 3600


class GridConnection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The connection to the grid. An island has ``max_import_kw`` and ``max_export_kw`` of 0.

    Attributes:
        import_price_per_kwh: what imported energy costs [currency/kWh].
        export_price_per_kwh: what exported energy earns (feed-in) [currency/kWh].
        max_import_kw: most import [kW]; None: no limit.
        max_export_kw: most export [kW]; None: no limit.
        demand_charge_per_kw: price of the highest import [currency/kW]; None: there is none.
        peak_so_far_kw: highest import of the billing period so far [kW]; only what exceeds it
            is charged.
    """

    import_price_per_kwh: Series = 0.0
    export_price_per_kwh: Series = 0.0
    max_import_kw: Series | None = None
    max_export_kw: Series | None = None
    demand_charge_per_kw: float | None = None
    peak_so_far_kw: float = 0.0


class FixedLoad(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A load that nobody controls; negative values are generation.

    Attributes:
        id: its name.
        power_kw: forecast [kW].
    """

    id: str
    power_kw: Series


class Solar(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A photovoltaic plant (or wind: whatever costs nothing and comes as it likes).

    Attributes:
        id: its name.
        available_kw: forecast of what it can generate, never negative [kW].
        curtailable: whether it may generate less.
        curtailment_price_per_kwh: what energy not generated costs [currency/kWh].
    """

    id: str
    available_kw: Series
    curtailable: bool = True
    curtailment_price_per_kwh: float = 0.0


class Generator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A generator: off, or between ``min_kw`` and ``max_kw``.

    Attributes:
        id: its name.
        max_kw: most output [kW].
        min_kw: least output while it runs [kW].
        price_per_kwh: marginal cost [currency/kWh].
        start_cost: cost of each start [currency].
        stop_cost: cost of each stop [currency].
        min_up_h: how long it runs at least once it runs [h].
        min_down_h: how long it rests at least once it rests [h].
        was_on: whether it runs before the first step.
        in_state_h: how long it has run or rested by then [h]; None: long enough.
    """

    id: str
    max_kw: float
    min_kw: float = 0.0
    price_per_kwh: float = 0.0
    start_cost: float = 0.0
    stop_cost: float = 0.0
    min_up_h: float = 0.0
    min_down_h: float = 0.0
    was_on: bool = False
    in_state_h: float | None = None

    @property
    def is_committed(self) -> bool:
        """Whether on and off make a difference beyond its output."""
        costs_and_times = (self.start_cost, self.stop_cost, self.min_up_h, self.min_down_h)
        return self.min_kw > 0 or any(value > 0 for value in costs_and_times)


class Battery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A battery. Its state of charge is that of the energy inside, before discharge losses.

    Attributes:
        id: its name.
        capacity_kwh: energy from empty to full [kWh].
        max_charge_kw: most power into it [kW].
        max_discharge_kw: most power out of it [kW].
        soc: state of charge before the first step.
        min_soc, max_soc: between these it stays.
        min_final_soc: state of charge that the last step leaves at least; None: any.
        charge_efficiency: share of the power into it that is stored.
        discharge_efficiency: share of what is taken from it that comes out.
        roundtrip_efficiency: instead of both: its square root goes for each way.
        self_discharge_per_h: share of the stored energy lost in an hour.
        wear_price_per_kwh: wear for each kWh that comes out [currency/kWh].
    """

    id: str
    capacity_kwh: float
    max_charge_kw: float
    max_discharge_kw: float
    soc: float
    min_soc: float = 0.0
    max_soc: float = 1.0
    min_final_soc: float | None = None
    charge_efficiency: float = 1.0
    discharge_efficiency: float = 1.0
    roundtrip_efficiency: float | None = None
    self_discharge_per_h: float = 0.0
    wear_price_per_kwh: float = 0.0

    @property
    def efficiencies(self) -> tuple[float, float]:
        """Efficiency of charging and of discharging."""
        if self.roundtrip_efficiency is None:
            return self.charge_efficiency, self.discharge_efficiency
        return (self.roundtrip_efficiency**0.5,) * 2


class Session(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An electric vehicle at a charger, in the steps ``arrival_step <= t < departure_step``.

    Attributes:
        id: its name.
        arrival_step: first step in which it can charge.
        departure_step: first step in which it no longer can.
        energy_kwh: what it wants [kWh].
        max_kw: most power [kW].
        min_kw: least power while it charges [kW]; below it only 0.
        pilots_kw: the only powers besides 0 that the charger can offer [kW]; empty: any. Those
            above ``max_kw`` are not used.
        priority: 1 is the most important; counts where not all can be served.
        shortfall_price_per_kwh: what energy not delivered costs [currency/kWh]; None: all of it
            has to be delivered.
    """

    id: str
    arrival_step: int
    departure_step: int
    energy_kwh: float
    max_kw: float
    min_kw: float = 0.0
    pilots_kw: tuple[float, ...] = ()
    priority: int = 5
    shortfall_price_per_kwh: float | None = None


class Deferrable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A load that may choose its time, in the steps ``earliest_step <= t < end_step``.

    Attributes:
        id: its name.
        power_kw: what it draws when it is on; most that it draws if it is modulated [kW].
        hours: how long it has to be on; of a modulated load, at full power [h].
        energy_kwh: instead of ``hours``: what it has to draw [kWh].
        earliest_step: first step in which it may be on.
        end_step: first step in which it no longer may; None: the horizon's end.
        interruptible: whether it may pause.
        modulated: whether it may draw any power from ``min_kw`` to ``power_kw``.
        min_kw: least power of a modulated load while it is on [kW].
        priority: 1 is the most important; counts where not all can be served.
    """

    id: str
    power_kw: float
    hours: float | None = None
    energy_kwh: float | None = None
    earliest_step: int = 0
    end_step: int | None = None
    interruptible: bool = True
    modulated: bool = False
    min_kw: float = 0.0
    priority: int = 5

    @property
    def demand_kwh(self) -> float:
        """What it has to draw [kWh]."""
        return self.power_kw * (self.hours or 0.0) if self.energy_kwh is None else self.energy_kwh


class SharedLimit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A limit that devices share, such as a fuse: their net power stays within it either way.

    Attributes:
        id: its name.
        max_kw: most net power of the members together, in and out [kW].
        members: devices, and other limits with all that is behind them (a fuse tree).
    """

    id: str
    max_kw: Series
    members: tuple[str, ...]


Device = FixedLoad | Solar | Generator | Battery | Session | Deferrable


class PlanningCase(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True
):
    """All that a plan is made of.

    Attributes:
        horizon: the steps.
        grid: the connection to the grid.
        loads, solar, generators, batteries, sessions, deferrables: the devices.
        limits: what they share.
    """

    horizon: Horizon
    grid: GridConnection = GridConnection()
    loads: tuple[FixedLoad, ...] = ()
    solar: tuple[Solar, ...] = ()
    generators: tuple[Generator, ...] = ()
    batteries: tuple[Battery, ...] = ()
    sessions: tuple[Session, ...] = ()
    deferrables: tuple[Deferrable, ...] = ()
    limits: tuple[SharedLimit, ...] = ()

    @property
    def families(self) -> dict[str, tuple[Device, ...]]:
        """The devices by the name of their field, in the order of every result."""
        return {
            "loads": self.loads,
            "solar": self.solar,
            "generators": self.generators,
            "batteries": self.batteries,
            "sessions": self.sessions,
            "deferrables": self.deferrables,
        }

    @cached_property
    def below(self) -> dict[str, frozenset[str]]:
        """Every device and limit behind each limit; a limit itself where it stands in a circle."""
        direct = {limit.id: limit.members for limit in self.limits}
        return {limit.id: frozenset(_reached(direct, limit.members)) for limit in self.limits}

    @cached_property
    def members_of(self) -> dict[str, frozenset[str]]:
        """The devices behind each limit, those behind limits below it included."""
        return {limit: names - self.below.keys() for limit, names in self.below.items()}


def _reached(direct: dict[str, tuple[str, ...]], names: tuple[str, ...]) -> set[str]:
    """These names, and all that stand behind those of them that are limits."""
    found: set[str] = set()
    ahead = [*names]
    while ahead:
        if (name := ahead.pop()) not in found:
            found.add(name)
            ahead += direct.get(name, ())
    return found
