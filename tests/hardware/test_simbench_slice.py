"""The shipped SimBench week is whole, and its excerpt shows a peak that the demo can shed."""

import json
from datetime import UTC, datetime
from importlib.resources import files
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hardware.simbench_slice import (
    DEMO,
    ExcerptCriteria,
    Powers,
    SimbenchSlice,
    find_excerpt,
    load_slice,
    net_kw,
)
from schemas.errors import ConfigurationError

DATA = files("hardware") / "data"
RELAYS_KW = 70.0  # S1-7: 30 + 20 + 10 + 10
SHED_THRESHOLD_KW = 85.0  # S1-7: 0.85 of 100


@pytest.fixture(scope="module")
def week() -> SimbenchSlice:
    return load_slice()


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """What the extraction script wrote down about the source before it rounded anything."""
    found: dict[str, Any] = json.loads((DATA / "simbench_figures.json").read_text())
    return found


@pytest.fixture(scope="module")
def grid() -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = json.loads((DATA / "simbench_grid.json").read_text())
    return tables


def test_a_week_of_111_loads_and_5_pv_systems_is_shipped(week: SimbenchSlice) -> None:
    assert week.load_kw.shape == week.load_kvar.shape == (7 * 96, 111)
    assert week.pv_kw.shape == (7 * 96, 5)
    assert week.load_ids == tuple(f"L{n:03}" for n in range(1, 112))
    assert week.pv_ids == ("PV1", "PV2", "PV3", "PV4", "PV5")
    assert week.rated_kw.shape == (116,)


def test_the_week_starts_on_a_monday_at_midnight_in_germany(
    week: SimbenchSlice, recorded: dict[str, Any]
) -> None:
    start = datetime.fromtimestamp(week.start_ms / 1000, tz=UTC)
    local = start.astimezone(ZoneInfo("Europe/Berlin"))
    assert start == datetime.fromisoformat(recorded["week_start_utc"])
    assert (local.weekday(), local.hour, local.minute) == (0, 0, 0)


def test_every_row_follows_the_one_before_after_15_minutes(week: SimbenchSlice) -> None:
    table = pl.read_csv((DATA / "simbench_week.csv.gz").read_bytes(), try_parse_dates=True)
    steps_ms = table["time_utc"].dt.epoch("ms").diff().drop_nulls().unique().to_list()
    assert steps_ms == [week.step_s * 1000]


def test_no_value_is_missing(week: SimbenchSlice) -> None:
    for values in (week.load_kw, week.load_kvar, week.pv_kw, week.rated_kw):
        assert np.isfinite(values).all()


def test_the_sums_are_those_of_the_source(week: SimbenchSlice, recorded: dict[str, Any]) -> None:
    hours = week.step_s / 3600
    shipped = [float(v.sum()) * hours for v in (week.load_kw, week.load_kvar, week.pv_kw)]
    source = [recorded[f"week_{name}"] for name in ("load_kwh", "load_kvarh", "pv_kwh")]
    assert shipped == pytest.approx(source, abs=0.05)


def test_loads_consume_and_pv_generates(week: SimbenchSlice) -> None:
    assert (week.load_kw >= 0).all()
    assert (week.pv_kw <= 0).all()
    by_day = week.pv_kw.reshape(7, 96, 5)
    assert (by_day.min(axis=1) < 0).all(), "every system generates on every day"
    assert not by_day[:, :12].any(), "none does before 03:00"


def test_no_meter_exceeds_its_rating(week: SimbenchSlice) -> None:
    rated_kw = week.rated_kw.copy()
    assert (week.load_kw <= rated_kw[:111]).all()
    assert (-week.pv_kw <= rated_kw[111:]).all()


def test_the_week_cannot_be_changed(week: SimbenchSlice) -> None:
    for values in (week.load_kw, week.load_kvar, week.pv_kw, week.rated_kw):
        with pytest.raises(ValueError, match="read-only"):
            values[0] = 0.0


def test_the_shipped_data_stay_small() -> None:
    sizes = [len(item.read_bytes()) for item in DATA.iterdir() if item.is_file()]
    assert sum(sizes) < 400_000


def test_the_excerpt_of_the_week_is_the_best_of_the_year(
    week: SimbenchSlice, recorded: dict[str, Any]
) -> None:
    excerpt = week.excerpt()
    assert excerpt.first == recorded["excerpt_first"]
    assert excerpt.scale == pytest.approx(recorded["excerpt_scale"], rel=1e-4)
    assert excerpt.base_kw == pytest.approx(np.array(recorded["excerpt_base_kw"]), abs=5e-3)
    start = datetime.fromtimestamp(excerpt.start_ms / 1000, tz=UTC)
    assert start == datetime.fromisoformat(recorded["excerpt_start_utc"])


def test_the_excerpt_is_the_week_times_one_factor(week: SimbenchSlice) -> None:
    excerpt = week.excerpt()
    rows = slice(excerpt.first, excerpt.first + 20)
    assert (excerpt.load_kw == excerpt.scale * week.load_kw[rows]).all()
    assert (excerpt.load_kvar == excerpt.scale * week.load_kvar[rows]).all()
    assert (excerpt.pv_kw == excerpt.scale * week.pv_kw[rows]).all()


def test_base_and_relays_start_and_end_below_the_threshold_and_peak_above_capacity(
    week: SimbenchSlice,
) -> None:
    """S1-7: 70 kW of relays, shed threshold 85 kW, grid capacity 100 kW."""
    total_kw = week.excerpt().base_kw + RELAYS_KW
    assert len(total_kw) == 20
    assert (total_kw[:2] <= SHED_THRESHOLD_KW - 1 + 1e-9).all()
    assert total_kw[2:6].max() > SHED_THRESHOLD_KW
    assert (total_kw[-4:] <= SHED_THRESHOLD_KW - 3 + 1e-9).all()
    assert np.abs(np.diff(total_kw)).max() <= 20.0


def test_the_peak_takes_the_big_relay_and_a_small_one(week: SimbenchSlice) -> None:
    """S1-8: R2 plus one low is 30 kW; R3 and R4 alone, 20 kW, must not be enough."""
    to_shed_kw = week.excerpt().base_kw.max() + RELAYS_KW - SHED_THRESHOLD_KW
    assert 20.0 < to_shed_kw <= 30.0


def test_a_longer_excerpt_can_be_asked_for(week: SimbenchSlice) -> None:
    excerpt = week.excerpt(hours=6, criteria=ExcerptCriteria(start_kw=15.0, end_kw=15.0))
    assert excerpt.base_kw.shape == (24,)
    assert excerpt.base_kw[:2].max() <= 15.0 + 1e-9


def test_criteria_that_nothing_meets_are_refused(week: SimbenchSlice) -> None:
    with pytest.raises(ConfigurationError, match=r"rise above 15\.0 kW"):
        week.excerpt(criteria=ExcerptCriteria(step_kw=0.1))


def test_a_series_without_any_consumption_has_no_excerpt() -> None:
    with pytest.raises(ConfigurationError, match="rise above"):
        find_excerpt(np.zeros(40), 20, DEMO)


@pytest.mark.parametrize("steps", [6, 41])
def test_an_excerpt_that_does_not_fit_is_refused(steps: int) -> None:
    with pytest.raises(ConfigurationError, match=f"An excerpt of {steps} values"):
        find_excerpt(np.ones(40), steps, DEMO)


@given(st.lists(st.integers(-20, 200), min_size=10, max_size=30))
def test_the_search_finds_what_looking_at_every_start_finds(kw: list[int]) -> None:
    base_kw = np.array(kw, dtype=np.float64)
    attained = [_attained_peak_kw(base_kw[i : i + 10]) for i in range(len(kw) - 9)]
    assume(max(attained) > 0)
    first, scale = find_excerpt(base_kw, 10, DEMO)
    assert scale * base_kw[first : first + 10].max() == pytest.approx(max(attained))


def _attained_peak_kw(base_kw: Powers) -> float:
    """Scale up in thought until one ceiling is met; 0 where the threshold is not passed."""
    steps_kw = [abs(b - a) for a, b in pairwise(base_kw)]
    ceilings = [(kw, DEMO.peak_kw) for kw in base_kw]
    ceilings += [(kw, DEMO.start_kw) for kw in base_kw[: DEMO.start_steps]]
    ceilings += [(kw, DEMO.end_kw) for kw in base_kw[-DEMO.end_steps :]]
    ceilings += [(kw, DEMO.step_kw) for kw in steps_kw]
    scale = min((ceiling / kw for kw, ceiling in ceilings if kw > 0), default=0.0)
    rises = max(base_kw[DEMO.start_steps : DEMO.rise_by + 1]) * scale > DEMO.threshold_kw
    return float(scale * max(base_kw)) if rises else 0.0


def test_every_meter_sits_on_a_bus_of_the_grid_with_the_rating_given_there(
    week: SimbenchSlice, grid: dict[str, list[dict[str, Any]]]
) -> None:
    meters = pl.read_csv((DATA / "simbench_meters.csv").read_bytes())
    rows = {row["id"]: (row["node"], row["pLoad"]) for row in grid["Load"]}
    rows |= {row["id"]: (row["node"], row["pRES"]) for row in grid["RES"]}
    nodes = {row["id"] for row in grid["Node"]}
    assert tuple(meters["meter_id"]) == week.load_ids + week.pv_ids
    assert set(meters["simbench_id"]) == set(rows)
    for simbench_id, bus, rated_kw in meters.select("simbench_id", "bus", "rated_kw").iter_rows():
        assert bus in nodes
        assert (bus, rated_kw / 1000) == (rows[simbench_id][0], pytest.approx(rows[simbench_id][1]))


def test_the_grid_is_one_tree_fed_by_its_external_net(
    grid: dict[str, list[dict[str, Any]]],
) -> None:
    branches = [(row["nodeA"], row["nodeB"]) for row in grid["Line"]]
    branches += [(row["nodeA"], row["nodeB"]) for row in grid["Switch"] if row["cond"] == 1]
    branches += [(row["nodeHV"], row["nodeLV"]) for row in grid["Transformer"]]
    reached = {grid["ExternalNet"][0]["node"]}
    for _ in branches:
        reached |= {end for pair in branches if reached & set(pair) for end in pair}
    assert reached == {row["id"] for row in grid["Node"]}
    assert len(branches) == len(reached) - 1


def test_every_type_that_the_grid_uses_is_described(
    grid: dict[str, list[dict[str, Any]]],
) -> None:
    for users, types in (("Line", "LineType"), ("Transformer", "TransformerType")):
        assert {row["type"] for row in grid[users]} == {row["id"] for row in grid[types]}


def test_the_net_load_counts_generation_as_negative() -> None:
    assert net_kw(np.array([[3.0, 4.0]]), np.array([[-2.0]])).tolist() == [5.0]
