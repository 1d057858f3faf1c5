"""A site model from the files alone, for a site that nobody has declared."""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from schemas.errors import ConfigurationError, ReplayError
from schemas.site_model import Role, SiteModel, parse_site_model
from schemas.units import QUANTITIES, TelemetryKind
from streams.replay.columns import POWER
from streams.replay.parsing import FloatArray, IntArray
from streams.replay.recording import Recording, Track

_LEAST_RATING_KW: Final = 0.1


@dataclass(slots=True)
class _Seen:
    """What the files tell of one device; powers in kW, 0 among them."""

    interval_ms: int = 0
    quantities: list[str] = field(default_factory=list)
    lowest_kw: float = 0.0
    highest_kw: float = 0.0


def derive_site(name: str, recording: Recording) -> SiteModel:
    """A site that holds every device of the files, each with what the files show of it.

    A meter is rated at its greatest power, rounded up to 0.1 kW. It is a load, or generation
    where it only ever generates, or mere information where its power is not sent.

    Raises:
        ReplayError: what the files show makes no site, e.g. because a unit is wrong.
    """
    seen: dict[TelemetryKind, dict[str, _Seen]] = {}
    for track in recording.tracks:
        _look_at(track, seen.setdefault(track.layout.kind, {}))
    meters = [_meter(device, it) for device, it in seen.get(TelemetryKind.METER, {}).items()]
    stations = [_station(device, it) for device, it in seen.get(TelemetryKind.WEATHER, {}).items()]
    rated_kw = round(sum(meter["rated_kw"] for meter in meters), 1)
    data = {
        "name": name,
        "capacity_kw": rated_kw or _LEAST_RATING_KW,
        "meters": meters,
        "weather_stations": stations,
    }
    try:
        return parse_site_model(data, f"what the files say of site {name!r}")
    except ConfigurationError as error:
        hint = "correct a unit with --column, or describe the site with --site-file"
        raise ReplayError(error.message, problems=error.problems, hint=hint) from error


def _look_at(track: Track, seen: dict[str, _Seen]) -> None:
    parsed = track.parsed
    for number, column in enumerate(track.layout.values):
        chosen = parsed.column == number
        device, value = parsed.device[chosen], parsed.value[chosen]
        for index in np.unique(device).tolist():
            it = seen.setdefault(parsed.devices[index], _Seen())
            it.interval_ms = max(it.interval_ms, int(track.interval_ms[index]))
            if column.quantity not in it.quantities:
                it.quantities.append(column.quantity)
        if column.quantity == POWER:
            _look_at_power(track, device, QUANTITIES[POWER].accepted[column.unit] * value, seen)


def _look_at_power(
    track: Track, device: IntArray, power_kw: FloatArray, seen: dict[str, _Seen]
) -> None:
    count = len(track.parsed.devices)
    lowest_kw, highest_kw = np.zeros(count), np.zeros(count)
    np.minimum.at(lowest_kw, device, power_kw)
    np.maximum.at(highest_kw, device, power_kw)
    for index in np.unique(device).tolist():
        it = seen[track.parsed.devices[index]]
        it.lowest_kw = min(it.lowest_kw, float(lowest_kw[index]))
        it.highest_kw = max(it.highest_kw, float(highest_kw[index]))


def _meter(device: str, seen: _Seen) -> dict[str, Any]:
    return {
        **_station(device, seen),
        "role": _role(seen),
        "rated_kw": _rating_kw(max(-seen.lowest_kw, seen.highest_kw)),
    }


def _station(device: str, seen: _Seen) -> dict[str, Any]:
    interval_s = seen.interval_ms / 1000
    return {"id": device, "interval_s": interval_s, "quantities": seen.quantities}


def _role(seen: _Seen) -> Role:
    if POWER not in seen.quantities:
        return Role.INFORMATION
    generates = seen.lowest_kw < 0 and seen.highest_kw == 0
    return Role.GENERATION if generates else Role.LOAD


def _rating_kw(greatest_kw: float) -> float:
    """The greatest power, rounded up; the least rating where none was seen [kW]."""
    return max(math.ceil(round(greatest_kw * 10, 6)) / 10, _LEAST_RATING_KW)
