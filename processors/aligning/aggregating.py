"""From the window matrix to messages: each site's aggregate, and the values of its series."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from processors.aligning.layout import Layout
from processors.aligning.resampling import MEASURED, MISSING, VALID, IntArray, WindowMatrix
from processors.aligning.series import SiteSeries
from schemas.align_state import CHUNK_SERIES
from schemas.site_window import (
    Completeness,
    RawMeterWindows,
    RelayWindow,
    SeriesStatus,
    SiteWindow,
)
from schemas.units import MICRO, relay_quantity
from schemas.windows import WINDOW_MS

_LETTERS: Final = bytes.maketrans(
    bytes((MISSING, VALID, MEASURED)),
    f"{SeriesStatus.MISSING}{SeriesStatus.VALID}{SeriesStatus.MEASURED}".encode(),
)
_NAMED_MISSING: Final = 20


class _Total(NamedTuple):
    """What is summed over a site in one window; powers and energy in fixed point."""

    load: int
    generation: int
    energy: int
    known_counters: int
    measured: int
    missing: int
    missing_required: int
    missing_rated: int


def _totals(
    layout: Layout, value: IntArray, status: NDArray[np.int8], missing: NDArray[np.bool_]
) -> list[list[list[int]]]:
    """By window and site, what a :class:`_Total` has; ``value`` is 0 where it is missing."""
    columns, required = layout.columns, layout.columns.required & missing
    cells = (
        (value + columns.rated_micro * missing) * columns.in_load,
        value * columns.in_generation,
        value * columns.in_energy,
        columns.in_energy & ~missing,
        status == MEASURED,
        missing,
        required,
        columns.rated_micro * required,
    )
    sums = np.array([layout.sums(each) for each in cells])
    by_window: list[list[list[int]]] = sums.transpose(1, 2, 0).tolist()
    return by_window


class Aggregates:
    """Makes the messages of the windows in one matrix.

    Args:
        layout: whose columns are which.
        matrix: values of all of their series.
    """

    def __init__(self, layout: Layout, matrix: WindowMatrix) -> None:
        self._layout = layout
        self._matrix = matrix
        missing = matrix.status == MISSING
        self._value = np.where(missing, 0, matrix.value)
        self._totals = _totals(layout, self._value, matrix.status, missing)
        self._rated = layout.sums(layout.columns.rated_micro[np.newaxis])[0].tolist()
        self._floats = matrix.value / MICRO
        self._letters = matrix.status.tobytes().translate(_LETTERS).decode()

    def content_hash(self, window: int, at: int) -> str:
        """Hash of the window of the site at place ``at``: equal content, equal hash."""
        columns = self._layout.slices[at]
        value, status = self._value[window, columns], self._matrix.status[window, columns]
        return blake2b(value.tobytes() + status.tobytes(), digest_size=8).hexdigest()

    def site_window(self, window: int, at: int, revision: int) -> SiteWindow:
        """The aggregate of the site at place ``at`` over a window of the matrix."""
        site, total = self._layout.sites[at], _Total(*self._totals[window][at])
        return SiteWindow(
            site=site.name,
            window_start_ms=self._matrix.first_ms + window * WINDOW_MS,
            revision=revision,
            model_hash=site.model_hash,
            completeness=_completeness(total, self._rated[at]),
            load_kw=total.load / MICRO,
            generation_kw=total.generation / MICRO,
            energy_import_kwh=total.energy / MICRO if total.known_counters else None,
            measured=total.measured,
            valid=len(site.names) - total.measured - total.missing,
            missing=total.missing,
            missing_rated_kw=total.missing_rated / MICRO,
            missing_series=self._missing_series(window, at) if total.missing_required else (),
            relays=tuple(_relays(site, *self._known(window, at))) if site.boards else (),
            weather=_weather(site, *self._known(window, at)) if site.stations else {},
        )

    def _known(self, window: int, at: int) -> tuple[IntArray, NDArray[np.bool_]]:
        """Values of a site's series in one window, and which of them are known."""
        columns = self._layout.slices[at]
        return self._value[window, columns], self._matrix.status[window, columns] != MISSING

    def _missing_series(self, window: int, at: int) -> tuple[str, ...]:
        required = self._layout.columns.required[self._layout.slices[at]]
        _, known = self._known(window, at)
        places = np.flatnonzero(required & ~known)[:_NAMED_MISSING].tolist()
        names = (self._layout.sites[at].names[place] for place in places)
        return tuple(f"{name.device}/{name.quantity}" for name in names)

    def meter_windows(self, window: int, at: int, revision: int) -> Iterator[RawMeterWindows]:
        """The values of every series of a site, in chunks."""
        site, columns = self._layout.sites[at], self._layout.slices[at]
        values: list[float | None] = self._floats[window, columns].tolist()
        first = window * len(self._layout.columns) + columns.start
        letters = self._letters[first : first + len(values)]
        if SeriesStatus.MISSING in letters:
            for place in np.flatnonzero(self._matrix.status[window, columns] == MISSING).tolist():
                values[place] = None
        for chunk, names in enumerate(site.chunks):
            low = chunk * CHUNK_SERIES
            high = low + CHUNK_SERIES
            yield RawMeterWindows(
                site=site.name,
                window_start_ms=self._matrix.first_ms + window * WINDOW_MS,
                revision=revision,
                chunk=chunk,
                series=names,
                values=tuple(values[low:high]),
                status=letters[low:high],
            )


def _completeness(total: _Total, rated_micro: int) -> Completeness:
    if not total.missing_required:
        return Completeness.COMPLETE
    is_blind = 2 * total.missing_rated > rated_micro
    return Completeness.BLIND if is_blind else Completeness.DEGRADED


def _relays(site: SiteSeries, value: IntArray, known: NDArray[np.bool_]) -> Iterator[RelayWindow]:
    for board in site.boards:
        for relay in board.relays:
            state = site.places[board.id, relay_quantity(relay.output)]
            meter = None if relay.meter is None else site.places.get((relay.meter, "active_power"))
            load_kw = int(value[meter]) / MICRO if meter is not None and known[meter] else None
            yield RelayWindow(
                device=board.id,
                output=relay.output,
                on=bool(2 * value[state] >= MICRO) if known[state] else None,
                load_kw=load_kw,
            )


def _weather(site: SiteSeries, value: IntArray, known: NDArray[np.bool_]) -> dict[str, float]:
    """Last valid value by quantity; the first station that knows it counts."""
    result: dict[str, float] = {}
    for station in site.stations:
        for quantity in station.quantities:
            place = site.places[station.id, quantity]
            if known[place]:
                result.setdefault(quantity, int(value[place]) / MICRO)
    return result
