"""`gridloom dispatch` with planning cases: the example of the documentation, and wrong ones."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigurationError
from schemas.planning_case import (
    Battery,
    Deferrable,
    FixedLoad,
    Generator,
    GridConnection,
    Horizon,
    PlanningCase,
    Session,
    SharedLimit,
    Solar,
)
from schemas.planning_result import DeviceKind, PlanReason
from streams.cases.answering import answer_case
from streams.cases.planning import parse_planning_case, plan_case
from streams.cases.planning_tables import MOST_COLUMNS, columns_of
from tests.streams.cli.conftest import ROOT, Gridloom

PAGE = (ROOT / "docs" / "reference" / "planning.md").read_text("utf-8")
STRUCTS = (
    PlanningCase,
    Horizon,
    GridConnection,
    FixedLoad,
    Solar,
    Generator,
    Battery,
    Session,
    Deferrable,
    SharedLimit,
)


HOME = ROOT / "tests" / "cases" / "planning" / "home" / "input.json"


def example() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(HOME.read_text("utf-8"))
    return data


def problems_in(data: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        plan_case(parse_planning_case(data, "case"), "case")
    return list(caught.value.problems)


def test_the_page_has_the_example_as_it_is() -> None:
    (block,) = re.findall(r"```json\n(\{\n.*?)```", PAGE, re.DOTALL)
    assert block == HOME.read_text("utf-8")


def test_the_example_of_the_page_has_every_kind_of_device_and_an_optimal_plan() -> None:
    case = parse_planning_case(example(), "case")
    assert all(devices for devices in case.families.values())
    result = plan_case(case, "case")
    assert result.status == "optimal"
    assert {each.kind for each in result.schedules} == set(DeviceKind)
    assert f"cost {result.total_cost:.4f}" in PAGE


def test_the_page_names_every_field_and_every_reason() -> None:
    spans = set(re.findall(r"`([\w.-]+)`", PAGE))
    fields = {field for struct in STRUCTS for field in struct.__struct_fields__}
    assert fields <= spans
    assert {reason.value for reason in PlanReason} <= spans


def test_the_command_prints_plan_costs_prices_reasons_and_a_chart(
    gridloom: Gridloom,
) -> None:
    ran = gridloom("dispatch", str(HOME))
    assert ran.returncode == 0, ran.stderr
    for part in (
        "optimal: cost",
        "energy import",
        "limit garage binds",
        "[cheap]",
        "grid as planned",
    ):
        assert part in ran.stdout


def test_the_command_prints_json_for_programs_and_writes_a_page(
    gridloom: Gridloom, tmp_path: Path
) -> None:
    page = tmp_path / "plan.html"
    ran = gridloom("dispatch", str(HOME), "--json", "--plot", str(page))
    assert json.loads(ran.stdout)["status"] == "optimal"
    assert "relative" in page.read_text("utf-8")


def test_every_field_of_a_wrong_type_is_named_at_once() -> None:
    case = example()
    case["horizon"] = {"steps": "many", "step": 900}
    case["grid"]["import_price_per_kwh"] = ["dear"]
    case["batteries"][0] |= {"capacity_kwh": None, "colour": "red"}
    del case["sessions"][1]["energy_kwh"]
    case["wishes"] = []
    named = [problem.split(":")[0] for problem in problems_in(case)]
    assert sorted(named) == [
        "batteries[0].capacity_kwh",
        "batteries[0].colour",
        "grid.import_price_per_kwh",
        "horizon.step",
        "horizon.steps",
        "sessions[1].energy_kwh",
        "wishes",
    ]


def test_what_makes_no_sense_is_named_with_the_name_of_the_file(
    gridloom: Gridloom, tmp_path: Path
) -> None:
    case = example()
    case["batteries"][0]["soc"] = 7
    case["limits"][0]["members"] = ["nobody"]
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(case))
    ran = gridloom("dispatch", str(path))
    assert ran.returncode != 0
    for part in ("odd.json", "batteries[0].soc: 7", "limits[0].members: 'nobody'", "Traceback"):
        assert (part in ran.stderr) == (part != "Traceback")


def test_many_devices_are_shown_as_sums_of_their_kinds() -> None:
    loads = [{"id": f"load-{number}", "power_kw": 0.5} for number in range(MOST_COLUMNS + 1)]
    case = parse_planning_case({"horizon": {"steps": 2}, "loads": loads}, "case")
    assert columns_of(plan_case(case, "case")) == {"loads": (0.5 * len(loads),) * 2}


def test_what_cannot_hold_is_told_first(tmp_path: Path) -> None:
    data = {
        "horizon": {"steps": 2, "start_ms": 1_600_000_000_000},
        "grid": {"max_import_kw": 1},
        "loads": [{"id": "house", "power_kw": [0.5, 3]}],
    }
    path = tmp_path / "tight.json"
    path.write_text(json.dumps(data))
    answer = json.loads(answer_case(path).json)
    (unmet,) = answer["unmet"]
    assert (unmet["constraint"], unmet["holds_at"], unmet["steps"]) == (
        "grid.max_import_kw",
        3,
        [1],
    )
