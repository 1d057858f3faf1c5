"""What planning answers: a schedule for every device, what it costs, and why.

Powers follow the sign convention of ``schemas.units``: consumption, charging and import are
positive, generation, discharging and export negative.
"""

from enum import StrEnum

import msgspec


class PlanningStatus(StrEnum):
    """How good a plan is."""

    OPTIMAL = "optimal"
    """Every constraint holds, and no plan is cheaper."""
    FEASIBLE = "feasible"
    """Every constraint holds; the search was cut short, and ``gap`` tells how far."""
    BEST_EFFORT = "best-effort"
    """Not all constraints can hold: ``unmet`` names those that do not."""


class DeviceKind(StrEnum):
    """What kind of device a schedule is for; the name of its field in a case."""

    LOAD = "loads"
    SOLAR = "solar"
    GENERATOR = "generators"
    BATTERY = "batteries"
    SESSION = "sessions"
    DEFERRABLE = "deferrables"


class PlanReason(StrEnum):
    """Why a device does what it does in a step."""

    FORECAST = "forecast"
    """Nobody controls it."""
    ABSENT = "absent"
    """The vehicle is not there, or the load may not run yet, or no longer."""
    SERVED = "served"
    """It has all that it wanted."""
    MUST_RUN = "must-run"
    """What it still needs takes all the time that is left."""
    CHEAP = "cheap"
    """Energy is cheap enough now compared with later or earlier."""
    WAITS = "waits"
    """Other steps are cheaper."""
    LIMITED = "limited"
    """A limit above it, or the grid's, leaves no more room."""
    DISCHARGES_DEAR = "discharges-dear"
    """Energy is dear enough now to give what is stored."""
    FULL = "full"
    """The battery is at its highest state of charge."""
    EMPTY = "empty"
    """The battery is at its lowest state of charge."""
    IDLE = "idle"
    """No difference of prices pays for losses and wear."""
    ALL_AVAILABLE = "all-available"
    """It generates all that it can."""
    NOTHING_AVAILABLE = "nothing-available"
    """There is nothing to generate."""
    CURTAILED = "curtailed"
    """More would be worth nothing, or have no place to go."""
    CHEAPER_THAN_GRID = "cheaper-than-grid"
    """The generator's energy costs no more than any other."""
    AT_MINIMUM = "at-minimum"
    """It runs as low as it can: stopping would cost more, or is not allowed."""
    TOO_DEAR = "too-dear"
    """The generator's energy costs more than other energy."""


class Because(msgspec.Struct, frozen=True, kw_only=True):
    """Why a device does what it does in the steps ``from_step <= t < to_step``.

    Attributes:
        from_step, to_step: these steps.
        code: the reason, for programs.
        text: the reason, as a sentence with its figures.
    """

    from_step: int
    to_step: int
    code: PlanReason
    text: str


class DeviceSchedule(msgspec.Struct, frozen=True, kw_only=True):
    """What one device does.

    Attributes:
        device: its id.
        kind: what it is.
        power_kw: at each step, shape (steps,) [kW].
        soc: of a battery, state of charge before the first step and after each, shape
            (steps + 1,); else empty.
        reasons: why, in order, for all steps.
    """

    device: str
    kind: DeviceKind
    power_kw: tuple[float, ...]
    soc: tuple[float, ...] = ()
    reasons: tuple[Because, ...] = ()


class Costs(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan costs, part by part [currency]; what it earns is negative."""

    energy_import: float = 0.0
    energy_export: float = 0.0
    demand: float = 0.0
    generation: float = 0.0
    starts_and_stops: float = 0.0
    wear: float = 0.0
    curtailment: float = 0.0
    shortfall: float = 0.0

    @property
    def total(self) -> float:
        """The sum of all parts [currency]."""
        parts: tuple[float, ...] = msgspec.structs.astuple(self)
        return sum(parts)


class LimitPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that binds in a step, and what one more kWh through it would save.

    Attributes:
        limit: a shared limit's id, or ``grid.max_import_kw`` or ``grid.max_export_kw``.
        step: the step.
        power_kw: net power through it [kW].
        price_per_kwh: its dual price, never negative [currency/kWh]. Of a plan with integer
            decisions: with these decisions kept.
    """

    limit: str
    step: int
    power_kw: float
    price_per_kwh: float


class Unmet(msgspec.Struct, frozen=True, kw_only=True):
    """A constraint that cannot hold.

    Attributes:
        constraint: where it stands in the case, such as ``limits[0].max_kw``.
        subject: id of the device or limit.
        amount: by how much it does not hold: of a limit, the most in any step.
        unit: of ``amount``: kW or kWh.
        steps: the steps in which a limit does not hold; else empty.
        text: what is not held and by how much, in words.
        holds_at: value of ``constraint`` at which it holds. With these values at all of them the
            case is feasible, by this very plan.
        remedy: what would make it hold, in words.
    """

    constraint: str
    subject: str
    amount: float
    unit: str
    steps: tuple[int, ...]
    text: str
    holds_at: float
    remedy: str


class PlanningResult(msgspec.Struct, frozen=True, kw_only=True):
    """A plan.

    Attributes:
        status: how good it is.
        gap: the cheapest plan may cost this much less [currency]; 0 where none does, None where
            that is unknown.
        grid_kw: import (positive) or export at each step, shape (steps,) [kW].
        price_per_kwh: what one more kWh of load would cost in each step, shape (steps,)
            [currency/kWh]; of a plan with integer decisions: with these decisions kept.
        peak_kw: highest import [kW].
        costs: what it costs.
        total_cost: their sum [currency].
        schedules: what each device does, in the order of the case.
        binding: the limits that bind, with their prices.
        unmet: the constraints that cannot hold; empty unless best-effort.
    """

    status: PlanningStatus
    gap: float | None
    grid_kw: tuple[float, ...]
    price_per_kwh: tuple[float, ...]
    peak_kw: float
    costs: Costs
    total_cost: float
    schedules: tuple[DeviceSchedule, ...]
    binding: tuple[LimitPrice, ...]
    unmet: tuple[Unmet, ...]
