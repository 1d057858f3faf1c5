"""Windows to be stored: of one site, every series measured."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from schemas.site_window import Completeness, MeterWindows, SeriesName, SiteWindow
from schemas.windows import WINDOW_MS
from streams.historians.mapping import to_point
from streams.historians.points import MeterPoints, Point, SitePoint

SERIES: Final = 100
START_MS: Final = 1_700_000_000_000
"""Start of the first window [ms]."""

_SITE: Final = "bench"
_NAMES: Final = tuple(
    SeriesName(device=f"meter-{n:04d}", quantity="active_power") for n in range(SERIES)
)

Window = tuple[SitePoint, MeterPoints]
Messages = tuple[MeterWindows, SiteWindow]
"""A window as align publishes it."""


def make_messages(windows: int, site: str = _SITE) -> list[Messages]:
    """So many consecutive windows of one site."""
    values = np.random.default_rng(1).uniform(0.0, 9.9, (windows, SERIES)).round(3)
    return [
        _messages(site, START_MS + number * WINDOW_MS, tuple(row))
        for number, row in enumerate(values.tolist())
    ]


def make_windows(windows: int, site: str = _SITE) -> list[Window]:
    """The same as a historian takes them."""
    found: list[Window] = []
    for meters, window in make_messages(windows, site):
        aggregate, columns = to_point(window), to_point(meters)
        if isinstance(aggregate, SitePoint) and isinstance(columns, MeterPoints):
            found.append((aggregate, columns))
    return found


def writes_of(windows: Sequence[Window], most: int) -> list[list[Point]]:
    """Points of ``most`` windows at a time."""
    return [
        [point for window in windows[low : low + most] for point in window]
        for low in range(0, len(windows), most)
    ]


def _messages(name: str, start_ms: int, values: tuple[float, ...]) -> Messages:
    window = SiteWindow(
        site=name,
        window_start_ms=start_ms,
        revision=0,
        model_hash="0" * 64,
        completeness=Completeness.COMPLETE,
        load_kw=sum(values),
        generation_kw=0.0,
        energy_import_kwh=None,
        measured=SERIES,
        valid=0,
        missing=0,
        missing_rated_kw=0.0,
        missing_series=(),
        relays=(),
        weather={},
    )
    meters = MeterWindows(
        site=name,
        window_start_ms=start_ms,
        revision=0,
        chunk=0,
        series=_NAMES,
        values=values,
        status="m" * SERIES,
    )
    return meters, window
