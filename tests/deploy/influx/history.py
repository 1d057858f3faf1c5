"""A made history of meters and sites in line protocol, and its means, computed in Python."""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

from msgspec import Struct

from schemas.windows import WINDOW_MS

MINUTE_MS: Final = 60_000
QUARTER_HOUR_MS: Final = 900_000

Means = dict[tuple[str, str, int], float]
"""By series (``site/device/quantity``) or site, field, and start of the interval [ms]."""

T = TypeVar("T")


class MeterPoint(Struct, frozen=True):
    """A point: where ``status`` is x, ``value`` is what an older revision left in it."""

    series: str
    time_ms: int
    status: str
    value: float | None


class SitePoint(Struct, frozen=True):
    """A window of a site."""

    site: str
    time_ms: int
    load_kw: float
    generation_kw: float
    net_kw: float
    energy_import_kwh: float | None


class History(Struct, frozen=True):
    """What is stored, and what is to come of it."""

    meters: list[MeterPoint]
    sites: list[SitePoint]

    def lines(self) -> Iterator[str]:
        """Line protocol; a point's older revision comes first."""
        for point in self.meters:
            site, device, quantity = point.series.split("/")
            place = f"meter_window,site={site},device={device},quantity={quantity}"
            if point.value is not None:
                yield f'{place} revision=0i,status="m",value={point.value} {point.time_ms}000000'
            yield f'{place} revision=1i,status="{point.status}" {point.time_ms}000000'
        for window in self.sites:
            fields = f"load_kw={window.load_kw},generation_kw={window.generation_kw}"
            fields += f',net_kw={window.net_kw},revision=1i,completeness="complete"'
            # An older revision knew some energy; the newer one says whether it still does.
            knows = window.energy_import_kwh is not None
            energy = window.energy_import_kwh if knows else 7.0
            if knows or window.site == "home":
                earlier = f"energy_import_kwh={energy},energy_known=true"
                yield f"site_window,site={window.site} {earlier} {window.time_ms}000000"
            fields += f",energy_known={str(knows).lower()}"
            yield f"site_window,site={window.site} {fields} {window.time_ms}000000"

    def means(self, interval_ms: int) -> Means:
        """What downsampling to an interval has to give: every 5-second point counts alike."""
        means: Means = {}
        known = [point for point in self.meters if point.status != "x"]
        places = ((point.series, point.time_ms, point.value) for point in known)
        for (series, at_ms), found in _by_interval(places, interval_ms).items():
            values = [value for value in found if value is not None]
            means[series, "value", at_ms] = sum(values) / len(values)
            means[series, "count", at_ms] = len(values)
        windows = ((each.site, each.time_ms, each) for each in self.sites)
        for (site, at_ms), group in _by_interval(windows, interval_ms).items():
            means |= {(site, name, at_ms): value for name, value in _of_site(group).items()}
        return means


def _of_site(windows: list[SitePoint]) -> dict[str, float]:
    count = len(windows)
    energies = [each.energy_import_kwh for each in windows if each.energy_import_kwh is not None]
    fields = {
        "load_kw": sum(each.load_kw for each in windows) / count,
        "generation_kw": sum(each.generation_kw for each in windows) / count,
        "net_kw": sum(each.net_kw for each in windows) / count,
        "net_kw_max": max(each.net_kw for each in windows),
        "count": float(count),
    }
    return fields | ({"energy_import_kwh": sum(energies)} if energies else {})


def _by_interval(
    items: Iterable[tuple[str, int, T]], interval_ms: int
) -> dict[tuple[str, int], list[T]]:
    groups: dict[tuple[str, int], list[T]] = defaultdict(list)
    for name, time_ms, item in items:
        groups[name, time_ms - time_ms % interval_ms].append(item)
    return groups


def made_history(start_ms: int, windows: int, seed: int = 1) -> History:
    """Two sites with gaps, stale values, a meter that never spoke and one without energy."""
    dice = random.Random(seed)
    meters: list[MeterPoint] = []
    sites: list[SitePoint] = []
    for time_ms in range(start_ms, start_ms + windows * WINDOW_MS, WINDOW_MS):
        for series in ("home/main/active_power", "home/pv/active_power", "yard/main/active_power"):
            status = dice.choice("mmmvx")
            leaves_none = status == "x" and dice.random() < 0.5
            value = None if leaves_none else dice.uniform(-5, 5)
            meters.append(MeterPoint(series, time_ms, status, value))
        meters.append(MeterPoint("home/dead/active_power", time_ms, "x", None))
        if dice.random() < 0.9:  # some windows never come
            energy = dice.uniform(0, 0.01) if dice.random() < 0.8 else None
            load_kw, generation_kw, net_kw = (dice.uniform(-9, 9) for _ in range(3))
            sites.append(SitePoint("home", time_ms, load_kw, generation_kw, net_kw, energy))
        sites.append(SitePoint("yard", time_ms, dice.uniform(0, 9), 0.0, dice.uniform(0, 9), None))
    return History(meters, sites)
