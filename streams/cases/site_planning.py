"""``gridloom plan``: from a site file, meter files and its state to a planning case."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from processors.planning.forecasting import SiteForecast, forecast_site
from processors.planning.site_case import case_of_site
from processors.planning.site_outlook import Terms
from schemas.errors import ConfigurationError
from schemas.planning_case import Horizon, PlanningCase
from schemas.site_now import SiteNow
from schemas.windows import iso_utc
from streams.cases.checking import problems_of
from streams.cases.reading import load_json
from streams.cases.site_history import SiteMeters
from streams.counterfactual.scenario import peak_hours_named
from streams.page.zones import zone_named
from streams.replay.options import ReplayOptions
from streams.replay.site import read_site_file

STEP_MS: Final = 900_000
"""Length of a step [ms]."""

_STEPS_PER_HOUR: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user asks for.

    Attributes:
        site: TOML file of the site.
        data: meter files.
        columns, device: as of ``replay``.
        at_ms: now [ms since the epoch]; None: the end of the files.
        hours: to plan.
        state: JSON file of the site's state; None: no battery, no vehicle.
        timezone: of the site's clock.
        peak_hours: ``FIRST-END``.
        peak_price: price in the peak hours [currency/kWh]; None: the tariff's.
        quantile: share of the past errors that the reserve covers; 0: no reserve.
    """

    site: Path
    data: tuple[Path, ...]
    columns: tuple[str, ...] = ()
    device: str | None = None
    at_ms: int | None = None
    hours: int
    state: Path | None = None
    timezone: str
    peak_hours: str
    peak_price: float | None = None
    quantile: float


def site_case(options: Options, note: Callable[[str], None]) -> PlanningCase:
    """The case of the hours to come; ``note`` is told what it is made of.

    Raises:
        ReplayError: a meter file cannot be read.
        ConfigurationError: a file or an option makes no sense; names every wrong field.
    """
    model, now = read_site_file(options.site), _read_state(options.state)
    terms = Terms(
        zone=zone_named(options.timezone),
        peak_hours=peak_hours_named(options.peak_hours),
        peak_price=options.peak_price,
    )
    columns = ReplayOptions(columns=options.columns, device=options.device)
    meters = SiteMeters(model, options.data, columns, note)
    known_ms = meters.end_ms if options.at_ms is None else options.at_ms
    start_ms = -(-known_ms // STEP_MS) * STEP_MS
    horizon = Horizon(
        steps=_STEPS_PER_HOUR * options.hours, step_s=STEP_MS / 1000, start_ms=start_ms
    )
    history = meters.until(known_ms, start_ms, STEP_MS)
    forecast = forecast_site(history, horizon, options.quantile or None)
    for sentence in _told(forecast):
        note(sentence)
    found = case_of_site(model, now, forecast.outlook, terms)
    for sentence in found.notes:
        note(sentence)
    return found.case


def _read_state(path: Path | None) -> SiteNow:
    """The state in a JSON file.

    Raises:
        ConfigurationError: it cannot be read, or is no state; names every wrong field.
    """
    if path is None:
        return SiteNow()
    data = load_json(path)
    if problems := [each.removeprefix(".") for each in problems_of(data, SiteNow, "")]:
        message = f"{path} is no state of a site"
        hint = "docs/how-to/plan.md has an example"
        raise ConfigurationError(message, problems=problems, hint=hint)
    return msgspec.convert(data, SiteNow)


def _told(forecast: SiteForecast) -> Iterator[str]:
    """What the forecast is made of, in words."""
    start = iso_utc(forecast.outlook.horizon.start_ms)
    yield f"from {start}: as at the same time {forecast.season} ago"
    reserve_kw = forecast.outlook.reserve_kw
    if reserve_kw.any():
        yield (
            f"{forecast.past_forecasts} such forecasts were off by {forecast.mean_error_kw:.3g} kW"
            f" in the mean; {reserve_kw[0]:.3g} to {reserve_kw[-1]:.3g} kW are kept in reserve"
        )
