"""From what a user asks for to a site, its demand, and the terms of the comparison."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hardware.demo_site import BOARD, demo_week
from hardware.simbench_slice import load_slice
from hardware.simulated_board import OutputKey
from processors.accounting.metering import Prices
from processors.accounting.peak_hours import PeakHours
from schemas.errors import ConfigurationError
from schemas.site_model import SiteModel
from streams.counterfactual.comparing import Terms, name_of
from streams.counterfactual.controls import output_keys
from streams.counterfactual.demand import Demand, choose_days, demo_days, demo_demand
from streams.counterfactual.progress import Progress
from streams.counterfactual.recorded import Request, recorded_demand
from streams.replay.options import ReplayOptions
from streams.replay.site import read_site_file

DEMO_ZONE: Final = "Europe/Berlin"
DEMO_DEFERRED: Final = ((BOARD, 2), (BOARD, 3))
"""The demo's heat pumps and water heating are thermostats; ventilation is simply cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user asks for; what is None has a default that depends on the rest.

    Attributes:
        days: how many.
        site: TOML file of the site; None: the demo's relays and limits.
        data: meter files; none: the demo's week.
        columns, device: as of ``replay``.
        first: first day.
        scale: what the base load is multiplied by [1].
        timezone: where days begin.
        peak_hours: ``FIRST-END``.
        peak_price: price in the peak hours [currency/kWh].
        deferred: outputs that draw later what they missed, ``BOARD:OUTPUT``.
        catch_up: how much more than its rating such a load then draws [1].
        seed: of the demo's noise.
    """

    days: int
    site: Path | None = None
    data: tuple[Path, ...] = ()
    columns: tuple[str, ...] = ()
    device: str | None = None
    first: date | None = None
    scale: float | None = None
    timezone: str | None = None
    peak_hours: str
    peak_price: float | None = None
    deferred: tuple[str, ...] | None = None
    catch_up: float
    seed: int


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a comparison needs."""

    model: SiteModel
    demand: Demand
    terms: Terms


def open_scenario(options: Options, note: Callable[[str], None], progress: Progress) -> Scenario:
    """Read site and demand; ``note`` is told what was taken for granted.

    Raises:
        CancelledError: ``progress`` asked to stop.
        ConfigurationError: an option makes no sense, or does not fit site or data.
        ReplayError: a file cannot be read.
    """
    if not options.data and options.site is not None:
        raise ConfigurationError(
            "A site without meter files has no load to simulate.", hint="give --data FILE"
        )
    zone = _zone(options.timezone or ("UTC" if options.data else DEMO_ZONE))
    demo = demo_week(load_slice(), options.scale)
    model = demo.model if options.site is None else read_site_file(options.site)
    if not output_keys(model):
        raise ConfigurationError(f"Site {model.name} has no relays: there is nothing to control.")
    terms = _terms(model, options, zone)
    if not options.data:
        days = choose_days(demo_days(demo, zone), options.days, options.first, zone)
        demand = demo_demand(demo, days, options.seed, progress)
        return Scenario(model, demand, terms)
    request = Request(
        files=options.data,
        options=ReplayOptions(columns=options.columns, device=options.device),
        count=options.days,
        first=options.first,
        zone=zone,
        scale=1.0 if options.scale is None and options.site is not None else options.scale,
    )
    demand = recorded_demand(model, request, note, whole_site=options.site is not None)
    return Scenario(model, demand, terms)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "for example Europe/Berlin or UTC"
        raise ConfigurationError(f"{name!r} is no time zone.", hint=hint) from error


def _terms(model: SiteModel, options: Options, zone: ZoneInfo) -> Terms:
    return Terms(
        zone=zone,
        peak_hours=peak_hours_named(options.peak_hours),
        prices=_prices(model, options.peak_price),
        deferred=_deferred(model, options),
        catch_up=options.catch_up,
        seed=options.seed,
    )


def peak_hours_named(text: str) -> PeakHours:
    """Peak hours written as ``16-21``.

    Raises:
        ConfigurationError: the text is none.
    """
    first, _, end = text.partition("-")
    try:
        return PeakHours(first=int(first), end=int(end))
    except ValueError as error:
        hint = "16-21 is from 16:00 to 21:00"
        raise ConfigurationError(f"{text!r} are no hours of a day.", hint=hint) from error


def _prices(model: SiteModel, peak_price: float | None) -> Prices | None:
    tariff = model.tariff
    if tariff is None:
        if peak_price is not None:
            raise ConfigurationError(
                f"Site {model.name} has no tariff; a price of the peak hours alone says nothing.",
                hint="add [tariff] to the site file",
            )
        return None
    price = tariff.import_price_per_kwh
    return Prices(
        currency=tariff.currency,
        per_kwh=price,
        peak_per_kwh=price if peak_price is None else peak_price,
    )


def _deferred(model: SiteModel, options: Options) -> frozenset[OutputKey]:
    """The outputs that draw later what they missed; of a user's site, none unless named."""
    if options.deferred is None:
        return frozenset(DEMO_DEFERRED if options.site is None else ())
    known = {name_of(key): key for key in output_keys(model)}
    if unknown := [name for name in options.deferred if name not in known]:
        raise ConfigurationError(
            f"Site {model.name} has no such outputs.",
            problems=unknown,
            hint=f"it has {', '.join(known) or 'none'}",
        )
    return frozenset(known[name] for name in options.deferred)
