"""Every published case, through the public API, at its expected value; cost only."""

import msgspec
import numpy as np
import pytest

from processors.planning.planner import Planner
from schemas.planning_case import GridConnection
from schemas.planning_result import PlanningStatus
from tests.conftest import data_folder
from tests.processors.planning.holding import LIMIT, assert_plan_holds
from tests.processors.planning.reference import IDS, Entry, case_of, entries

pytestmark = pytest.mark.data

TOLERANCE = 1e-3
"""Relative, where the case names none."""

COSTS = {
    "home_deferrable_milp": "optimum_net_cost",
    "home_deferrable_battery_milp": "optimum_net_cost",
    "battery_arbitrage": "net_cost_eur",
    "uc": "objective",
    "ev_schedule": "cost",
    "ev_lp": "min_energy_cost_usd",
}
"""The expected field that the total cost is compared with, by kind."""

OF_EMHASS = [name for name in IDS if name.startswith("emhass_feb") and "batt" not in name]


def entry_of(name: str) -> Entry:
    return entries(data_folder())[name]


def close(value: object, entry: Entry) -> object:
    """Equal within the case's tolerance, and an absolute one for what is about zero."""
    return pytest.approx(value, rel=entry.get("tolerance_rel", TOLERANCE), abs=1e-6)


def test_every_entry_of_the_file_is_tested() -> None:
    assert set(entries(data_folder())) == set(IDS)


@pytest.mark.parametrize("name", [name for name in IDS if name != "ada_infeasible_rate"])
def test_the_cost_is_the_expected_one_and_every_limit_holds(name: str) -> None:
    """The field that is checked is ``COSTS`` of the case's kind; limits to 1e-6."""
    entry = entry_of(name)
    case = case_of(entry)
    result = Planner().plan(case)
    assert result.status is PlanningStatus.OPTIMAL
    assert result.total_cost == close(entry["expected"][COSTS[entry["kind"]]], entry)
    assert_plan_holds(case, result)


@pytest.mark.parametrize("name", OF_EMHASS)
def test_a_home_costs_what_emhass_itself_finds(name: str) -> None:
    """``emhass_net_cost``; the days in May have none, as EMHASS ends above the optimum."""
    entry = entry_of(name)
    assert Planner().plan(case_of(entry)).total_cost == close(
        entry["expected"]["emhass_net_cost"], entry
    )


@pytest.mark.parametrize("name", [n for n in IDS if n.startswith("emhass_may") and "batt" not in n])
def test_a_home_costs_no_more_than_what_emhass_finds_for_cost(name: str) -> None:
    """``emhass_cost_run_net_cost`` is above the optimum in these cases."""
    entry = entry_of(name)
    assert Planner().plan(case_of(entry)).total_cost < entry["expected"]["emhass_cost_run_net_cost"]


@pytest.mark.parametrize("name", [name for name in IDS if name.startswith("flexmeasures")])
def test_a_battery_has_the_expected_charge_on_its_way(name: str) -> None:
    """``soc_at_8h``, ``soc_at_16h`` and ``soc_end`` [MWh]."""
    entry = entry_of(name)
    (battery,) = Planner().plan(case_of(entry)).schedules
    stored_mwh = 5 * np.array(battery.soc)
    expected = entry["expected"]
    for step, field in ((32, "soc_at_8h"), (64, "soc_at_16h"), (96, "soc_end")):
        assert stored_mwh[step] == close(expected[field], entry)


def test_generators_run_as_expected() -> None:
    """``p`` of ``pypsa_uc_basic``."""
    entry = entry_of("pypsa_uc_basic")
    _, *generators = Planner().plan(case_of(entry)).schedules
    outputs = [[-power_kw for power_kw in each.power_kw] for each in generators]
    assert np.array(outputs) == close(np.array(entry["expected"]["p"]), entry)


def test_vehicles_wait_for_the_cheap_half() -> None:
    """``rate_first6`` of ``ada_tou_tiny``."""
    entry = entry_of("ada_tou_tiny")
    for each in Planner().plan(case_of(entry)).schedules:
        assert each.power_kw[:6] == pytest.approx([entry["expected"]["rate_first6"]] * 6, abs=LIMIT)


def test_what_cannot_be_charged_in_time_is_named_with_its_amount() -> None:
    """``infeasible`` of ``ada_infeasible_rate``: 4 x 5 min at 32 A and 208 V are 2.2187 kWh."""
    entry = entry_of("ada_infeasible_rate")
    assert entry["expected"] == {"infeasible": True}
    case = case_of(entry)
    result = Planner().plan(case)
    assert result.status is PlanningStatus.BEST_EFFORT
    (unmet,) = result.unmet
    assert (unmet.constraint, unmet.subject) == ("sessions[1].energy_kwh", "session-1")
    possible_kwh = 4 * 5 / 60 * 32 * 0.208
    assert unmet.amount == pytest.approx(3.3 - possible_kwh)
    assert unmet.holds_at == pytest.approx(possible_kwh)
    assert "6 steps instead of 4" in unmet.remedy
    first, second = result.schedules
    assert sum(first.power_kw) * 5 / 60 == pytest.approx(3.3)
    assert second.power_kw[:4] == pytest.approx([32 * 0.208] * 4)


@pytest.mark.parametrize("name", [name for name in IDS if name.startswith("ev_")])
def test_the_lowest_peak_is_found_when_only_the_peak_has_a_price(name: str) -> None:
    """``min_peak_kw``, with a demand charge of 1 and no price of energy."""
    entry = entry_of(name)
    case = case_of(entry)
    peak_only = msgspec.structs.replace(case, grid=GridConnection(demand_charge_per_kw=1.0))
    result = Planner().plan(peak_only)
    assert result.peak_kw == close(entry["expected"]["min_peak_kw"], entry)
    assert result.costs.demand == pytest.approx(result.peak_kw, abs=1e-6)


@pytest.mark.parametrize("name", [name for name in IDS if name.startswith("ev_")])
def test_all_energy_is_delivered(name: str) -> None:
    """``energy_kwh`` and ``n``."""
    entry = entry_of(name)
    schedules = Planner().plan(case_of(entry)).schedules
    assert len(schedules) == entry["expected"]["n"]
    total_kwh = sum(sum(each.power_kw) for each in schedules) / 4
    assert total_kwh == close(entry["expected"]["energy_kwh"], entry)
