"""Loads draw later what they missed, or never; no energy appears or vanishes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.load_response import HOURS_PER_WINDOW, RespondingLoads

LOADS = 3
CATCH_UP_KW = np.array([5.0, 2.5, 0.0])
shares = st.sampled_from([0.0, 0.22, 1.0])
steps = st.lists(
    st.tuples(
        st.lists(st.floats(0, 30), min_size=LOADS, max_size=LOADS),
        st.lists(shares, min_size=LOADS, max_size=LOADS),
    ),
    min_size=1,
    max_size=60,
)


def test_a_thermostat_draws_what_it_missed_as_soon_as_it_may() -> None:
    loads = RespondingLoads(np.array([5.0]))
    demand = np.array([20.0])
    assert loads.draw(demand, np.array([0.0])) == pytest.approx([0.0])
    # 20 kW were missed in one window: 5 kW more in each of the next four make up for them.
    drawn = [float(loads.draw(demand, np.array([1.0]))[0]) for _ in range(5)]
    assert drawn == pytest.approx([25.0, 25.0, 25.0, 25.0, 20.0])
    assert loads.owed_kwh == pytest.approx([0.0])


def test_a_load_that_is_cut_never_draws_what_it_missed() -> None:
    loads = RespondingLoads(np.array([0.0]))
    loads.draw(np.array([10.0]), np.array([0.0]))
    assert loads.draw(np.array([10.0]), np.array([1.0])) == pytest.approx([10.0])
    assert loads.lost_kwh == pytest.approx([10.0 * HOURS_PER_WINDOW])


def test_what_is_never_off_draws_its_demand_exactly() -> None:
    loads = RespondingLoads(CATCH_UP_KW)
    demand = np.array([20.3, 10.1, 9.9])
    assert (loads.draw(demand, np.ones(LOADS)) == demand).all()


@given(steps)
def test_demand_is_drawn_owed_or_lost(passed: list[tuple[list[float], list[float]]]) -> None:
    loads = RespondingLoads(CATCH_UP_KW)
    demanded, drawn = np.zeros(LOADS), np.zeros(LOADS)
    for demand, closed in passed:
        power = loads.draw(np.array(demand), np.array(closed))
        assert (power <= np.array(demand) + CATCH_UP_KW + 1e-9).all()
        assert (power[np.array(closed) == 0] == 0).all()
        demanded += np.array(demand) * HOURS_PER_WINDOW
        drawn += power * HOURS_PER_WINDOW
    assert drawn + loads.owed_kwh + loads.lost_kwh == pytest.approx(demanded, abs=1e-6)
    assert (loads.owed_kwh >= -1e-9).all()
