"""`gridloom dispatch`: golden cases, what a case may be, and every error in it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dispatch_plan import DispatchPlan
from schemas.errors import ConfigurationError, MessageError
from schemas.messages import Decoder
from schemas.site_window import Completeness, SiteWindow
from streams.cases.charts import bars_of, terminal_bars
from streams.cases.checking import problems_of
from streams.cases.reading import Case, parse_case, read_case
from streams.cases.solving import solve
from tests.streams.cli.conftest import ROOT, Gridloom

CASES = ROOT / "tests" / "cases" / "dispatch"
FOLDERS = sorted(path.parent for path in CASES.glob("*/input.json"))
PEAK = CASES / "peak-95" / "input.json"

S1_8 = {"84.9", "85", "85.1", "95", "105", "115", "125", "125.1"}
"""Peaks that requirement S1-8 and its boundary name [kW]."""


def load(path: Path) -> Any:  # noqa: ANN401  any JSON
    return json.loads(path.read_text(encoding="utf-8"))


def plan_of(data: object) -> DispatchPlan:
    return solve(parse_case(data, "case")).plan


def problems_in(data: object) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        parse_case(data, "case")
    return list(caught.value.problems)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_golden_case_is_decided_as_derived_by_hand(folder: Path) -> None:
    """S1-8, S1-D3, S1-D6, S1-D8, S3-12: each folder's README says why."""
    plan = json.loads(solve(read_case(folder / "input.json")).to_json())["plan"]
    expected = load(folder / "expected.json")
    told = ("device", "output", "was_on", "on", "reason")
    plan["outputs"] = [{name: output[name] for name in told} for output in plan["outputs"]]
    plan["targets"] = [
        {name: target[name] for name in ("device", "gateway", "outputs")}
        for target in plan["targets"]
    ]
    assert {name: plan[name] for name in expected} == expected


def test_the_table_of_the_requirement_is_there_and_every_case_explains_itself() -> None:
    """S1-8."""
    names = {folder.name for folder in FOLDERS}
    assert {f"peak-{peak}" for peak in S1_8} <= names
    assert {"degraded", "blind", "unknown-relay", "infeasible"} <= names
    for folder in FOLDERS:
        assert {path.name for path in folder.iterdir()} == {
            "README.md",
            "expected.json",
            "input.json",
        }


def test_only_the_load_of_a_window_has_to_be_given() -> None:
    """What is not said is not taken for zero: an output without a state is unknown."""
    case = parse_case({"site": load(PEAK)["site"], "window": {"load_kw": 120}}, "case")
    assert case.window.completeness is Completeness.COMPLETE
    assert case.window.model_hash == case.model.model_hash
    assert [output.on for output in solve(case).plan.outputs] == [None] * 4


def test_the_state_that_a_solution_leaves_fits_into_the_next_case() -> None:
    """Output 4 was shed a moment ago: its dwell time keeps it off, though there is room."""
    case = load(PEAK)
    first = json.loads(solve(parse_case(case, "case")).to_json())
    relays = [{**relay, "on": relay["output"] != 4} for relay in case["window"]["relays"]]
    after = {"load_kw": 50, "relays": relays}
    plan = plan_of({"site": case["site"], "window": after, "state": first["state"]})
    assert plan.window_start_ms == 5_000
    assert (plan.outputs[3].on, plan.outputs[3].reason) == (False, "held-by-dwell")
    assert plan_of({"site": case["site"], "window": after}).outputs[3].on is True


def test_a_record_of_the_window_topic_is_a_case_as_it_is() -> None:
    case = parse_case(load(PEAK), "case")
    window = msgspec.to_builtins(case.window)
    again = parse_case({"site": load(PEAK)["site"], "window": window, "state": None}, "case")
    assert again == case


def test_every_wrong_field_is_named() -> None:
    """STYLE 9: collect errors, then raise once."""
    case = {
        "site": {"name": "depot", "capacity_kw": "many", "colour": 1},
        "window": {
            "lod_kw": 3,
            "completeness": "half",
            "relays": [{"device": "b1", "output": "x", "on": "yes"}, 7],
        },
        "state": {"site": 1},
        "extra": 1,
    }
    named = [problem.split(": ")[0] for problem in problems_in(case)]
    assert sorted(named) == [
        "extra",
        "site.capacity_kw",
        "site.colour",
        "state.last_window_ms",
        "state.site",
        "window.completeness",
        "window.load_kw",
        "window.lod_kw",
        "window.relays[0].on",
        "window.relays[0].output",
        "window.relays[1]",
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"site": "elsewhere"}, "window.site: 'elsewhere' is not the site 'depot'"),
        ({"model_hash": "0" * 64}, "window.model_hash: this site's is "),
        ({"revision": 2}, "window.revision: dispatch decides on revision 0, not 2"),
        ({"window_start_ms": 7}, "window.window_start_ms: 7 is not the start of a window"),
        ({"window_start_ms": -5_000}, "window.window_start_ms: -5000 is not the start of a window"),
        (
            {"relays": [{"device": "board-1", "output": 5, "on": True}]},
            "window.relays: the site has no output 5 of board-1",
        ),
        (
            {"relays": [{"device": "board-1", "output": 4, "on": True}] * 2},
            "window.relays: output 4 of board-1 stands 2 times",
        ),
    ],
)
def test_a_window_that_does_not_fit_its_site_is_refused(
    change: dict[str, object], problem: str
) -> None:
    case = load(PEAK)
    case["window"] |= change
    (found,) = problems_in(case)
    assert found.startswith(problem)


def test_a_state_that_does_not_fit_is_refused() -> None:
    case = load(PEAK) | {"state": {"site": "elsewhere", "last_window_ms": 10_000}}
    case["window"]["window_start_ms"] = 10_000
    assert problems_in(case) == [
        "state.site: 'elsewhere' is not the site 'depot'",
        "window.window_start_ms: 10000 is not after state.last_window_ms 10000",
    ]


@pytest.mark.parametrize(
    ("data", "problems"),
    [
        ({}, ["site: required, but missing", "window: required, but missing"]),
        ({"site": 1, "window": 2}, ["site.", "window: expected an object, got 2"]),
    ],
)
def test_a_case_without_its_parts_is_refused(data: object, problems: list[str]) -> None:
    found = problems_in(data)
    assert len(found) == len(problems)
    for problem, start in zip(found, problems, strict=True):
        assert problem.startswith(start)


def test_a_window_that_dispatch_would_ignore_is_no_decision() -> None:
    case = parse_case(load(PEAK), "case")
    later = msgspec.structs.replace(case.window, revision=1)
    with pytest.raises(ConfigurationError, match="decides once per window"):
        solve(Case(case.model, later, None))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10) | st.floats(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
FIELDS = [field.name for field in msgspec.structs.fields(SiteWindow)]


def test_a_part_of_another_major_version_is_refused_with_both_versions() -> None:
    """DESIGN decision 4: as on the wire."""
    case = load(PEAK)
    case["window"]["schema_version"] = "2.0"
    (problem,) = problems_in(case)
    assert problem.startswith("window.schema_version: version 2.0 of SiteWindow cannot be read")


@given(
    changes=st.dictionaries(st.sampled_from([*FIELDS, "relays"]), JSON, max_size=4),
    dropped=st.sets(st.sampled_from(FIELDS), max_size=3),
)
def test_a_window_has_a_problem_exactly_where_it_cannot_be_decoded(
    changes: dict[str, Any], dropped: set[str]
) -> None:
    window = msgspec.to_builtins(parse_case(load(PEAK), "case").window) | changes
    data = {name: value for name, value in window.items() if name not in dropped}
    try:
        Decoder[SiteWindow](SiteWindow).decode(msgspec.json.encode(data))
    except MessageError:
        fits = False
    else:
        fits = True
    found = [p for p in problems_of(data, SiteWindow, "window") if "unknown field" not in p]
    assert (found == []) is fits


def test_the_chart_leaves_out_what_is_unknown_and_shows_what_is_negative() -> None:
    """Missing is a value, never zero."""
    blind = solve(read_case(CASES / "blind" / "input.json")).plan
    assert bars_of(blind).power_kw == {"net load now": 120.0}
    case = load(PEAK)
    case["window"] |= {"load_kw": 20, "generation_kw": -50}
    bars = bars_of(plan_of(case))
    assert bars.span_kw[0] < -30 < 100 < bars.span_kw[1]
    shown = terminal_bars(bars, width=80).plain
    assert "net load now -30.0" in shown
    assert "threshold 85, capacity 100" in shown


def test_the_command_prints_plan_reasons_and_chart(gridloom: Gridloom, tmp_path: Path) -> None:
    page = tmp_path / "plan.html"
    solved = gridloom("dispatch", str(PEAK), "--plot", str(page))
    assert solved.returncode == 0
    for line in (
        "site depot, window 1970-01-01T00:00:00Z, complete, net load 95.000 kW",
        "optimal: forecast peak 95.000 kW with every output on, 85.000 kW as planned",
        "board-1/4 on → off: forecast peak 95.0 kW exceeds the threshold 85.0 kW",
        "command board-1 via gw-1: 2 on, 3 on, 4 off",
        "peak as planned 85.0┤████",
    ):
        assert line in solved.stdout
    text = page.read_text(encoding="utf-8")
    assert "<html>" in text
    assert "peak as planned" in text


def test_the_command_prints_json(gridloom: Gridloom) -> None:
    solved = gridloom("dispatch", str(CASES / "infeasible" / "input.json"), "--json")
    assert solved.returncode == 0
    answer = json.loads(solved.stdout)
    assert answer["plan"]["status"] == "best-effort"
    assert answer["plan"]["violation_kw"] == 25.0
    assert answer["state"]["last_window_ms"] == 0


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (None, "cannot be read: [Errno 2] No such file or directory"),
        ("{", "cannot be read: Input data was truncated"),
        ('{"load_kw": NaN}', "cannot be read: JSON is malformed"),
        ("[]", "is not a JSON object"),
    ],
)
def test_a_file_that_is_no_case_is_refused_in_a_sentence(
    tmp_path: Path, text: str | None, error: str
) -> None:
    path = tmp_path / "case.json"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        read_case(path)
    assert error in caught.value.message


def test_the_command_names_every_wrong_field_without_a_traceback(
    gridloom: Gridloom, tmp_path: Path
) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"site": {"name": "!"}, "window": {"load_kw": "x"}}', encoding="utf-8")
    refused = gridloom("dispatch", str(path))
    assert refused.returncode == 1
    assert refused.stdout == ""
    lines = refused.stderr.splitlines()
    assert [line.split(":")[0].strip() for line in lines] == [
        "error",
        "- site.name",
        "- site.capacity_kw",
        "- window.load_kw",
        "hint",
    ]
