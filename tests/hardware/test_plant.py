"""The plant's meters tell the truth about each interval, the same whenever they are asked."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.base_load import BaseLoad, Playback
from hardware.plant import BASE_NOISE, NOISE_LIMIT, RELAY_NOISE, Plant
from schemas.errors import ConfigurationError
from schemas.identity import reading_id
from schemas.site_model import Meter, Relay, RelayBoard, Role, SiteModel, WeatherStation
from schemas.telemetry import Reading
from schemas.windows import WINDOW_MS

T0_MS = 1_800_000_000_000
MIDNIGHT_MS = 1_463_356_800_000  # 2016-05-16 00:00 UTC
BASE = BaseLoad(
    meters=("house", "pv"),
    power_kw=np.array([[10.0, 0.0], [22.0, -6.0], [4.0, -12.0]]),
    start_ms=MIDNIGHT_MS,
)
SITE = SiteModel(
    name="site",
    capacity_kw=100,
    meters=(
        Meter(id="house", rated_kw=30),
        Meter(id="pv", rated_kw=15, role=Role.GENERATION),
        Meter(id="heat", rated_kw=20),
    ),
    weather_stations=(WeatherStation(id="weather"),),
    relay_boards=(
        RelayBoard(
            id="board",
            gateway="gw",
            relays=(
                Relay(output=1, load_kw=20, priority=1, meter="heat"),
                Relay(output=2, load_kw=5, priority=2),
            ),
        ),
    ),
)
RESOLUTION_KW = 0.001
ALL_ON = {("board", 1): 1.0, ("board", 2): 1.0}
ALL_OFF = {("board", 1): 0.0, ("board", 2): 0.0}
starts_ms = st.integers(0, 1_000).map(lambda k: T0_MS + k * WINDOW_MS)


def plant(seed: int = 7, site: SiteModel = SITE, base: BaseLoad = BASE) -> Plant:
    return Plant(site, base, origin_ms=T0_MS, seed=seed)


def values(readings: list[Reading]) -> dict[str, float]:
    return {reading.device: reading.value for reading in readings}


def test_each_15_minute_value_plays_in_one_minute() -> None:
    playback = Playback(BASE, T0_MS)
    for minute, kw in enumerate(BASE.power_kw):
        knot_ms = T0_MS + 60_000 * minute
        assert playback.mean_kw(knot_ms, knot_ms + 1) == pytest.approx(kw, abs=1e-3)
        assert playback.recorded_ms(knot_ms) == MIDNIGHT_MS + minute * 900_000


def test_values_are_interpolated_linearly_and_begin_anew_after_the_last() -> None:
    playback = Playback(BASE, T0_MS)
    halfway = [
        playback.mean_kw(T0_MS + at_ms - 500, T0_MS + at_ms + 500)[0]
        for at_ms in (30_000, 90_000, 150_000, 210_000, -30_000)
    ]
    assert halfway == pytest.approx([16, 13, 7, 16, 7])


def test_compression_is_a_parameter() -> None:
    slow = Playback(BASE, T0_MS, compression=1.0)
    assert slow.mean_kw(T0_MS + 449_000, T0_MS + 451_000)[0] == pytest.approx(16)
    assert slow.recorded_ms(T0_MS + 1_000) == MIDNIGHT_MS + 1_000


@given(start_s=st.integers(-400, 400), spans_s=st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_mean_of_a_whole_is_the_mean_of_its_parts(start_s: int, spans_s: list[int]) -> None:
    """No energy is lost where an interval covers several recorded values."""
    playback = Playback(BASE, T0_MS)
    edges_ms = T0_MS + 1000 * np.cumsum([start_s, *spans_s])
    edges = [int(edge) for edge in edges_ms]
    parts = [playback.mean_kw(a, b) for a, b in pairwise(edges)]
    whole = playback.mean_kw(edges[0], edges[-1])
    assert whole == pytest.approx(np.average(parts, axis=0, weights=spans_s))


@given(start_ms=starts_ms)
def test_readings_stay_near_the_interpolated_base_load(start_ms: int) -> None:
    truth_kw = Playback(BASE, T0_MS).mean_kw(start_ms, start_ms + WINDOW_MS)
    measured = values(plant().readings_for(start_ms, ALL_ON))
    error_kw = np.abs([measured["house"], measured["pv"]] - truth_kw)
    assert (error_kw <= NOISE_LIMIT * BASE_NOISE * np.abs(truth_kw) + RESOLUTION_KW).all()


def test_noise_is_as_large_as_stated_and_has_no_bias() -> None:
    constant = BaseLoad(
        meters=BASE.meters, power_kw=np.array([[100.0, -100.0]]), start_ms=MIDNIGHT_MS
    )
    quiet = plant(base=constant)
    rows = [values(quiet.readings_for(T0_MS + k * WINDOW_MS, ALL_ON)) for k in range(2_000)]
    for meter, mean_kw, noise in (
        ("house", 100, BASE_NOISE),
        ("pv", -100, BASE_NOISE),
        ("heat", 20, RELAY_NOISE),
    ):
        relative = np.array([row[meter] for row in rows]) / mean_kw - 1
        assert abs(relative.mean()) < 0.1 * noise
        assert relative.std() == pytest.approx(noise, rel=0.1)


@given(start_ms=starts_ms)
def test_generation_reads_negative_and_loads_positive(start_ms: int) -> None:
    measured = values(plant().readings_for(start_ms, ALL_ON))
    assert measured["pv"] <= 0
    assert measured["house"] > 0
    assert measured["heat"] > 0


@given(start_ms=starts_ms, share=st.floats(0, 1))
def test_relay_meter_sees_its_load_for_as_long_as_the_relay_was_on(
    start_ms: int, share: float
) -> None:
    """A relay that switched within the interval is metered right."""
    whole = values(plant().readings_for(start_ms, ALL_ON))["heat"]
    part = values(plant().readings_for(start_ms, ALL_ON | {("board", 1): share}))["heat"]
    assert abs(whole - 20) <= NOISE_LIMIT * RELAY_NOISE * 20 + RESOLUTION_KW
    assert abs(part - share * whole) <= 2 * RESOLUTION_KW


def test_open_relay_draws_exactly_nothing() -> None:
    assert values(plant().readings_for(T0_MS, ALL_OFF))["heat"] == 0


def test_output_of_unknown_state_is_an_error_and_not_zero() -> None:
    with pytest.raises(KeyError, match="board"):
        plant().readings_for(T0_MS, {("board", 1): 1.0})


def test_every_meter_is_read_once_and_stamped_with_the_start_of_the_interval() -> None:
    readings = plant().readings_for(T0_MS, ALL_ON)
    assert [reading.device for reading in readings] == ["house", "pv", "heat"]
    for reading in readings:
        assert (reading.event_time_ms, reading.unit, reading.site) == (T0_MS, "kW", "site")
        assert reading.event_id == reading_id("plant", reading.device, "active_power", T0_MS)


@given(start_ms=starts_ms, share=st.floats(0, 1))
def test_totals_are_what_all_loads_together_draw(start_ms: int, share: float) -> None:
    shares = {("board", 1): share, ("board", 2): 0.0}
    simulated = plant()
    totals = simulated.totals_for(start_ms, shares)
    metered = sum(values(simulated.readings_for(start_ms, shares)).values())
    assert totals.drawn_kw == pytest.approx(metered, abs=0.002)
    assert totals.uncontrolled_kw >= totals.drawn_kw


@given(start_ms=starts_ms)
def test_uncontrolled_is_the_same_run_with_every_relay_on(start_ms: int) -> None:
    simulated = plant()
    uncontrolled = {simulated.totals_for(start_ms, s).uncontrolled_kw for s in (ALL_ON, ALL_OFF)}
    assert uncontrolled == {simulated.totals_for(start_ms, ALL_ON).drawn_kw}


def test_relay_without_a_meter_draws_but_is_not_read() -> None:
    simulated = plant()
    with_it = simulated.totals_for(T0_MS, ALL_ON).drawn_kw
    without = simulated.totals_for(T0_MS, ALL_ON | {("board", 2): 0.0}).drawn_kw
    assert with_it - without == pytest.approx(5, rel=NOISE_LIMIT * RELAY_NOISE)


def test_seeded_run_is_reproducible_in_any_order() -> None:
    """S1-14: seeded run reproducible."""
    starts = [T0_MS + k * WINDOW_MS for k in range(20)]
    first, second = plant(), plant()
    forward = {start: first.readings_for(start, ALL_ON) for start in starts}
    backward = {start: second.readings_for(start, ALL_ON) for start in reversed(starts)}
    assert forward == backward
    assert forward != {start: plant(seed=8).readings_for(start, ALL_ON) for start in starts}


def test_weather_is_measured_once_a_minute() -> None:
    simulated = plant()
    stamps = [
        reading.event_time_ms - T0_MS
        for k in range(36)
        for reading in simulated.weather_for(T0_MS + k * WINDOW_MS)
    ]
    assert stamps == [0, 60_000, 120_000]


def test_every_station_reports_in_the_plants_first_window() -> None:
    """A window without weather is degraded: none of the first minute's shall be."""
    late_ms = T0_MS + 3 * WINDOW_MS
    simulated = Plant(SITE, BASE, origin_ms=late_ms, seed=7)
    assert [r.event_time_ms for r in simulated.weather_for(late_ms)] == [late_ms]
    assert simulated.weather_for(late_ms + WINDOW_MS) == []


def test_temperature_follows_the_recorded_time_of_day() -> None:
    simulated = plant()
    by_hour = {hour: simulated.weather_for(T0_MS + hour * 240_000)[0].value for hour in range(24)}
    assert 12 <= max(by_hour, key=by_hour.__getitem__) <= 14
    assert by_hour[1] == pytest.approx(7, abs=1)
    assert by_hour[13] == pytest.approx(19, abs=1)


def test_plant_names_every_device_that_it_has_no_values_for() -> None:
    odd = SITE.model_copy(
        update={
            "meters": (
                *SITE.meters[1:],
                Meter(id="orphan", rated_kw=1),
                Meter(id="odd", rated_kw=1, quantities=("voltage",)),
            ),
            "weather_stations": (WeatherStation(id="wind", quantities=("wind_speed",)),),
        }
    )
    with pytest.raises(ConfigurationError) as caught:
        plant(site=odd)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "odd",
        "orphan",
        "house",
        "odd",
        "wind",
    ]
