"""Dispatch against a plant that follows it: look-ahead, no chatter, return after the peak."""

from itertools import pairwise
from random import Random

import pytest

from schemas.windows import WINDOW_MS
from tests.processors.dispatching.scenarios import Plant, depot

DEPOT = depot()
LOADS_KW = 70.0
DWELL_WINDOWS = round(1000 * DEPOT.control.dwell_s) // WINDOW_MS
SHEDDABLE = (2, 3, 4)


def _noise(seed: int, windows: int, sigma_kw: float) -> list[float]:
    """Seeded normal noise."""
    random = Random(seed)
    return [random.gauss(0.0, sigma_kw) for _ in range(windows)]


@pytest.mark.parametrize(
    ("sigma_kw", "delay", "mixed"),
    [(0.3, 1, False), (0.3, 2, True), (1.0, 1, True), (1.0, 2, False), (2.0, 2, True)],
)
def test_noise_around_the_threshold_makes_no_chatter(
    sigma_kw: float, delay: int, *, mixed: bool
) -> None:
    """S1-D7: 15 minutes around 85 kW; each load switches once a dwell time at most, and few do."""
    plant = Plant(DEPOT, delay=delay)
    plant.run([85.0 - LOADS_KW + noise for noise in _noise(7, 180, sigma_kw)], mixed=mixed)
    for number in SHEDDABLE:
        gaps = [later - earlier for earlier, later in pairwise(plant.switches(number))]
        assert all(gap >= DWELL_WINDOWS for gap in gaps)
    assert 1 <= sum(len(plant.switches(number)) for number in SHEDDABLE) <= 4


@pytest.mark.parametrize("mixed", [False, True])
def test_loads_return_after_the_peak(*, mixed: bool) -> None:
    """S1-D7: nothing restored relays; here all are back within two minutes, and stay."""
    plant = Plant(DEPOT)
    plant.run([10.0] * 6 + [40.0] * 12 + [5.0] * 24, mixed=mixed)
    assert plant.history[0] == plant.history[-1] == (True, True, True, True)
    assert [len(plant.switches(number)) for number in SHEDDABLE] == [2, 0, 2]


def test_a_rising_load_is_shed_for_before_it_reaches_the_threshold() -> None:
    """S1-D2: the answer was always "nothing"; here the site never exceeds 85 kW."""
    plant = Plant(DEPOT, delay=1)
    plant.run([5.0 + 0.5 * at for at in range(60)])
    assert plant.switches(4)
    assert max(plant.net_kw) <= DEPOT.threshold_kw


@pytest.mark.parametrize("sigma_kw", [0.1, 0.5])
def test_a_noisy_rise_is_shed_for_before_it_reaches_the_threshold(sigma_kw: float) -> None:
    """S1-D2: as before, with what meters and loads add."""
    plant = Plant(DEPOT, delay=1)
    noise = _noise(3, 60, sigma_kw)
    plant.run([5.0 + 0.6 * at + noise[at] for at in range(60)])
    assert max(plant.net_kw) <= DEPOT.threshold_kw + 3 * sigma_kw


def test_a_step_sheds_what_it_needs_and_no_more() -> None:
    """A step is no ramp: 95 kW for good shed one low load and nothing after it."""
    plant = Plant(DEPOT)
    plant.run([10.0] * 10 + [25.0] * 30)
    assert [len(plant.switches(number)) for number in SHEDDABLE] == [0, 0, 1]


def test_a_switch_does_not_look_like_a_change_of_the_base_load() -> None:
    """While R4 goes off, or comes back, the mean shows what it drew before, or part of it."""
    plant, bases_kw = Plant(DEPOT), [10.0] * 6 + [25.0] * 14 + [5.0] * 20
    plant.run(bases_kw, mixed=True)
    assert [len(plant.switches(number)) for number in SHEDDABLE] == [0, 0, 2]
    assert plant.estimates_kw == bases_kw


def test_a_deaf_board_is_told_again_and_others_help_out_only_if_they_must() -> None:
    """S1-D9: R4 ignores its commands; its plan is renewed, and R3 is shed once that is plain."""
    plant = Plant(DEPOT, deaf=[4])
    plant.run([20.0] * 12)
    assert plant.history[-1][3] is True
    retried = [at for at, plan in enumerate(plant.plans) if plan.alerts]
    assert retried == [3, 6, 9]
    assert all(plan.outputs[3].on is False for plan in plant.plans)


def test_the_memory_does_not_grow() -> None:
    """Its size is that of the site and half a minute of base load."""
    plant = Plant(DEPOT)
    plant.run([10.0] * 50)
    assert len(plant.base_kw) == 6


def test_decisions_do_not_depend_on_how_often_the_host_restarts() -> None:
    """A dispatcher made anew for every window goes on from the state alone."""
    lasting, fresh = Plant(DEPOT), Plant(DEPOT)
    bases_kw = [15.0 + noise for noise in _noise(1, 20, 10.0)]
    for base_kw in bases_kw:
        lasting.step(base_kw)
        fresh.restart()
        fresh.step(base_kw)
    assert lasting.plans == fresh.plans
    assert any(False in states for states in lasting.history)
