"""The demo's site: a SimBench neighbourhood, five PV systems, and a board with four relays.

The base load is an excerpt of the shipped SimBench week that passes the threshold, scaled so
that it suits the four relay loads (``hardware/simbench_slice.py``). It is played over and over,
because the rest of the week holds peaks that these relays could not shed. ``demo_week`` plays the
whole week in its own time, at a scale at which they can.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hardware.base_load import COMPRESSION, BaseLoad
from hardware.plant import Plant
from hardware.simbench_slice import DEMO, SimbenchSlice, net_kw
from schemas.site_model import (
    Meter,
    Mode,
    Relay,
    RelayBoard,
    Role,
    SiteModel,
    Tariff,
    WeatherStation,
)

CAPACITY_KW: Final = 100.0
THRESHOLD_RATIO: Final = 0.85
BOARD: Final = "board-1"
GATEWAY: Final = "gw-1"
TARIFF: Final = Tariff(currency="EUR", import_price_per_kwh=0.30)
"""Made up, near what German households pay: the demo's savings show the way of reckoning."""

HOLD_S: Final = 15.0
"""A reading holds for three intervals [s]: a window stays complete even where two readings of a
meter in a row are late or lost. With two intervals the demo's faults would degrade about 2 % of
the windows at revision 0, on which dispatch decides."""

RELAYS: Final = (
    Relay(
        output=1,
        load_kw=30,
        priority=1,
        sheddable=False,
        meter="relay-1-meter",
        label="Cold store: never shed",
    ),
    Relay(output=2, load_kw=20, priority=2, meter="relay-2-meter", label="Heat pumps"),
    Relay(output=3, load_kw=10, priority=3, meter="relay-3-meter", label="Water heating"),
    Relay(output=4, load_kw=10, priority=3, meter="relay-4-meter", label="Ventilation"),
)
"""The four relays of the original microgrid (S1-7): 30, 20, 10 and 10 kW; all return to on."""


@dataclass(frozen=True, slots=True)
class DemoSite:
    """The demo's site and the loads that its plant plays.

    Attributes:
        model: the site model.
        base: the scaled recording.
        scale: what the recorded powers were multiplied by [1].
        compression: recorded time that passes per pipeline time [1].
    """

    model: SiteModel
    base: BaseLoad
    scale: float = 1.0
    compression: float = COMPRESSION

    @property
    def relay_meters(self) -> frozenset[str]:
        """Meters that see one relay load alone; fault injection spares them."""
        relays = (relay for board in self.model.relay_boards for relay in board.relays)
        return frozenset(relay.meter for relay in relays if relay.meter is not None)

    def plant(self, *, origin_ms: int, seed: int) -> Plant:
        """Return a plant whose recording first begins at ``origin_ms`` of pipeline time [ms]."""
        return Plant(
            self.model, self.base, origin_ms=origin_ms, seed=seed, compression=self.compression
        )


def demo_site(week: SimbenchSlice) -> DemoSite:
    """Build the demo's site from a week of SimBench.

    Raises:
        ConfigurationError: no part of the week shows a peak that the relays can shed.
    """
    excerpt = week.excerpt()
    base = BaseLoad(
        meters=(*week.load_ids, *week.pv_ids),
        power_kw=np.hstack([excerpt.load_kw, excerpt.pv_kw]),
        start_ms=excerpt.start_ms,
        step_s=week.step_s,
    )
    model = _model(_base_meters(week, excerpt.scale))
    return DemoSite(model=model, base=base, scale=excerpt.scale)


def demo_week(week: SimbenchSlice, scale: float | None = None) -> DemoSite:
    """Build the demo's site with the whole week, played as fast as it was recorded.

    Args:
        week: the week.
        scale: what its powers are multiplied by [1]; None: until their peak is the greatest that
            an excerpt may have. With every load shed that may be, the site then stays under its
            threshold.
    """
    if scale is None:
        scale = DEMO.peak_kw / float(net_kw(week.load_kw, week.pv_kw).max())
    base = BaseLoad(
        meters=(*week.load_ids, *week.pv_ids),
        power_kw=scale * np.hstack([week.load_kw, week.pv_kw]),
        start_ms=week.start_ms,
        step_s=week.step_s,
    )
    model = _model(_base_meters(week, scale))
    return DemoSite(model=model, base=base, scale=scale, compression=1.0)


def _base_meters(week: SimbenchSlice, scale: float) -> tuple[Meter, ...]:
    """Meters of the scaled week's loads and generators."""
    # Rounded: the model's hash must not depend on a processor's last bit.
    ratings_kw = (scale * week.rated_kw).round(3).tolist()
    generators = frozenset(week.pv_ids)
    return tuple(
        _meter(name, rated_kw, Role.GENERATION if name in generators else Role.LOAD)
        for name, rated_kw in zip((*week.load_ids, *week.pv_ids), ratings_kw, strict=True)
    )


def _meter(name: str, rated_kw: float, role: Role) -> Meter:
    return Meter(id=name, rated_kw=rated_kw, role=role, hold_s=HOLD_S)


def _model(base_meters: tuple[Meter, ...]) -> SiteModel:
    """Lay the relay board, its meters and the weather station beside the base meters."""
    relay_meters = tuple(_meter(r.meter, r.load_kw, Role.LOAD) for r in RELAYS if r.meter)
    board = RelayBoard(id=BOARD, gateway=GATEWAY, simulated=True, relays=RELAYS, hold_s=HOLD_S)
    return SiteModel(
        name="demo",
        mode=Mode.CONTROL,
        capacity_kw=CAPACITY_KW,
        threshold_ratio=THRESHOLD_RATIO,
        meters=(*base_meters, *relay_meters),
        weather_stations=(WeatherStation(id="weather-1"),),
        relay_boards=(board,),
        tariff=TARIFF,
    )
