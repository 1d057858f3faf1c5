"""The dashboards as Grafana will read them: whole, readable, and with nothing in two places."""

import itertools
import json
from collections import Counter
from typing import Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.grafana.assembling import as_json
from dashboards.grafana.datasources import Sources, register_flux
from dashboards.grafana.provisioning import all_dashboards

BOARDS = {str(board.uid): board for board in all_dashboards()}


def _read(uid: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(as_json(BOARDS[uid]))
    return found


def _panels(uid: str) -> list[dict[str, Any]]:
    return [panel for panel in _read(uid)["panels"] if panel["type"] != "row"]


ALL_PANELS = [
    pytest.param(panel, id=f"{uid}-{panel['title']}") for uid in BOARDS for panel in _panels(uid)
]


@pytest.mark.parametrize("uid", BOARDS)
def test_grafanas_own_types_read_what_we_write_and_write_it_again(uid: str) -> None:
    """D-6: the schema of Grafana's SDK holds, field by field; only marks carry more than it."""
    register_default_plugins()
    register_flux()
    written = _read(uid)
    again = json.loads(json.dumps(Dashboard.from_json(_read(uid)), cls=JSONEncoder))
    for marks in [*written["annotations"].get("list", ()), *again["annotations"].get("list", ())]:
        marks.pop("target", None)
    assert again == written


@pytest.mark.parametrize("uid", BOARDS)
def test_no_two_panels_share_a_number_or_a_place(uid: str) -> None:
    panels = _read(uid)["panels"]
    numbers = Counter(panel["id"] for panel in panels)
    assert max(numbers.values()) == 1
    for one, other in itertools.combinations([panel["gridPos"] for panel in panels], 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


@pytest.mark.parametrize("panel", ALL_PANELS)
def test_every_panel_says_what_it_shows_and_why_it_may_be_empty(panel: dict[str, Any]) -> None:
    """Issue 4: an empty panel has a reason, and every panel names its unit."""
    description = panel["description"]
    assert description.endswith(".")
    words = ("[", "number", "Number", "No unit", "Completeness", "counted", "kind and time")
    assert any(word in description for word in words), description
    assert panel["fieldConfig"]["defaults"]["noValue"]
    assert panel["datasource"]["uid"]
    assert [target["refId"] for target in panel["targets"]] == list("ABCDEFGH")[
        : len(panel["targets"])
    ]
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


def test_dashboards_are_told_apart_and_refresh_every_5_seconds() -> None:
    """S1-12: refresh 5 s."""
    assert list(BOARDS) == ["gridloom-operations", "gridloom-pipeline", "gridloom-devices"]
    assert all(len(uid) <= 40 for uid in BOARDS)
    assert {_read(uid)["refresh"] for uid in BOARDS} == {"5s"}
    assert all("id" not in _read(uid) for uid in BOARDS), "an id belongs to one Grafana only"


def test_the_site_is_a_variable_that_influxdb_fills() -> None:
    for uid in ("gridloom-operations", "gridloom-devices"):
        site = _read(uid)["templating"]["list"][0]
        assert (site["name"], site["type"], site["datasource"]["type"]) == (
            "site",
            "query",
            "influxdb",
        )
        assert "tagValues" in site["query"]["query"]


def test_other_data_sources_can_be_named() -> None:
    """For a Grafana that has its own."""
    text = "".join(as_json(board) for board in all_dashboards(Sources("mine", "theirs")))
    assert '"mine"' in text
    assert '"theirs"' in text
    assert "gridloom-influxdb" not in text
    assert "gridloom-prometheus" not in text
