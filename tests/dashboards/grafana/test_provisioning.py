"""The files that Grafana provisions itself from: the same every time, and without a secret."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dashboards.grafana.alerts import RULES
from dashboards.grafana.provisioning import (
    CHECKED_IN,
    all_dashboards,
    provisioning_files,
    write_provisioning,
)
from dashboards.grafana.yaml_text import yaml_text

FILES = provisioning_files()


def _yaml(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILES[name])
    return found


def test_the_files_that_are_checked_in_are_those_that_are_built() -> None:
    """Otherwise: gridloom dashboards build --folder dashboards/provisioning."""
    kept = {
        path.relative_to(CHECKED_IN).as_posix(): path.read_text(encoding="utf-8")
        for path in CHECKED_IN.rglob("*")
        if path.is_file()
    }
    assert kept == FILES


def test_building_writes_every_file(tmp_path: Path) -> None:
    written = write_provisioning(tmp_path / "new")
    assert {path.relative_to(tmp_path / "new").as_posix() for path in written} == set(FILES)
    assert all(path.read_text(encoding="utf-8") for path in written)


def test_addresses_and_the_token_come_from_the_environment() -> None:
    influxdb, prometheus = _yaml("datasources/gridloom.yaml")["datasources"]
    assert influxdb["secureJsonData"] == {"token": "${GRIDLOOM_INFLUXDB__READ_TOKEN}"}
    assert influxdb["url"].startswith("${")
    assert influxdb["jsonData"]["version"] == "Flux"
    assert influxdb["jsonData"]["defaultBucket"].startswith("${")
    assert prometheus["url"] == "${PROMETHEUS_URL}"
    assert "secureJsonData" not in prometheus


def test_panels_and_rules_ask_the_data_sources_that_are_provisioned() -> None:
    provided = {each["uid"] for each in _yaml("datasources/gridloom.yaml")["datasources"]}
    rules = _yaml("alerting/gridloom.yaml")["groups"][0]["rules"]
    asked = {rule["data"][0]["datasourceUid"] for rule in rules}
    for name, text in FILES.items():
        if name.endswith(".json"):
            panels = json.loads(text)["panels"]
            asked |= {panel["datasource"]["uid"] for panel in panels if panel["type"] != "row"}
    assert asked == provided


def test_the_provider_reads_the_folder_that_the_dashboards_lie_in() -> None:
    (provider,) = _yaml("dashboards/gridloom.yaml")["providers"]
    assert provider["options"]["path"].endswith("/dashboards/gridloom")
    boards = [name for name in FILES if name.startswith("dashboards/gridloom/")]
    assert len(boards) == len(all_dashboards())


@pytest.mark.parametrize("number", range(len(RULES)), ids=[rule.uid for rule in RULES])
def test_a_rule_asks_reduces_and_compares(number: int) -> None:
    rule = _yaml("alerting/gridloom.yaml")["groups"][0]["rules"][number]
    asked, reduced, compared = rule["data"]
    assert rule["condition"] == compared["refId"] == "C"
    assert reduced["model"]["expression"] == asked["refId"]
    assert compared["model"]["expression"] == reduced["refId"]
    assert asked["model"].get("query", asked["model"].get("expr")) == RULES[number].query
    assert asked["relativeTimeRange"] == {"from": 600, "to": 0}
    assert len(rule["uid"]) <= 40
    assert "$" not in json.dumps(rule["annotations"])
    (board,) = [each for each in all_dashboards() if each.uid == rule["dashboardUid"]]
    titles = {panel.id_val: panel.title for panel in board.panels or ()}
    assert titles[rule["panelId"]] == RULES[number].panel
    assert rule["annotations"]["__dashboardUid__"] == rule["dashboardUid"]
    assert rule["annotations"]["__panelId__"] == str(rule["panelId"])


def test_rules_and_dashboards_are_in_folders_of_their_own() -> None:
    """Grafana makes the rules' folder by its title alone, and may do so first."""
    (group,) = _yaml("alerting/gridloom.yaml")["groups"]
    (provider,) = _yaml("dashboards/gridloom.yaml")["providers"]
    assert group["folder"] != provider["folder"]


def test_rules_are_told_apart() -> None:
    assert len({rule.uid for rule in RULES}) == len({rule.title for rule in RULES}) == len(RULES)


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=40)
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-9999, 9999).map(lambda quarters: quarters / 4)
    | _TEXTS
    | st.lists(_TEXTS, min_size=1, max_size=3).map("\n".join).map("{}\n".format),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(_TEXTS, _VALUES, min_size=1, max_size=3))
def test_what_is_written_as_yaml_is_read_back(value: dict[str, object]) -> None:
    assert yaml.safe_load(yaml_text(value)) == value


def test_what_yaml_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError, match="no way to write"):
        yaml_text({"a": {1, 2}})
    with pytest.raises(TypeError, match="a mapping or a list"):
        yaml_text("a")
