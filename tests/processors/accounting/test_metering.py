"""A trajectory becomes figures: checked by hand, and by what must balance."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from processors.accounting.metering import Figures, Meter, Prices, Trajectory, saving_percent
from processors.accounting.peak_hours import PeakHours
from schemas.windows import WINDOW_MS

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000
CHANGE_MS = 1_774_746_000_000
"""2026-03-29 01:00 UTC: clocks in Berlin go from 02:00 to 03:00."""

HAND = Trajectory(
    base_kw=np.array([10.0, 70.0, -90.0, 20.0]),
    demand_kw=np.array([[20.0, 10.0]] * 4),
    drawn_kw=np.array([[20.0, 10.0], [0.0, 4.0], [25.0, 10.0], [22.0, 10.0]]),
    battery_kw=np.array([0.0, -6.0, 4.0, 0.0]),
    on=np.array([[True, True], [False, True], [True, True], [True, False]]),
)
"""Four windows; net power 40, 68, -51 and 52 kW."""


def meter(prices: Prices | None = None, threshold_kw: float = 50.0) -> Meter:
    return Meter(
        relays=("b:1", "b:2"),
        threshold_kw=threshold_kw,
        capacity_kw=60.0,
        peak=np.array([False, True, True, False]),
        prices=prices,
    )


def kwh(*kw: float) -> float:
    """Energy of windows with these powers [kWh]."""
    return sum(kw) * WINDOW_MS / HOUR_MS


def read() -> Figures:
    return meter(Prices(currency="EUR", per_kwh=0.2, peak_per_kwh=0.5)).read(HAND)


def test_power_and_limits_are_metered_as_by_hand() -> None:
    """S1-16: metered, not foreseen."""
    found = read()
    assert found.peak_kw == 68.0
    assert found.windows_over_threshold == 2
    assert found.kwh_over_threshold == pytest.approx(kwh(18.0, 2.0))
    assert found.kwh_over_capacity == pytest.approx(kwh(8.0))


def test_only_what_is_drawn_costs_and_the_peak_hours_cost_their_own_price() -> None:
    """S1-16: cost with a stated tariff; feeding in earns nothing."""
    found = read()
    assert found.import_kwh == pytest.approx(kwh(40.0, 68.0, 52.0))
    assert found.peak_hour_kwh == pytest.approx(kwh(68.0))
    assert found.peak_hour_cost == pytest.approx(0.5 * kwh(68.0))
    assert found.cost == pytest.approx(0.2 * kwh(40.0, 52.0) + 0.5 * kwh(68.0))


def test_what_is_shed_is_drawn_later_or_not_served() -> None:
    """S1-16: unserved kWh and rebound are published."""
    found = read()
    assert found.demand_kwh == pytest.approx(kwh(30.0, 30.0, 30.0, 30.0))
    assert found.shed_kwh == pytest.approx(kwh(20.0, 6.0))
    assert found.rebound_kwh == pytest.approx(kwh(5.0, 2.0))
    assert found.rebound_kw == 5.0
    assert found.unserved_kwh == pytest.approx(kwh(19.0))
    assert found.unserved_by_relay == pytest.approx({"b:1": kwh(13.0), "b:2": kwh(6.0)})
    assert found.shed_kwh == pytest.approx(found.rebound_kwh + found.unserved_kwh, abs=1e-6)


def test_switches_and_battery_throughput_are_counted() -> None:
    found = read()
    assert found.switches == {"b:1": 2, "b:2": 1}
    assert found.battery_throughput_kwh == pytest.approx(kwh(6.0, 4.0))


def test_a_switch_in_the_first_window_counts() -> None:
    on = np.array([[False, True]] * 4)
    assert meter().read(replaced(on)).switches == {"b:1": 1, "b:2": 0}


def replaced(on: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Trajectory:
    return Trajectory(
        base_kw=HAND.base_kw,
        demand_kw=HAND.demand_kw,
        drawn_kw=HAND.drawn_kw,
        battery_kw=HAND.battery_kw,
        on=on,
    )


def test_without_prices_costs_are_unknown_and_never_zero() -> None:
    found = meter().read(HAND)
    assert (found.cost, found.peak_hour_cost) == (None, None)
    assert found.peak_hour_kwh > 0


def test_exactly_at_the_threshold_is_not_over_it() -> None:
    assert meter(threshold_kw=52.0).read(HAND).windows_over_threshold == 1


def test_a_saving_is_relative_to_no_control() -> None:
    assert saving_percent(80.0, 60.0) == 25.0
    assert saving_percent(80.0, 88.0) == pytest.approx(-10.0)
    assert saving_percent(0.0, 0.0) is None


def test_peak_hours_are_those_of_the_sites_clock_also_when_it_is_changed() -> None:
    times = CHANGE_MS + np.arange(-2, 3) * HOUR_MS  # 00, 01, 03, 04, 05 o'clock in Berlin
    held = PeakHours(first=3, end=5).hold(times, BERLIN)
    assert held.tolist() == [False, False, True, True, False]


def test_the_first_instant_of_the_peak_hours_is_within_and_their_end_is_not() -> None:
    noon_ms = 20_000 * 24 * HOUR_MS + 12 * HOUR_MS
    times = np.array([noon_ms - 1, noon_ms, noon_ms + HOUR_MS - 1, noon_ms + HOUR_MS])
    held = PeakHours(first=12, end=13).hold(times, ZoneInfo("UTC"))
    assert held.tolist() == [False, True, True, False]


@pytest.mark.parametrize(("first", "end"), [(5, 5), (21, 16), (-1, 3), (20, 25)])
def test_hours_that_are_none_are_refused(first: int, end: int) -> None:
    with pytest.raises(ValueError, match="no hours of a day"):
        PeakHours(first=first, end=end)
