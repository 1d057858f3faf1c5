"""Searches that end without a proof, or without a solution: the plan says so."""

from random import Random

import pytest

from processors.planning import highs, kept
from processors.planning.arrays import Floats
from processors.planning.planner import Planner
from schemas.errors import PlanningError
from schemas.planning_case import Deferrable, GridConnection, Horizon, PlanningCase
from schemas.planning_result import PlanningStatus
from tests.processors.planning.homes import BOILER, CAR, alone, changed


def hard_case() -> PlanningCase:
    """Many loads of odd sizes under one limit: packing, which takes a search."""
    random = Random(3)
    steps = 12
    return PlanningCase(
        horizon=Horizon(steps=steps, step_s=3600.0),
        grid=GridConnection(
            import_price_per_kwh=tuple(random.uniform(0.1, 0.4) for _ in range(steps)),
            max_import_kw=10.0,
        ),
        deferrables=tuple(
            Deferrable(id=f"load-{number}", power_kw=random.uniform(1.5, 4.5), hours=2.0)
            for number in range(16)
        ),
    )


def test_a_search_that_is_cut_short_gives_a_plan_and_how_far_it_may_be_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(kept.OPTIONS, "mip_max_nodes", 1)
    result = Planner().plan(hard_case())
    assert result.status is PlanningStatus.FEASIBLE
    assert result.gap is not None
    assert result.gap > 0
    best = result.total_cost - result.gap
    monkeypatch.setitem(kept.OPTIONS, "mip_max_nodes", kept.MAX_NODES)
    monkeypatch.setitem(kept.OPTIONS, "mip_rel_gap", 0.01)
    assert best - 1e-6 <= Planner().plan(hard_case()).total_cost <= result.total_cost * 1.01


def searches_that_fail(monkeypatch: pytest.MonkeyPatch, fails: set[int]) -> None:
    """Searches of these numbers find nothing."""
    original, done = highs.Search._minimise, [0]  # noqa: SLF001  what is replaced

    def search(self: highs.Search, costs: Floats) -> highs.Found | None:
        done[0] += 1
        return None if done[0] - 1 in fails else original(self, costs)

    monkeypatch.setattr(highs.Search, "_minimise", search)


def test_where_a_later_search_finds_nothing_the_solution_before_stands(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Searches: without excess, of limits, of vehicles, of cost."""
    searches_that_fail(monkeypatch, {0, 3})
    result = Planner().plan(alone(sessions=(CAR,)))
    assert result.status is PlanningStatus.FEASIBLE
    assert result.gap is None
    assert sum(result.schedules[0].power_kw) == pytest.approx(6.0)


def test_no_plan_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    searches_that_fail(monkeypatch, {0, 1})
    with pytest.raises(PlanningError, match="no plan at all"):
        Planner().plan(alone(sessions=(CAR,)))


def test_a_plan_without_prices_stands_where_its_integers_have_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = highs.Search._keep_integers  # noqa: SLF001  what is replaced

    def keep(self: highs.Search, costs: Floats, values: Floats) -> None:
        original(self, costs, values + 1.0)

    monkeypatch.setattr(highs.Search, "_keep_integers", keep)
    result = Planner().plan(alone(deferrables=(BOILER,)))
    assert result.schedules[0].power_kw == pytest.approx((3, 0, 0, 0))
    assert set(result.price_per_kwh) == {0.0}


def test_the_home_needs_none_of_this() -> None:
    assert Planner().plan(changed()).gap == 0
