"""Demand from recorded meter files: base meters, and relay loads with or without a meter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from hardware.simbench_slice import DEMO
from processors.accounting.days import Day
from schemas.errors import ConfigurationError
from schemas.site_model import Role, SiteModel
from schemas.units import QUANTITIES
from streams.counterfactual.demand import (
    Demand,
    Flags,
    Floats,
    Times,
    choose_days,
    whole_days,
    window_starts,
)
from streams.replay.columns import POWER
from streams.replay.loading import load_recording
from streams.replay.options import ReplayOptions
from streams.replay.recording import Recording

HOLD_INTERVALS: Final = 2
"""A reading holds for this many of its meter's intervals, as in a site model that says nothing."""

LONGEST_GAP_MS: Final = 900_000
"""A day is left out where a meter is unknown for longer than this [ms] (ours)."""


@dataclass(frozen=True, slots=True)
class Series:
    """One meter's active power: it holds forward from its stamp.

    A reading is taken for longer than it holds where there is no newer one, up to a bound.

    Attributes:
        time_ms: stamps, rising, shape (k,) [ms since the epoch].
        power_kw: generation negative, shape (k,) [kW].
        hold_ms: how long a value holds at most [ms].
    """

    time_ms: Times
    power_kw: Floats
    hold_ms: int

    def at(self, times_ms: Times) -> Floats:
        """The power that holds at each instant, which must lie after the first stamp [kW]."""
        power: Floats = self.power_kw[np.searchsorted(self.time_ms, times_ms, side="right") - 1]
        return power

    def stale_at(self, times_ms: Times) -> Flags:
        """Whether the reading taken at each instant no longer holds."""
        last_ms = self.time_ms[np.searchsorted(self.time_ms, times_ms, side="right") - 1]
        return np.asarray(times_ms - last_ms >= self.hold_ms)

    def covers(self, day: Day) -> bool:
        """Whether there is a reading to be taken at every instant of a day."""
        first, end = np.searchsorted(self.time_ms, [day.start_ms, day.end_ms], side="right")
        if not end:
            return False
        stamps = self.time_ms[max(first - 1, 0) : end]
        gaps = np.diff([*stamps, max(day.end_ms, int(stamps[-1]))])
        return bool(stamps[0] <= day.start_ms and gaps.max() <= self.hold_ms + LONGEST_GAP_MS)


def read_series(recording: Recording) -> dict[str, Series]:
    """Active power of every meter of a recording, by device; of equal stamps the last one."""
    found: dict[str, Series] = {}
    for number, track in enumerate(recording.tracks):
        for column, layout in enumerate(track.layout.values):
            if layout.quantity != POWER:
                continue
            of_column = (recording.track == number) & (recording.column == column)
            factor = QUANTITIES[POWER].accepted[layout.unit]
            for index, device in enumerate(track.parsed.devices):
                chosen = np.flatnonzero(of_column & (recording.device == index))
                if len(chosen):
                    found[device] = _series(recording, chosen, factor)
    return found


def _series(recording: Recording, chosen: Times, factor: float) -> Series:
    times_ms = recording.time_ms[chosen]
    last = np.append(np.diff(times_ms) > 0, True)
    return Series(
        time_ms=times_ms[last],
        power_kw=factor * recording.value[chosen][last],
        hold_ms=HOLD_INTERVALS * int(recording.interval_ms[chosen[0]]),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which part of some files is wanted.

    Attributes:
        files: meter files, as ``replay`` reads them.
        options: what their columns mean.
        count: days.
        first: the first of them, or None for the first that is known as a whole.
        zone: where days begin.
        scale: what the base load is multiplied by [1]; None: until its peak in these days is
            that of the demo.
    """

    files: Sequence[Path]
    options: ReplayOptions
    count: int
    first: date | None
    zone: ZoneInfo
    scale: float | None


def recorded_demand(
    model: SiteModel, request: Request, note: Callable[[str], None], *, whole_site: bool
) -> Demand:
    """Demand from files: values as recorded, nothing is added to them.

    A relay whose meter is in the files has that meter's power as its demand; any other has its
    rating all the time. Days on which a meter is unknown for long are left out.

    Args:
        model: the site.
        request: which files and days.
        note: told what was taken for granted.
        whole_site: whether the site's own meters are the base load; else all of the files' are.

    Raises:
        ReplayError: a file cannot be read.
        ConfigurationError: a meter of the site is in none, or there are too few whole days.
    """
    series = read_series(load_recording(request.files, request.options, note))
    base = _base_meters(model, series, note) if whole_site else tuple(series)
    relays = [relay for board in model.relay_boards for relay in board.relays]
    metered = {relay.meter for relay in relays if relay.meter in series} if whole_site else set()
    used = [series[name] for name in (*base, *sorted(metered))]
    span = min(int(s.time_ms[0]) for s in used), max(int(s.time_ms[-1]) + s.hold_ms for s in used)
    days = [day for day in whole_days(*span, request.zone) if all(s.covers(day) for s in used)]
    starts = window_starts(choose_days(days, request.count, request.first, request.zone))
    base_kw: Floats = np.sum([series[name].at(starts) for name in base], axis=0)
    scale = request.scale if request.scale is not None else _scale_to_demo(base_kw)
    relays_kw = [
        np.maximum(series[relay.meter].at(starts), 0.0)
        if relay.meter is not None and relay.meter in metered
        else np.full(len(starts), relay.load_kw)
        for relay in relays
    ]
    return Demand(
        source=", ".join(path.name for path in request.files),
        scale=scale,
        start_ms=starts,
        base_kw=scale * base_kw,
        relays_kw=np.column_stack(relays_kw),
        stale_windows=int(np.any([s.stale_at(starts) for s in used], axis=0).sum()),
    )


def _scale_to_demo(base_kw: Floats) -> float:
    """The factor at which the base load's peak is that of the demo [1].

    Raises:
        ConfigurationError: there is only generation.
    """
    peak_kw = float(base_kw.max())
    if peak_kw <= 0:
        raise ConfigurationError(
            "The files hold no load in these days, only generation.", hint="give --scale"
        )
    return DEMO.peak_kw / peak_kw


def _base_meters(
    model: SiteModel, series: dict[str, Series], note: Callable[[str], None]
) -> tuple[str, ...]:
    """The site's meters that no relay has for itself.

    Raises:
        ConfigurationError: one is in no file.
    """
    relay_meters = {relay.meter for board in model.relay_boards for relay in board.relays}
    base = tuple(
        meter.id
        for meter in model.meters
        if meter.role in {Role.LOAD, Role.GENERATION} and meter.id not in relay_meters
    )
    if missing := [name for name in base if name not in series]:
        raise ConfigurationError(f"Meters of site {model.name} are in no file.", problems=missing)
    if unused := sorted(series.keys() - {*base, *relay_meters}):
        note(f"not of site {model.name}, left out: {', '.join(unused)}")
    if not base:
        raise ConfigurationError(f"Site {model.name} has no meter of its base load.")
    return base
