"""From the windows of a site's series to the site's own window."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.aligning.resampling import MEASURED, MISSING, VALID, IntArray
from processors.aligning.series import SiteSeries
from schemas.align_state import CHUNK_SERIES
from schemas.site_model import Role
from schemas.site_window import (
    Completeness,
    MeterWindows,
    RelayWindow,
    SeriesStatus,
    SiteWindow,
)
from schemas.units import MICRO, TelemetryKind, relay_quantity

_LETTERS = {
    MISSING: SeriesStatus.MISSING,
    VALID: SeriesStatus.VALID,
    MEASURED: SeriesStatus.MEASURED,
}
_NAMED_MISSING = 20


@dataclass(frozen=True, slots=True)
class _Places:
    """Positions, within the site's series, of what the aggregate needs."""

    load: NDArray[np.intp]
    generation: NDArray[np.intp]
    energy: NDArray[np.intp]
    weather: NDArray[np.intp]
    required: NDArray[np.bool_]
    rated_micro: IntArray
    relays: tuple[tuple[str, int, int, int | None], ...]


class SiteAggregate:
    """Makes the messages of one site's windows from rows of the window matrix."""

    def __init__(self, site: SiteSeries) -> None:
        self._site = site
        self._at = _places(site)

    def site_window(
        self, start_ms: int, revision: int, value: IntArray, status: NDArray[np.int8]
    ) -> SiteWindow:
        """The aggregate over one window; ``value`` and ``status`` are the site's [series]."""
        at, known = self._at, status != MISSING
        model = self._site.model
        missing = at.required & ~known
        missing_rated = int(at.rated_micro[missing].sum())
        load = np.where(known, value, at.rated_micro)[at.load].sum()
        generation = np.where(known, value, 0)[at.generation].sum()
        return SiteWindow(
            site=model.name,
            window_start_ms=start_ms,
            revision=revision,
            model_hash=model.model_hash,
            completeness=self._completeness(missing, missing_rated),
            load_kw=int(load) / MICRO,
            generation_kw=int(generation) / MICRO,
            energy_import_kwh=_sum_of_known(value, known, at.energy),
            measured=int((status == MEASURED).sum()),
            valid=int((status == VALID).sum()),
            missing=int((~known).sum()),
            missing_rated_kw=missing_rated / MICRO,
            missing_series=self._names(np.flatnonzero(missing)[:_NAMED_MISSING]),
            relays=tuple(self._relays(value, known)),
            weather=self._weather(value, known),
        )

    def _completeness(self, missing: NDArray[np.bool_], missing_rated: int) -> Completeness:
        if not missing.any():
            return Completeness.COMPLETE
        if 2 * missing_rated > int(self._at.rated_micro.sum()):
            return Completeness.BLIND
        return Completeness.DEGRADED

    def _names(self, places: NDArray[np.intp]) -> tuple[str, ...]:
        names = (self._site.names[place] for place in places)
        return tuple(f"{name.device}/{name.quantity}" for name in names)

    def _relays(self, value: IntArray, known: NDArray[np.bool_]) -> Iterator[RelayWindow]:
        for device, output, state, meter in self._at.relays:
            seen = meter is not None and known[meter]
            yield RelayWindow(
                device=device,
                output=output,
                on=bool(2 * value[state] >= MICRO) if known[state] else None,
                load_kw=int(value[meter]) / MICRO if seen and meter is not None else None,
            )

    def _weather(self, value: IntArray, known: NDArray[np.bool_]) -> dict[str, float]:
        """Last valid value by quantity; the first station that knows it counts."""
        result: dict[str, float] = {}
        for place in self._at.weather:
            if known[place]:
                name = self._site.names[place].quantity
                result.setdefault(name, int(value[place]) / MICRO)
        return result

    def meter_windows(
        self, start_ms: int, revision: int, value: IntArray, status: NDArray[np.int8]
    ) -> Iterator[MeterWindows]:
        """The values of every series in chunks."""
        values: list[float | None] = (value / MICRO).tolist()
        for place in np.flatnonzero(status == MISSING):
            values[place] = None
        letters = "".join(_LETTERS[code] for code in status.tolist())
        for chunk, low in enumerate(range(0, len(values), CHUNK_SERIES)):
            high = low + CHUNK_SERIES
            yield MeterWindows(
                site=self._site.model.name,
                window_start_ms=start_ms,
                revision=revision,
                chunk=chunk,
                series=self._site.names[low:high],
                values=tuple(values[low:high]),
                status=letters[low:high],
            )


def _sum_of_known(
    value: IntArray, known: NDArray[np.bool_], places: NDArray[np.intp]
) -> float | None:
    """Sum of the known values at ``places`` [canonical unit]; None where none is known."""
    seen = places[known[places]]
    return int(value[seen].sum()) / MICRO if len(seen) else None


def _places(site: SiteSeries) -> _Places:
    specs = site.specs
    by_name = {(spec.device, spec.quantity): place for place, spec in enumerate(specs)}

    def where(chosen: list[bool]) -> NDArray[np.intp]:
        return np.flatnonzero(chosen)

    power = [spec.quantity == "active_power" for spec in specs]
    relays = tuple(
        (
            board.id,
            relay.output,
            by_name[board.id, relay_quantity(relay.output)],
            by_name.get((relay.meter, "active_power")) if relay.meter is not None else None,
        )
        for board in site.model.relay_boards
        for relay in board.relays
    )
    in_balance = (Role.LOAD, Role.GENERATION)
    rated = [spec.rated_kw if spec.role in in_balance else 0.0 for spec in specs]
    return _Places(
        load=where([p and s.role is Role.LOAD for p, s in zip(power, specs, strict=True)]),
        generation=where(
            [p and s.role is Role.GENERATION for p, s in zip(power, specs, strict=True)]
        ),
        energy=where([spec.quantity == "energy_import" for spec in specs]),
        weather=where([spec.kind is TelemetryKind.WEATHER for spec in specs]),
        required=np.array([spec.required for spec in specs], np.bool_),
        rated_micro=np.array([round(kw * MICRO) for kw in rated], np.int64),
        relays=relays,
    )
