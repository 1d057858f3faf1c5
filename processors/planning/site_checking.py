"""What is wrong with a site's state and outlook: every wrong field, before a case is built."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations

from processors.planning.checking import horizon_problems
from processors.planning.checking_devices import device_problems
from processors.planning.checking_values import number, series
from processors.planning.site_devices import battery_of, session_of, stay_of
from processors.planning.site_outlook import Outlook, Terms
from schemas.planning_case import Horizon
from schemas.site_model import SiteModel
from schemas.site_now import SiteNow, VehicleNow


def site_problems(model: SiteModel, now: SiteNow, outlook: Outlook, terms: Terms) -> Iterator[str]:
    """Every wrong field, one sentence each."""
    if model.tariff is None:
        yield "site.tariff: there is none, and without prices nothing can be planned"
    if terms.peak_price is not None:
        yield from number(terms.peak_price, "peak_price")
    yield from _outlook_problems(outlook)
    yield from _battery_problems(model, now, outlook.horizon)
    yield from _vehicle_problems(model, now, outlook.horizon, terms)


def _outlook_problems(outlook: Outlook) -> Iterator[str]:
    steps = outlook.horizon.steps
    yield from horizon_problems(outlook.horizon)
    yield from series(tuple(outlook.base_kw.tolist()), "base_kw", steps)
    yield from series(tuple(outlook.generation_kw.tolist()), "generation_kw", steps, least=0.0)
    yield from series(tuple(outlook.reserve_kw.tolist()), "reserve_kw", steps, least=0.0)


def _battery_problems(model: SiteModel, now: SiteNow, horizon: Horizon) -> Iterator[str]:
    """Batteries that the site does not have, that stand twice or nowhere, and wrong values."""
    known = {battery.id: battery for battery in model.batteries}
    times = Counter(battery.id for battery in now.batteries)
    for at, battery in enumerate(now.batteries):
        place = f"batteries[{at}]"
        if battery.id not in known:
            yield f"{place}.id: the site has no battery {battery.id!r} (it has {_list(known)})"
            continue
        if times[battery.id] > 1:
            yield f"{place}.id: {battery.id!r} stands {times[battery.id]} times"
        yield from device_problems(battery_of(known[battery.id], battery), place, horizon)
    if missing := [name for name in known if not times[name]]:
        yield f"batteries: the state of charge is missing of {_list(missing)}"


def _vehicle_problems(
    model: SiteModel, now: SiteNow, horizon: Horizon, terms: Terms
) -> Iterator[str]:
    """Vehicles at chargers that the site does not have, wrong values, impossible times."""
    known = {charger.id: charger for charger in model.chargers}
    for at, vehicle in enumerate(now.vehicles):
        place = f"vehicles[{at}]"
        yield from _stay_problems(vehicle, place, horizon, terms)
        charger = known.get(vehicle.charger)
        if charger is None:
            chargers = f"(it has {_list(known)})"
            yield f"{place}.charger: the site has no charger {vehicle.charger!r} {chargers}"
        else:
            # Times are checked above as what they are here: of steps, any will do.
            session = session_of(vehicle, charger, (0, 1), 1.0)
            yield from device_problems(session, place, horizon)
    yield from _meeting_problems(now.vehicles, horizon, terms)


def _stay_problems(
    vehicle: VehicleNow, place: str, horizon: Horizon, terms: Terms
) -> Iterator[str]:
    stay, departure = stay_of(vehicle, horizon, terms.zone), vehicle.departure.isoformat()
    if stay.departure_ms <= horizon.start_ms:
        yield f"{place}.departure: {departure} is not after the beginning of the plan"
    elif stay.departure_ms <= stay.arrival_ms:
        yield f"{place}.departure: {departure} is not after the arrival"


def _meeting_problems(
    vehicles: tuple[VehicleNow, ...], horizon: Horizon, terms: Terms
) -> Iterator[str]:
    """Vehicles that would stand at the same charger at the same time."""
    stays = [stay_of(vehicle, horizon, terms.zone) for vehicle in vehicles]
    for one, other in combinations(range(len(vehicles)), 2):
        same = vehicles[one].charger == vehicles[other].charger
        begin_ms = max(stays[one].arrival_ms, stays[other].arrival_ms)
        if same and begin_ms < min(stays[one].departure_ms, stays[other].departure_ms):
            at = f"{vehicles[one].charger!r} while vehicles[{one}] is"
            yield f"vehicles[{other}]: it would be at charger {at}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"
