"""What a meter would have shown of a site, and what that costs: one way of control, in figures."""

from dataclasses import dataclass
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from schemas.windows import WINDOW_MS

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOURS_PER_WINDOW: Final = WINDOW_MS / 3_600_000
"""Length of a window [h]."""

LIMIT_TOLERANCE_KW: Final = 1e-6
"""A limit counts as held up to this much above it [kW]: what sums of decimals leave behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectory:
    """A site's power through n windows of 5 s, in each the mean, with m relay loads.

    Attributes:
        base_kw: all that no relay switches, generation negative, shape (n,) [kW].
        demand_kw: what each relay load would draw had it never been off, shape (n, m) [kW].
        drawn_kw: what it did draw, shape (n, m) [kW].
        battery_kw: all batteries together, charging positive, shape (n,) [kW].
        on: state of each relay at the window's end, shape (n, m); all were on before the first.
    """

    base_kw: Floats
    demand_kw: Floats
    drawn_kw: Floats
    battery_kw: Floats
    on: Flags

    @property
    def net_kw(self) -> Floats:
        """What the site draws from the grid, shape (n,) [kW]."""
        net: Floats = self.base_kw + self.drawn_kw.sum(axis=1) + self.battery_kw
        return net


class Prices(msgspec.Struct, frozen=True, kw_only=True):
    """What energy from the grid costs; what flows back into it earns nothing.

    Attributes:
        currency: three letters (ISO 4217).
        per_kwh: price [currency/kWh].
        peak_per_kwh: price in the peak hours [currency/kWh].
    """

    currency: str
    per_kwh: float
    peak_per_kwh: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What one way of control led to.

    ``served = demand - unserved``, and what was shed was either drawn later or never:
    ``shed = rebound + unserved``, each to 1e-6 kWh.

    Attributes:
        peak_kw: greatest net draw in one window [kW].
        import_kwh, peak_hour_kwh: energy from the grid, and that of the peak hours [kWh].
        cost, peak_hour_cost: what it costs [currency]; None where prices are unknown.
        demand_kwh: what the relay loads would have drawn had none been off [kWh].
        shed_kwh: what they did not draw when they wanted to [kWh].
        rebound_kwh: what they drew later beyond their demand [kWh].
        rebound_kw: greatest power beyond their demand in one window [kW].
        unserved_kwh: what they had not drawn by the end [kWh].
        unserved_by_relay: the same by relay, by name [kWh].
        switches: changes of state by relay, by name.
        battery_throughput_kwh: charged and discharged energy [kWh]; 0 without a battery.
        windows_over_threshold: windows with a mean above the threshold.
        kwh_over_threshold: energy above it [kWh].
        kwh_over_capacity: energy above the capacity [kWh].
    """

    peak_kw: float
    import_kwh: float
    peak_hour_kwh: float
    cost: float | None
    peak_hour_cost: float | None
    demand_kwh: float
    shed_kwh: float
    rebound_kwh: float
    rebound_kw: float
    unserved_kwh: float
    unserved_by_relay: dict[str, float]
    switches: dict[str, int]
    battery_throughput_kwh: float
    windows_over_threshold: int
    kwh_over_threshold: float
    kwh_over_capacity: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """Reads trajectories of one site.

    Attributes:
        relays: names of the relays, in the order of a trajectory's columns.
        threshold_kw, capacity_kw: limits [kW].
        peak: which windows lie in the peak hours, shape (n,).
        prices: None where they are unknown.
    """

    relays: tuple[str, ...]
    threshold_kw: float
    capacity_kw: float
    peak: Flags
    prices: Prices | None

    def read(self, trajectory: Trajectory) -> Figures:
        """The figures of a trajectory over the windows of ``peak``."""
        net_kw = trajectory.net_kw
        import_kw = np.maximum(net_kw, 0.0)
        import_kwh, peak_hour_kwh = _energy(import_kw), _energy(import_kw[self.peak])
        beyond_kw = np.maximum(trajectory.drawn_kw - trajectory.demand_kw, 0.0)
        lacking_kw = np.maximum(trajectory.demand_kw - trajectory.drawn_kw, 0.0)
        unserved_kwh = HOURS_PER_WINDOW * (trajectory.demand_kw - trajectory.drawn_kw).sum(axis=0)
        over = net_kw > self.threshold_kw + LIMIT_TOLERANCE_KW
        return Figures(
            peak_kw=float(net_kw.max()),
            import_kwh=import_kwh,
            peak_hour_kwh=peak_hour_kwh,
            cost=self._cost(import_kwh, peak_hour_kwh),
            peak_hour_cost=self._cost(peak_hour_kwh, peak_hour_kwh),
            demand_kwh=_energy(trajectory.demand_kw),
            shed_kwh=_energy(lacking_kw),
            rebound_kwh=_energy(beyond_kw),
            rebound_kw=float(beyond_kw.sum(axis=1).max()),
            unserved_kwh=float(unserved_kwh.sum()),
            unserved_by_relay=dict(zip(self.relays, unserved_kwh.tolist(), strict=True)),
            switches=dict(zip(self.relays, _switches(trajectory.on).tolist(), strict=True)),
            battery_throughput_kwh=_energy(np.abs(trajectory.battery_kw)),
            windows_over_threshold=int(np.count_nonzero(over)),
            kwh_over_threshold=_energy(np.maximum(net_kw - self.threshold_kw, 0.0)),
            kwh_over_capacity=_energy(np.maximum(net_kw - self.capacity_kw, 0.0)),
        )

    def _cost(self, kwh: float, of_them_peak_kwh: float) -> float | None:
        """What energy costs of which a part is drawn in the peak hours [currency]."""
        if self.prices is None:
            return None
        ordinary_kwh = kwh - of_them_peak_kwh
        return self.prices.per_kwh * ordinary_kwh + self.prices.peak_per_kwh * of_them_peak_kwh


def saving_percent(without: float, with_control: float) -> float | None:
    """By how much a cost is lower than without control [%]; None where there was none."""
    return None if without == 0 else 100 * (1 - with_control / without)


def _energy(power_kw: Floats) -> float:
    """Energy of mean powers of windows [kWh]."""
    return float(power_kw.sum()) * HOURS_PER_WINDOW


def _switches(on: Flags) -> NDArray[np.int64]:
    """How often each relay changed, shape (m,), the first window's change included."""
    before = np.vstack([np.ones((1, on.shape[1]), dtype=np.bool_), on[:-1]])
    return np.asarray(np.count_nonzero(before != on, axis=0))
