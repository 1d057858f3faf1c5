"""Every question that the dashboards and alert rules ask, found where Grafana finds it."""

import json
from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from dashboards.grafana.alerts import RULES, rule_group
from dashboards.grafana.assembling import as_json
from dashboards.grafana.datasources import INFLUXDB, Sources
from dashboards.grafana.provisioning import all_dashboards

ALERTS: Final = "alert rules"
"""What stands in place of a dashboard's title for the questions of alert rules."""


class Asked(Struct, frozen=True, kw_only=True):
    """One question, and where it is asked.

    Attributes:
        dashboard: title of the dashboard, or :data:`ALERTS`.
        place: title of the panel, or which variable, marks or rule.
        ref_id: of the query within its panel.
        kind: ``influxdb`` (text is Flux) or ``prometheus`` (text is PromQL).
        text: with Grafana's variables in it.
        instant: of Prometheus: only the newest value is asked for.
        empty: what no rows mean.
        look_back_s: of an alert rule: how far back it looks [s]; None: the range shown.
    """

    dashboard: str
    place: str
    ref_id: str
    kind: str
    text: str
    instant: bool = False
    empty: str
    look_back_s: int | None = None


def all_questions(sources: Sources | None = None) -> list[Asked]:
    """Everything that is asked of InfluxDB and Prometheus."""
    where = sources or Sources()
    boards = [json.loads(as_json(board)) for board in all_dashboards(where)]
    asked = [question for board in boards for question in _of_dashboard(board)]
    return [*asked, *_of_rules(where)]


def _of_dashboard(board: dict[str, Any]) -> Iterator[Asked]:
    """Variables, marks and panels of one dashboard's JSON."""
    title = board["title"]
    for variable in board["templating"].get("list", ()):
        yield Asked(
            dashboard=title,
            place=f"variable {variable['name']}",
            ref_id=variable["query"]["refId"],
            kind=variable["datasource"]["type"],
            text=variable["query"]["query"],
            empty="nothing to choose from in this range",
        )
    for marks in board["annotations"].get("list", ()):
        yield Asked(
            dashboard=title,
            place=f"marks {marks['name']}",
            ref_id=marks["target"]["refId"],
            kind=marks["datasource"]["type"],
            text=marks["target"]["query"],
            empty="nothing to mark in this range",
        )
    for panel in board["panels"]:
        for target in panel.get("targets", ()):
            yield _of_target(title, panel, target)


def _of_target(title: str, panel: dict[str, Any], target: dict[str, Any]) -> Asked:
    """One query of a panel."""
    kind = target["datasource"]["type"]
    return Asked(
        dashboard=title,
        place=panel["title"],
        ref_id=target["refId"],
        kind=kind,
        text=target["query" if kind == INFLUXDB else "expr"],
        instant=bool(target.get("instant", False)),
        empty=panel["fieldConfig"]["defaults"]["noValue"],
    )


def _of_rules(sources: Sources) -> Iterator[Asked]:
    """The first step of every alert rule."""
    group: Any = rule_group(sources)
    for rule, written in zip(RULES, group["rules"], strict=True):
        step = written["data"][0]
        yield Asked(
            dashboard=ALERTS,
            place=rule.title,
            ref_id=step["refId"],
            kind=rule.kind,
            text=step["model"]["query" if rule.kind == INFLUXDB else "expr"],
            instant=bool(step["model"].get("instant", False)),
            empty=f"nothing to judge; Grafana then takes the state {rule.no_data}",
            look_back_s=step["relativeTimeRange"]["from"],
        )
