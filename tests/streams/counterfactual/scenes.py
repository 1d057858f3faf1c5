"""Short demands of the demo's site, and a silent progress."""

from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hardware.demo_site import demo_week
from hardware.simbench_slice import load_slice
from processors.accounting.metering import Prices
from processors.accounting.peak_hours import PeakHours
from schemas.site_model import SiteModel
from schemas.windows import WINDOW_MS
from streams.counterfactual.comparing import Terms
from streams.counterfactual.demand import Demand

START_MS = 1_700_006_400_000
"""A midnight in UTC [ms]."""


class Silent:
    """Tells nobody; stops after so many calls, if ever."""

    def __init__(self, stop_after: int | None = None) -> None:
        self._left = stop_after

    def start(self, doing: str, windows: int) -> None:
        del doing, windows

    def advance(self, windows: int) -> bool:
        del windows
        if self._left is None:
            return False
        self._left -= 1
        return self._left < 0


def demo_model() -> SiteModel:
    return demo_week(load_slice()).model


def terms(catch_up: float = 0.25, price: float | None = 0.3) -> Terms:
    prices = None if price is None else Prices(currency="EUR", per_kwh=price, peak_per_kwh=price)
    return Terms(
        zone=ZoneInfo("UTC"),
        peak_hours=PeakHours(first=0, end=1),
        prices=prices,
        deferred=frozenset({("board-1", 2), ("board-1", 3)}),
        catch_up=catch_up,
        seed=1,
    )


def demand_of(base_kw: NDArray[np.float64]) -> Demand:
    """This base load under the demo's relay loads at their ratings."""
    count = len(base_kw)
    return Demand(
        source="made up",
        scale=1.0,
        start_ms=START_MS + np.arange(count) * WINDOW_MS,
        base_kw=base_kw,
        relays_kw=np.tile([30.0, 20.0, 10.0, 10.0], (count, 1)),
    )


def hill(top_kw: float, minutes: int = 60) -> Demand:
    """Up from 5 kW to ``top_kw`` and down again, smoothly; then as long at 5 kW."""
    count = minutes * 12
    way = np.sin(np.linspace(0, np.pi, count)) ** 2
    return demand_of(np.concatenate([5 + (top_kw - 5) * way, np.full(count, 5.0)]))


def noisy(minutes: int = 60, seed: int = 3) -> Demand:
    """Around the threshold, with jumps and noise."""
    random = np.random.default_rng(seed)
    steps = np.repeat(random.uniform(0, 40, minutes // 5), 60)
    return demand_of(steps + random.normal(0, 1, len(steps)))
