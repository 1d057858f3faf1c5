"""What a site holds: meters, relays with their loads, limits, and how it is controlled."""

import json
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from itertools import islice
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from schemas.errors import ConfigurationError
from schemas.units import MAX_RELAYS, QUANTITIES, TelemetryKind

MOST_PROBLEMS: Final = 100
"""Wrong fields that an error names."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""Names of sites, devices and gateways: safe in topics, keys, file names and queries."""

PositiveKw = Annotated[float, Field(gt=0, le=1e6)]
Seconds = Annotated[float, Field(gt=0, le=7 * 86_400)]

_SECRET_KEYS: Final = ("password", "token")


class _Strict(BaseModel):
    """Refuses unknown keys and nonsense, and cannot be changed."""

    # JSON, and so the topic that carries the model, knows no infinite number.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if problems := self._problems():
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> list[str]:
        """Everything in which fields that are right by themselves do not fit together."""
        return []


class Role(StrEnum):
    """What a meter measures; decides the safe side when it is missing."""

    LOAD = "load"
    GENERATION = "generation"
    SUB_METER = "sub-meter"
    """Measures part of what another meter already counts; not added to the site's load."""
    INFORMATION = "information"
    """Not part of the balance; never makes a window degraded."""


class Mode(StrEnum):
    """How far the gate lets plans go."""

    OBSERVE = "observe"
    """Plans are recorded; nothing is commanded."""
    CONTROL = "control"
    """Plans that the gate lets through become setpoints."""


class _Source(_Strict):
    """A device that sends telemetry: its readings hold forward from their stamp.

    ``interval_s``: a reading is *measured* this long [s]. ``hold_s``: it is *valid* until then
    (default twice the interval) [s].
    """

    id: Name
    interval_s: Seconds = 5.0
    hold_s: Seconds | None = None

    @property
    def held_s(self) -> float:
        """Hold time with its default applied [s]."""
        return self.hold_s if self.hold_s is not None else 2 * self.interval_s

    def _problems(self) -> list[str]:
        if self.held_s >= self.interval_s:
            return []
        return [f"hold_s {self.held_s} is shorter than interval_s {self.interval_s}"]


class Meter(_Source):
    """A meter. Consumption reads positive, generation negative.

    ``rated_kw``: what a missing load counts [kW]. ``counter_max_kwh``: register value at which
    its energy counters roll over to 0 [kWh]; None: a falling counter is a reset.
    """

    rated_kw: PositiveKw
    role: Role = Role.LOAD
    quantities: tuple[str, ...] = ("active_power",)
    counter_max_kwh: Annotated[float, Field(gt=0)] | None = None

    def _problems(self) -> list[str]:
        return [*super()._problems(), *_quantity_problems(self.quantities, TelemetryKind.METER)]


class WeatherStation(_Source):
    """A weather station or service."""

    interval_s: Seconds = 60.0
    quantities: tuple[str, ...] = ("air_temperature",)

    def _problems(self) -> list[str]:
        return [*super()._problems(), *_quantity_problems(self.quantities, TelemetryKind.WEATHER)]


def _quantity_problems(names: tuple[str, ...], kind: TelemetryKind) -> list[str]:
    """Names each quantity that ``kind`` does not carry, or that stands twice."""
    problems = _repeats("quantity", names)
    wrong = [n for n in names if n not in QUANTITIES or kind not in QUANTITIES[n].kinds]
    if wrong:
        problems.append(f"{', '.join(wrong)}: not a quantity of {kind} telemetry")
    return problems


class Relay(_Strict):
    """One output of a relay board and the load behind it.

    ``load_kw``: rated power of the load [kW]. ``priority``: 1 is the most important and is
    shed last. ``on_lease_end``: state that the output returns to. ``meter``: meter that sees
    this load alone; without one its rating counts.
    """

    output: Annotated[int, Field(ge=1, le=MAX_RELAYS)]
    load_kw: PositiveKw
    priority: Annotated[int, Field(ge=1, le=9)]
    sheddable: bool = True
    on_lease_end: Literal["on", "off", "hold"] = "on"
    meter: Name | None = None
    label: str = ""

    def _problems(self) -> list[str]:
        if self.sheddable or self.on_lease_end == "on":
            return []
        return ["a load that is never shed must have on_lease_end = 'on'"]


class RelayBoard(_Source):
    """A relay board (an ESP12F has four outputs) and the gateway that commands it.

    ``simulated``: no real load hangs on it. ``restore_stagger_s``: time between two outputs that
    return when a lease ends [s].
    """

    gateway: Name
    simulated: bool = False
    relays: tuple[Relay, ...]
    restore_stagger_s: Annotated[float, Field(ge=0, le=600)] = 2.0

    def _problems(self) -> list[str]:
        # Not a bound of the field: pydantic would count a relay that is wrong as missing, too.
        empty = [] if self.relays else ["a relay board has at least one relay"]
        outputs = [str(relay.output) for relay in self.relays]
        return [*super()._problems(), *empty, *_repeats("output", outputs)]


class Battery(_Source):
    """A battery; charging positive. Setpoints exist, their optimisation comes later."""

    gateway: Name
    capacity_kwh: Annotated[float, Field(gt=0)]
    max_charge_kw: PositiveKw
    max_discharge_kw: PositiveKw
    on_lease_end: Literal["off"] = "off"


class Charger(_Source):
    """An EV charger. Setpoints exist, their optimisation comes later."""

    gateway: Name
    max_kw: PositiveKw
    on_lease_end_kw: Annotated[float, Field(ge=0)] = 0.0


class Tariff(_Strict):
    """What energy from the grid costs.

    ``currency``: three letters (ISO 4217). ``import_price_per_kwh``: at all times.
    """

    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    import_price_per_kwh: Annotated[float, Field(ge=0, le=1e6)]


class ControlParameters(_Strict):
    """How the site is controlled; times are pipeline time.

    ``lease_s``: how long a setpoint holds [s]. ``dwell_s``: least time between two switches of
    one output [s]. ``hysteresis_kw``: room beyond its own load that an output needs to come
    back [kW]. ``lookahead_s``: how far ahead the threshold is held [s]. ``restores_per_window``:
    outputs that may come back in one window. ``max_plan_age_s``: oldest window that may still
    be acted upon [s]. ``max_blind_s``: how long a blind site's setpoints are renewed [s].
    """

    lease_s: Seconds = 60.0
    dwell_s: Annotated[float, Field(ge=0)] = 30.0
    hysteresis_kw: Annotated[float, Field(ge=0)] = 3.0
    lookahead_s: Seconds = 30.0
    restores_per_window: Annotated[int, Field(ge=1)] = 1
    max_plan_age_s: Seconds = 20.0
    max_blind_s: Annotated[float, Field(ge=0)] = 60.0


class SiteModel(_Strict):
    """A site, complete and checked.

    ``mode``: whether plans become commands. ``simulated_only``: real boards are not commanded.
    ``capacity_kw``: what the site may draw from the grid [kW]. ``threshold_ratio``: share of the
    capacity that dispatch holds the site under. ``tariff``: None where costs are unknown.
    """

    VERSION: ClassVar[str] = "1.0"
    """Not on the wire: a key that a reader does not know is refused, whatever wrote it."""

    name: Name
    mode: Mode = Mode.OBSERVE
    simulated_only: bool = True
    capacity_kw: PositiveKw
    threshold_ratio: Annotated[float, Field(gt=0, le=1)] = 0.85
    meters: tuple[Meter, ...] = ()
    weather_stations: tuple[WeatherStation, ...] = ()
    relay_boards: tuple[RelayBoard, ...] = ()
    batteries: tuple[Battery, ...] = ()
    chargers: tuple[Charger, ...] = ()
    tariff: Tariff | None = None
    control: ControlParameters = ControlParameters()

    @property
    def threshold_kw(self) -> float:
        """Power that dispatch holds the site under [kW]."""
        return self.capacity_kw * self.threshold_ratio

    @cached_property
    def model_hash(self) -> str:
        """SHA-256 of the model's canonical JSON; part of every decision's identity."""
        return sha256(self.model_dump_json().encode()).hexdigest()

    @cached_property
    def boards(self) -> dict[str, RelayBoard]:
        """Relay boards by id."""
        return {board.id: board for board in self.relay_boards}

    @property
    def gateways(self) -> tuple[str, ...]:
        """Every gateway that commands a device of this site, sorted."""
        names = [board.gateway for board in self.relay_boards]
        names += [battery.gateway for battery in self.batteries]
        names += [charger.gateway for charger in self.chargers]
        return tuple(sorted(set(names)))

    def _problems(self) -> list[str]:
        devices = (*self.meters, *self.weather_stations, *self.relay_boards)
        assets = (*self.batteries, *self.chargers)
        problems = _repeats("device", [device.id for device in (*devices, *assets)])
        known = {meter.id for meter in self.meters}
        used = [r.meter for board in self.relay_boards for r in board.relays if r.meter is not None]
        unknown = sorted(set(used) - known)
        if unknown:
            problems.append(f"relays name meters that the site does not have: {', '.join(unknown)}")
        return [*problems, *_repeats("relay meter", used)]


def _repeats(what: str, names: Iterable[str]) -> list[str]:
    """Says which names stand twice, if any."""
    repeated = sorted(name for name, times in Counter(names).items() if times > 1)
    return [f"{what} named twice: {', '.join(repeated)}"] if repeated else []


INVALID: Final = (ValidationError, UnicodeEncodeError)
"""What pydantic raises where something is wrong; the last on half a surrogate pair."""


def explain_validation(error: ValidationError | UnicodeEncodeError) -> list[str]:
    """Every wrong field of a pydantic error, one sentence each, without secrets.

    Of very many the first ones: nobody reads a hundred thousand.
    """
    if isinstance(error, UnicodeEncodeError):
        return [f"a text in it is none: {error}"]
    told = [_explained(problem) for problem in islice(error.errors(), MOST_PROBLEMS)]
    more = error.error_count() - len(told)
    return [*told, f"... and {more} more"] if more else told


def _explained(problem: ErrorDetails) -> str:
    place = ".".join(str(part) for part in problem["loc"]) or "model"
    told = f"{place}: {problem['msg']}"
    # What stands under an unknown key may be a password whose key was misspelt.
    if problem["type"] in {"extra_forbidden", "missing"} or place.endswith(_SECRET_KEYS):
        return told
    return f"{told} (got {problem['input']!r:.80})"


def decode_site_model(value: bytes | None, origin: str) -> SiteModel:
    """A checked site model from a record on ``site.models``.

    Raises:
        ConfigurationError: it is none; ``origin`` says where it came from.
    """
    try:
        data = json.loads(value or b"null")
    except (ValueError, RecursionError) as error:
        message = f"{origin} is not a site model"
        raise ConfigurationError(message, problems=[f"not JSON: {error}"]) from error
    return parse_site_model(data, origin)


def parse_site_model(data: object, origin: str) -> SiteModel:
    """A checked site model from parsed TOML or JSON.

    Raises:
        ConfigurationError: with every wrong field; ``origin`` says where it came from.
    """
    try:
        return SiteModel.model_validate(data)
    except INVALID as error:
        message = f"{origin} is not a site model"
        kinds = {e["type"] for e in error.errors()} if isinstance(error, ValidationError) else ()
        unknown = "extra_forbidden" in kinds
        hint = f"this program has version {SiteModel.VERSION} of site models" if unknown else ""
        raise ConfigurationError(message, problems=explain_validation(error), hint=hint) from error
