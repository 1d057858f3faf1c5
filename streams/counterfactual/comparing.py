"""The same demand under every way of control, metered alike."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from hardware.load_response import RespondingLoads
from hardware.simulated_board import OutputKey
from processors.accounting.days import day_of
from processors.accounting.metering import Meter, Prices, Trajectory
from processors.accounting.peak_hours import PeakHours
from schemas.site_model import Mode, SiteModel
from schemas.windows import WINDOW_MS
from streams.counterfactual.controls import (
    Control,
    DispatchControl,
    NoControl,
    StaticControl,
    output_keys,
)
from streams.counterfactual.demand import Demand, Floats, date_of
from streams.counterfactual.progress import Progress
from streams.counterfactual.report import (
    CLAIMED_PERCENT,
    DISPATCH,
    NO_CONTROL,
    STATIC,
    STATIC_RETURNING,
    Comparison,
    make_case,
)
from streams.counterfactual.simulating import simulate

_WINDOWS_PER_DAY: Final = 86_400_000 / WINDOW_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a comparison rests on besides site and demand.

    Attributes:
        zone: of the site's days and hours.
        peak_hours: of every day.
        prices: None where they are unknown.
        deferred: outputs whose loads draw later what they missed.
        catch_up: see :class:`Comparison`.
        seed: of the demand's noise.
    """

    zone: ZoneInfo
    peak_hours: PeakHours
    prices: Prices | None
    deferred: frozenset[OutputKey]
    catch_up: float
    seed: int


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison, and the trajectories that it was read from, by control."""

    report: Comparison
    trajectories: dict[str, Trajectory]


def compare(model: SiteModel, demand: Demand, terms: Terms, progress: Progress) -> Compared:
    """Simulate and meter every way of control over the same demand.

    The site is simulated in mode ``control`` with simulated boards, whatever its model says.

    Raises:
        CancelledError: ``progress`` asked to stop.
    """
    site = controllable(model)
    since_ms = int(demand.start_ms[0])
    controls: dict[str, Callable[[], Control]] = {
        NO_CONTROL: lambda: NoControl(site),
        STATIC: lambda: StaticControl(site, returns=False, since_ms=since_ms),
        STATIC_RETURNING: lambda: StaticControl(site, returns=True, since_ms=since_ms),
        DISPATCH: lambda: DispatchControl(site, since_ms=since_ms),
    }
    trajectories, seconds = {}, {}
    for name, make in controls.items():
        progress.start(name, len(demand))
        control, loads = make(), RespondingLoads(catch_up_kw(site, terms))
        began = time.perf_counter()
        trajectories[name] = simulate(site, demand, control, loads, progress)
        seconds[name] = time.perf_counter() - began
    days = len(demand) / _WINDOWS_PER_DAY
    per_day = {name: round(total / days, 3) for name, total in seconds.items()}
    return Compared(_report(site, demand, terms, trajectories, per_day), trajectories)


def controllable(model: SiteModel) -> SiteModel:
    """The same site with its boards simulated and its plans carried out."""
    boards = [board.model_copy(update={"simulated": True}) for board in model.relay_boards]
    return model.model_copy(update={"mode": Mode.CONTROL, "relay_boards": tuple(boards)})


def catch_up_kw(model: SiteModel, terms: Terms) -> Floats:
    """How much more each relay load draws while it catches up, in the model's order [kW]."""
    relays = [relay for board in model.relay_boards for relay in board.relays]
    return np.array(
        [
            terms.catch_up * relay.load_kw if key in terms.deferred else 0.0
            for key, relay in zip(output_keys(model), relays, strict=True)
        ]
    )


def name_of(key: OutputKey) -> str:
    """An output as options and reports name it."""
    return f"{key[0]}:{key[1]}"


def _report(
    model: SiteModel,
    demand: Demand,
    terms: Terms,
    trajectories: dict[str, Trajectory],
    seconds_per_day: dict[str, float],
) -> Comparison:
    meter = Meter(
        relays=tuple(name_of(key) for key in output_keys(model)),
        threshold_kw=model.threshold_kw,
        capacity_kw=model.capacity_kw,
        peak=terms.peak_hours.hold(demand.start_ms, terms.zone),
        prices=terms.prices,
    )
    figures = {name: meter.read(trajectory) for name, trajectory in trajectories.items()}
    days = dict.fromkeys(day_of(int(ms), terms.zone) for ms in demand.start_ms[::720])
    return Comparison(
        site=model.name,
        source=demand.source,
        dates=tuple(date_of(day, terms.zone).isoformat() for day in days),
        start_ms=int(demand.start_ms[0]),
        timezone=terms.zone.key,
        windows=len(demand),
        stale_windows=demand.stale_windows,
        scale=demand.scale,
        seed=terms.seed,
        catch_up=terms.catch_up,
        deferred=tuple(name_of(key) for key in output_keys(model) if key in terms.deferred),
        threshold_kw=model.threshold_kw,
        capacity_kw=model.capacity_kw,
        prices=terms.prices,
        peak_hours=terms.peak_hours,
        claimed_percent=CLAIMED_PERCENT,
        cases=tuple(
            make_case(name, figures[name], figures[NO_CONTROL], trajectory.net_kw)
            for name, trajectory in trajectories.items()
        ),
        seconds_per_day=seconds_per_day,
    )
