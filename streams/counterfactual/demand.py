"""What a site would draw if no relay were ever off: the one input of every way of control."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hardware.demo_site import DemoSite
from processors.accounting.days import Day, day_of
from schemas.errors import ConfigurationError
from schemas.windows import WINDOW_MS
from streams.counterfactual.progress import Progress, watched

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Times = NDArray[np.int64]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

DEMO_SOURCE: Final = "SimBench 1-LV-urban6, the week from 2016-05-16"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Powers in n windows of 5 s, in each the mean; of m relay loads in the site model's order.

    Attributes:
        source: where they come from, in words.
        scale: what the base load was multiplied by [1].
        start_ms: recorded start of each window, rising, shape (n,) [ms since the epoch].
        base_kw: net power of all that no relay switches, generation negative, shape (n,) [kW].
        relays_kw: each relay load had it never been off, shape (n, m) [kW].
        stale_windows: windows in which some meter's last reading no longer held, and was taken.
    """

    source: str
    scale: float
    start_ms: Times
    base_kw: Floats
    relays_kw: Floats
    stale_windows: int = 0

    def __len__(self) -> int:
        return len(self.start_ms)


def choose_days(
    whole: Sequence[Day], count: int, first: date | None, zone: ZoneInfo
) -> Sequence[Day]:
    """The first ``count`` of the days that are known as a whole, from ``first`` on.

    Raises:
        ConfigurationError: there are fewer.
    """
    chosen = whole if first is None else [day for day in whole if date_of(day, zone) >= first]
    if len(chosen) < count:
        there = ", ".join(date_of(day, zone).isoformat() for day in chosen[:10]) or "none"
        since = "" if first is None else f" from {first} on"
        raise ConfigurationError(
            f"There are {len(chosen)} whole days in {zone}{since}, not {count}.",
            hint=f"ask for fewer --days, or another --timezone; there are: {there}",
        )
    return chosen[:count]


def date_of(day: Day, zone: ZoneInfo) -> date:
    """A day's date in its zone."""
    start = _EPOCH + timedelta(milliseconds=day.start_ms)
    return start.astimezone(zone).date()


def window_starts(days: Sequence[Day]) -> Times:
    """Start of every window of the days, shape (n,) [ms since the epoch]."""
    return np.concatenate([np.arange(day.start_ms, day.end_ms, WINDOW_MS) for day in days])


def demo_days(site: DemoSite, zone: ZoneInfo) -> list[Day]:
    """Every whole day of the demo's week."""
    base = site.base
    end_ms = base.start_ms + 1000 * base.step_s * len(base.power_kw)
    return whole_days(base.start_ms, end_ms, zone)


def demo_demand(site: DemoSite, days: Sequence[Day], seed: int, progress: Progress) -> Demand:
    """The demo's week, with the plant's noise.

    Args:
        site: of ``demo_week``.
        days: of ``demo_days``.
        seed: of the noise.
        progress: told how many windows are done.

    Raises:
        CancelledError: ``progress`` asked to stop.
    """
    plant = site.plant(origin_ms=site.base.start_ms, seed=seed)
    starts = window_starts(days)
    progress.start("reading", len(starts))
    drawn = [plant.demand_for(int(starts[n])) for n in watched(len(starts), progress)]
    return Demand(
        source=DEMO_SOURCE,
        scale=site.scale,
        start_ms=starts,
        base_kw=np.array([each.base_kw for each in drawn]),
        relays_kw=np.array([each.relays_kw for each in drawn]),
    )


def whole_days(start_ms: int, end_ms: int, zone: ZoneInfo) -> list[Day]:
    """Every calendar day that lies within ``[start_ms, end_ms)`` [ms since the epoch]."""
    days, at_ms = [], start_ms
    while (day := day_of(at_ms, zone)).end_ms <= end_ms:
        if day.start_ms >= start_ms:
            days.append(day)
        at_ms = day.end_ms
    return days
