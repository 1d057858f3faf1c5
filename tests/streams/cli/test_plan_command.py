"""`gridloom plan`: the example of its page, what it refuses, and what it does not know."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from schemas.errors import ConfigurationError
from streams.cases.site_planning import Options, site_case
from tests.streams.cli.conftest import ROOT, Gridloom

PAGE = (ROOT / "docs" / "how-to" / "plan.md").read_text("utf-8")
END = datetime(2026, 3, 15, 23, tzinfo=UTC)
"""Midnight of 16 March in Berlin, a Monday."""

PRICED = ("--timezone", "Europe/Berlin", "--peak-price", "0.50")


def block(kind: str) -> str:
    """The page's block in a language."""
    (found,) = re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


def load_kw(quarter: int) -> float:
    """A hall that works by day, less at weekends, and no two days alike."""
    day, hour = quarter // 96, quarter % 96 / 4
    swing = math.sin(math.pi * hour / 24) ** 2 * (8.0 if day % 7 >= 5 else 20.0)
    return round(8.0 + swing + 2.0 * math.sin(2.4 * day + hour / 5), 2)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, ...]:
    """Site, meters and state of the page as options."""
    quarters = range(14 * 96)
    start = END - timedelta(minutes=15 * len(quarters))
    rows = [
        f"hall,{(start + timedelta(minutes=15 * quarter)).isoformat()},{load_kw(quarter)}"
        for quarter in quarters
    ]
    (tmp_path / "depot.toml").write_text(block("toml"), "utf-8")
    (tmp_path / "state.json").write_text(block("json"), "utf-8")
    (tmp_path / "meters.csv").write_text("\n".join(["meter_id,ts,kw", *rows, ""]), "utf-8")
    return ("--site", "depot.toml", "--data", "meters.csv", "--state", "state.json")


def asked(folder: Path, **changes: Any) -> Options:  # noqa: ANN401  any option
    """What the page asks for."""
    given: dict[str, Any] = {
        "site": folder / "depot.toml",
        "data": (folder / "meters.csv",),
        "state": folder / "state.json",
        "hours": 24,
        "timezone": "Europe/Berlin",
        "peak_hours": "16-21",
        "quantile": 0.95,
    }
    return Options(**given | changes)


def refused(folder: Path, **changes: Any) -> str:  # noqa: ANN401  any option
    """What is said to somebody who asks for this."""
    with pytest.raises(ConfigurationError) as caught:
        site_case(asked(folder, **changes), ignored)
    return str(caught.value)


def ignored(_sentence: str) -> None:
    """Whoever does not want to know."""


def instant_ms(year: int, month: int, day: int, hour: int = 0) -> int:
    return round(1000 * datetime(year, month, day, hour, tzinfo=UTC).timestamp())


def test_the_example_of_the_page_says_what_the_page_says(
    gridloom: Gridloom, files: tuple[str, ...]
) -> None:
    ran = gridloom("plan", *files, *PRICED, COLUMNS="200")
    assert ran.returncode == 0, ran.stderr
    blocks = [found.strip() for found in re.findall(r"```\n([^`]+)```", PAGE)]
    assert ran.stderr.strip() == blocks[0]
    assert ran.stdout.startswith(blocks[1])
    for part in ("bay-1", "bay-2", "cellar", "cost in all", "grid as planned"):
        assert part in ran.stdout


def test_a_saved_case_gives_the_same_plan_when_it_is_dispatched(
    gridloom: Gridloom, files: tuple[str, ...], tmp_path: Path
) -> None:
    ran = gridloom("plan", *files, "--json", "--save-case", "case.json", "--plot", "plan.html")
    again = gridloom("dispatch", "case.json", "--json")
    assert json.loads(again.stdout) == json.loads(ran.stdout)
    case = json.loads((tmp_path / "case.json").read_bytes())
    assert case["horizon"] == {"steps": 96, "step_s": 900, "start_ms": 1000 * END.timestamp()}
    assert "relative" in (tmp_path / "plan.html").read_text("utf-8")


def test_a_wrong_option_is_told_in_a_sentence(gridloom: Gridloom, files: tuple[str, ...]) -> None:
    ran = gridloom("plan", *files, "--save-case", "nowhere/case.json")
    assert ran.returncode == 1
    assert "The folder of a file to write is not there" in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.usefixtures("files")
def test_nothing_is_known_of_what_was_recorded_later(tmp_path: Path) -> None:
    before = END - timedelta(days=2, minutes=10)
    (tmp_path / "state.json").write_text('{"batteries": [{"id": "cellar", "soc": 0.5}]}', "utf-8")
    options = asked(tmp_path, at_ms=round(1000 * before.timestamp()), quantile=0.9)
    whole = site_case(options, ignored)
    lines = (tmp_path / "meters.csv").read_text("utf-8").splitlines()
    cut = [line for line in lines if line < f"hall,{before.isoformat()}" or "ts" in line]
    assert len(cut) < len(lines)
    (tmp_path / "meters.csv").write_text("\n".join([*cut, ""]), "utf-8")
    assert site_case(options, ignored) == whole
    assert whole.horizon.start_ms == 1000 * (before + timedelta(minutes=10)).timestamp()


@pytest.mark.usefixtures("files")
def test_a_reserve_makes_the_limit_of_import_lower(tmp_path: Path) -> None:
    none, half, all_of_it = (
        np.array(site_case(asked(tmp_path, quantile=quantile), ignored).grid.max_import_kw)
        for quantile in (0, 0.5, 1)
    )
    assert (none == 50).all()
    assert (all_of_it <= half).all()
    assert all_of_it[-1] < half[-1] < 50


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"at_ms": instant_ms(2026, 3, 2, 12)}, "the history does not know every hour of a day"),
        (
            {"at_ms": instant_ms(2026, 3, 4), "hours": 48},
            "the history is too short to learn a reserve from",
        ),
        ({"timezone": "Europe/Atlantis"}, "'Europe/Atlantis' is not a time zone"),
        ({"peak_hours": "noon"}, "'noon' are no hours of a day"),
        ({"state": Path("none.json")}, "none.json cannot be read"),
        ({"state": None}, "batteries: the state of charge is missing of cellar"),
    ],
)
def test_what_cannot_be_planned_is_told_in_a_sentence(
    tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    assert told in refused(tmp_path, **changes)


@pytest.mark.usefixtures("files")
def test_every_wrong_field_of_a_state_is_named(tmp_path: Path) -> None:
    state = {"batteries": [{"id": "cellar", "charge": 1}], "vehicles": [{"charger": 3}]}
    (tmp_path / "state.json").write_text(json.dumps(state), "utf-8")
    told = refused(tmp_path)
    for part in (
        "batteries[0].charge: unknown field",
        "batteries[0].soc: required, but missing",
        "vehicles[0].charger: expected `str`",
        "vehicles[0].departure: required, but missing",
    ):
        assert part in told


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("meters", "told"),
    [
        ('[{ id = "pv", rated_kw = 9, role = "generation" }]', "has no meter of its load"),
        ('[{ id = "yard", rated_kw = 9 }]', "Meters of site depot are in no file"),
    ],
)
def test_a_site_whose_load_is_not_metered_is_refused(
    tmp_path: Path, meters: str, told: str
) -> None:
    site = f'name = "depot"\ncapacity_kw = 50\nmeters = {meters}\n'
    (tmp_path / "depot.toml").write_text(site, "utf-8")
    assert told in refused(tmp_path)
