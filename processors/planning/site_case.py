"""A site model becomes a planning case: its devices, as they are now, and what is ahead.

- The limit of import is the capacity less a reserve for forecast error. The threshold is not in
  the case: dispatch holds it by shedding loads, and a plan sheds none.
- Loads behind relays are part of the base load: dispatch decides about them, and not the plan.
- What is fed into the grid earns nothing, as a tariff does not say what it would, and generation
  is not curtailed, as no device of a site model could be told to.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np

from processors.planning.clock_steps import step_starts_ms
from processors.planning.site_checking import site_problems
from processors.planning.site_devices import battery_of, session_of, stay_of
from processors.planning.site_outlook import Outlook, Terms
from schemas.errors import ConfigurationError
from schemas.planning_case import FixedLoad, GridConnection, Horizon, PlanningCase, Session, Solar
from schemas.site_model import SiteModel, Tariff
from schemas.site_now import SiteNow, VehicleNow

BASE_LOAD: Final = "base-load"
GENERATION: Final = "generation"


@dataclass(frozen=True, slots=True)
class SiteCase:
    """A planning case.

    Attributes:
        case: the case.
        notes: a sentence for each vehicle that is not planned as it was wished.
    """

    case: PlanningCase
    notes: tuple[str, ...]


def case_of_site(model: SiteModel, now: SiteNow, outlook: Outlook, terms: Terms) -> SiteCase:
    """The planning case of a site.

    Raises:
        ConfigurationError: ``problems`` names every wrong field.
    """
    problems = list(site_problems(model, now, outlook, terms))
    if problems or model.tariff is None:
        message = f"site {model.name} cannot be planned"
        raise ConfigurationError(message, problems=problems)
    horizon, states = outlook.horizon, {battery.id: battery for battery in now.batteries}
    sessions, notes = _sessions(model, now.vehicles, horizon, terms)
    case = PlanningCase(
        horizon=horizon,
        grid=GridConnection(
            import_price_per_kwh=_prices(model.tariff, horizon, terms),
            max_import_kw=_floats(np.maximum(model.capacity_kw - outlook.reserve_kw, 0.0)),
        ),
        loads=(FixedLoad(id=BASE_LOAD, power_kw=_floats(outlook.base_kw)),),
        solar=_solar(outlook),
        batteries=tuple(battery_of(each, states[each.id]) for each in model.batteries),
        sessions=sessions,
    )
    return SiteCase(case, notes)


def _floats(values: np.ndarray) -> tuple[float, ...]:
    return tuple(values.tolist())


def _prices(tariff: Tariff, horizon: Horizon, terms: Terms) -> tuple[float, ...]:
    """Price of import in each step, by the hour that the site's clock shows at its beginning."""
    price, peak_price = tariff.import_price_per_kwh, terms.peak_price
    starts_ms = np.array(step_starts_ms(horizon), dtype=np.int64)
    dear = terms.peak_hours.hold(starts_ms, terms.zone)
    return _floats(np.where(dear, price if peak_price is None else peak_price, price))


def _solar(outlook: Outlook) -> tuple[Solar, ...]:
    if not outlook.generation_kw.any():
        return ()
    available_kw = _floats(outlook.generation_kw)
    return (Solar(id=GENERATION, available_kw=available_kw, curtailable=False),)


def _sessions(
    model: SiteModel, vehicles: tuple[VehicleNow, ...], horizon: Horizon, terms: Terms
) -> tuple[tuple[Session, ...], tuple[str, ...]]:
    """Every vehicle that has a whole step in the horizon, and what the others are told."""
    chargers = {charger.id: charger for charger in model.chargers}
    found: list[Session] = []
    notes: list[str] = []
    for vehicle in vehicles:
        stay = stay_of(vehicle, horizon, terms.zone)
        first, end = stay.whole_steps(horizon)
        share = stay.share_within(horizon)
        if first < end:
            found.append(session_of(vehicle, chargers[vehicle.charger], (first, end), share))
        notes += _notes(vehicle, horizon, (first, end), share)
    return tuple(_named(found)), tuple(notes)


def _notes(
    vehicle: VehicleNow, horizon: Horizon, steps: tuple[int, int], share: float
) -> Iterator[str]:
    """What is not planned of a vehicle's wish, in words."""
    told = f"{vehicle.charger}: the vehicle that leaves at {vehicle.departure.isoformat()}"
    if share == 0:
        yield f"{told} arrives after these hours and is not planned"
    elif steps[0] >= steps[1]:
        yield f"{told} stays for no whole step of {horizon.step_s / 60:g} min and is not planned"
    elif share < 1:
        planned = f"{share * vehicle.energy_kwh:.4g} of its {vehicle.energy_kwh:g} kWh"
        yield f"{told} stays longer than these hours; {planned} are planned in them"


def _named(sessions: list[Session]) -> Iterator[Session]:
    """The sessions; those that share a charger are numbered."""
    times, seen = Counter(session.id for session in sessions), Counter[str]()
    for session in sessions:
        seen[session.id] += 1
        shared = times[session.id] > 1
        name = f"{session.id}/{seen[session.id]}" if shared else session.id
        yield msgspec.structs.replace(session, id=name)
