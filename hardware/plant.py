"""The simulated plant: what the meters and the weather station of a site would have measured.

Base loads are recorded ones, played faster than they were recorded (``base_load.COMPRESSION``).
Everything else is synthesised: the fluctuation of every load between recorded values, the relay
loads, and the outdoor temperature (a sine over the recorded time of day). Every figure follows
from the seed and the interval alone, so a plant that is asked twice answers the same.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from hardware.base_load import COMPRESSION, BaseLoad, Playback, Powers
from hardware.simulated_board import OutputKey
from schemas.errors import ConfigurationError
from schemas.identity import reading_id
from schemas.site_model import Relay, SiteModel
from schemas.telemetry import Reading
from schemas.windows import WINDOW_MS

SOURCE: Final = "plant"
BASE_NOISE: Final = 0.02
"""Standard deviation of a base load within an interval, relative to its power [1]."""
RELAY_NOISE: Final = 0.01
"""The same for a load behind a relay [1]."""
NOISE_LIMIT: Final = 3.0
"""Noise is cut off at this many standard deviations, so that no load changes its sign."""

MEAN_TEMPERATURE_C: Final = 13.0
TEMPERATURE_SWING_C: Final = 6.0
TEMPERATURE_NOISE_C: Final = 0.2
WARMEST_HOUR: Final = 13.0
"""Hour of the day (UTC) at which the synthesised temperature is highest."""
DAY_MS: Final = 86_400_000
_METER_STREAM, _WEATHER_STREAM = 0, 1


@dataclass(frozen=True, slots=True)
class Totals:
    """Net power of the whole site in one interval, as it truly was.

    Attributes:
        drawn_kw: what the site drew, generation deducted [kW].
        uncontrolled_kw: what the same site would have drawn with every relay on [kW].
    """

    drawn_kw: float
    uncontrolled_kw: float


@dataclass(frozen=True, slots=True)
class Demand:
    """What a site would draw in one interval with every relay on.

    Attributes:
        base_kw: net power of all that no relay switches, generation negative [kW].
        relays_kw: each relay load, in the site model's order, shape (relays,) [kW].
    """

    base_kw: float
    relays_kw: Powers


class Plant:
    """The loads and generators of one site, read once per 5-second interval.

    A reading stamped ``t`` is the mean over ``[t, t + 5 s)``, known only when the interval is
    over: a meter stamps its start and sends at its end. Ask right after an interval is over.

    Args:
        site: the site; every meter is either in ``base`` or the sub-meter of a relay.
        base: powers of all other meters.
        origin_ms: pipeline time at which the first value of ``base`` plays [ms].
        seed: of all noise; not negative.
        compression: recorded time that passes per pipeline time [1].

    Raises:
        ConfigurationError: naming every device that the plant has no values for.
    """

    def __init__(
        self,
        site: SiteModel,
        base: BaseLoad,
        *,
        origin_ms: int,
        seed: int,
        compression: float = COMPRESSION,
    ) -> None:
        if problems := _mismatches(site, base):
            raise ConfigurationError(
                f"The plant does not fit the site {site.name}.", problems=problems
            )
        self._site = site
        self._base = base
        self._playback = Playback(base, origin_ms, compression)
        self._origin_ms = origin_ms
        self._seed = seed
        self._relays = _relays(site)
        self._rating_kw = np.array([relay.load_kw for relay in self._relays.values()])

    def readings_for(
        self, window_start_ms: int, closed_shares: Mapping[OutputKey, float]
    ) -> list[Reading]:
        """Return what every meter measured in the interval from ``window_start_ms`` [kW].

        Args:
            window_start_ms: start of the interval; stamp of the readings [ms].
            closed_shares: share [0..1] of the interval that each relay output was on.

        Raises:
            KeyError: an output of the site is missing in ``closed_shares``.
        """
        base_kw, rating_kw = self._powers(window_start_ms)
        relays_kw = rating_kw * self._shares(closed_shares)
        meters = (*self._base.meters, *(relay.meter for relay in self._relays.values()))
        powers = zip(meters, (*base_kw, *relays_kw), strict=True)
        return [
            self._reading(meter, "active_power", "kW", kw, window_start_ms)
            for meter, kw in powers
            if meter is not None
        ]

    def totals_for(self, window_start_ms: int, closed_shares: Mapping[OutputKey, float]) -> Totals:
        """Return the site's true power in the same interval; arguments as above.

        Relay loads count here whether or not they have a meter of their own.
        """
        base_kw, rating_kw = self._powers(window_start_ms)
        net_kw = float(base_kw.sum())
        return Totals(
            drawn_kw=net_kw + float(rating_kw @ self._shares(closed_shares)),
            uncontrolled_kw=net_kw + float(rating_kw.sum()),
        )

    def demand_for(self, window_start_ms: int) -> Demand:
        """Return what the site would draw in the same interval if no relay were ever off."""
        base_kw, rating_kw = self._powers(window_start_ms)
        return Demand(base_kw=float(base_kw.sum()), relays_kw=rating_kw)

    def weather_for(self, window_start_ms: int) -> list[Reading]:
        """Return what the weather stations measured at ``window_start_ms`` [degC].

        Empty where no station's interval begins in this window; every station reports in the
        plant's first one, so that no minute passes without weather.
        """
        celsius = self._temperature_c(window_start_ms)
        return [
            self._reading(station.id, "air_temperature", "degC", celsius, window_start_ms)
            for station in self._site.weather_stations
            if window_start_ms == self._origin_ms
            or window_start_ms % round(1000 * station.interval_s) < WINDOW_MS
        ]

    def _powers(self, window_start_ms: int) -> tuple[Powers, Powers]:
        """Mean power of every base meter, and of every relay load if on all the time [kW]."""
        base_kw = self._playback.mean_kw(window_start_ms, window_start_ms + WINDOW_MS)
        random = np.random.default_rng([self._seed, _METER_STREAM, window_start_ms])
        noise = random.standard_normal(len(base_kw) + len(self._rating_kw))
        noise = noise.clip(-NOISE_LIMIT, NOISE_LIMIT)
        base_noise, relay_noise = np.split(noise, [len(base_kw)])
        return (
            base_kw * (1 + BASE_NOISE * base_noise),
            self._rating_kw * (1 + RELAY_NOISE * relay_noise),
        )

    def _shares(self, closed_shares: Mapping[OutputKey, float]) -> Powers:
        return np.array([closed_shares[key] for key in self._relays])

    def _temperature_c(self, time_ms: int) -> float:
        """Synthesised outdoor temperature [degC]: no measurement, only plausible."""
        day = self._playback.recorded_ms(time_ms) / DAY_MS - WARMEST_HOUR / 24
        noise = np.random.default_rng([self._seed, _WEATHER_STREAM, time_ms]).standard_normal()
        swing_c = TEMPERATURE_SWING_C * math.cos(2 * math.pi * day)
        return MEAN_TEMPERATURE_C + swing_c + TEMPERATURE_NOISE_C * noise

    def _reading(
        self, device: str, quantity: str, unit: str, value: float, event_time_ms: int
    ) -> Reading:
        return Reading(
            event_id=reading_id(SOURCE, device, quantity, event_time_ms),
            site=self._site.name,
            source=SOURCE,
            device=device,
            quantity=quantity,
            unit=unit,
            value=round(float(value), 3),  # a meter resolves 1 W
            event_time_ms=event_time_ms,
        )


def _relays(site: SiteModel) -> dict[OutputKey, Relay]:
    """Every relay of the site by board and output."""
    return {(board.id, r.output): r for board in site.relay_boards for r in board.relays}


def _mismatches(site: SiteModel, base: BaseLoad) -> list[str]:
    """Every device that either the site or the plant does not have."""
    metered = {meter.id for meter in site.meters}
    fed = {*base.meters, *(r.meter for r in _relays(site).values() if r.meter is not None)}
    return [
        *(
            f"{meter}: no base load and no relay feeds this meter"
            for meter in sorted(metered - fed)
        ),
        *(f"{meter}: the site has no such meter" for meter in sorted(fed - metered)),
        *(
            f"{meter.id}: only active_power is simulated"
            for meter in site.meters
            if meter.quantities != ("active_power",)
        ),
        *(
            f"{station.id}: only air_temperature is simulated"
            for station in site.weather_stations
            if station.quantities != ("air_temperature",)
        ),
    ]
