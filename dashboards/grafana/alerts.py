"""Alert rules of Grafana's unified alerting, as its provisioning files carry them.

A rule asks (A), reduces each series to its last value (B), and compares that with a limit (C).
Texts name labels through ``.Labels``: a dollar sign would be taken for an environment variable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from dashboards.grafana import alert_queries as queries
from dashboards.grafana import operations, pipeline, promql
from dashboards.grafana.datasources import INFLUXDB, PROMETHEUS, Sources

GROUP: Final = "gridloom"
FOLDER: Final = "Gridloom alerts"
"""Not that of the dashboards: Grafana makes it by its title, with any uid, and maybe first."""

_EXPRESSIONS: Final = "__expr__"
_LOOK_BACK_S: Final = 600
_INTERVAL: Final = "30s"


@dataclass(frozen=True, slots=True)
class Rule:
    """One alert rule.

    Attributes:
        uid: stable; at most 40 characters.
        title: what is wrong.
        kind: kind of the data source that is asked.
        query: its question.
        limit: greatest value that is all right; in the unit that ``summary`` names.
        lasting: how long it must last before it is told.
        no_data: what no answer means: ``OK`` or ``NoData``, which is told as well.
        severity: label for whoever routes alerts.
        summary: one sentence with the value in it.
        description: what to do.
        dashboard: uid of the dashboard that shows more.
        panel: title of the panel there.
    """

    uid: str
    title: str
    kind: str
    query: str
    limit: float
    lasting: str
    no_data: str
    severity: str
    summary: str
    description: str
    dashboard: str
    panel: str


_SITE: Final = "Site {{ .Labels.site }}"
_VALUE: Final = "{{ .Values.B }}"

RULES: Final = (
    Rule(
        uid="gridloom-over-threshold",
        title="Net load stays over the threshold",
        kind=INFLUXDB,
        query=queries.over_threshold(),
        limit=0.0,
        lasting="0s",
        no_data="OK",
        severity="warning",
        summary=f"{_SITE} draws at least {_VALUE} kW more than its threshold,"
        f" {queries.WINDOWS} windows in a row.",
        description="Everything that may be shed is shed already, commands do not arrive, or the"
        " gate rejects the plans: see the newest decisions.",
        dashboard=operations.UID,
        panel="Net load, threshold and look-ahead",
    ),
    Rule(
        uid="gridloom-site-blind",
        title="A site is blind",
        kind=INFLUXDB,
        query=queries.blindness(),
        limit=1.5,
        lasting="0s",
        no_data="NoData",
        severity="critical",
        summary=f"{_SITE}: {queries.WINDOWS} windows in a row were blind.",
        description="More than half of its rated power is missing, so nothing is decided and"
        " leases lapse: see which series are missing, and whether the gateway is connected.",
        dashboard=operations.UID,
        panel="Completeness of windows",
    ),
    Rule(
        uid="gridloom-unconfirmed",
        title="Commands are not confirmed",
        kind=INFLUXDB,
        query=queries.unconfirmed_commands(),
        limit=0.0,
        lasting="0s",
        no_data="OK",
        severity="critical",
        summary=f"{_SITE}: {_VALUE} setpoints of the last ten minutes were not acknowledged.",
        description="The gateway or a board does not answer: see the devices dashboard.",
        dashboard=operations.UID,
        panel="Commands and confirmations",
    ),
    Rule(
        uid="gridloom-dead-letters",
        title="Dead letters are rising",
        kind=PROMETHEUS,
        query=promql.DEAD_LETTERS_RISE,
        limit=0.0,
        lasting="1m",
        no_data="OK",
        severity="warning",
        summary="Stage {{ .Labels.stage }} could not understand " + _VALUE + " records in 5 min.",
        description="The topic dead.letters holds them with every reason.",
        dashboard=pipeline.UID,
        panel="Dead letters over time",
    ),
    Rule(
        uid="gridloom-watermark",
        title="Event time falls behind",
        kind=PROMETHEUS,
        query=promql.WATERMARK_IS_LATE,
        limit=10.0,
        lasting="30s",
        no_data="OK",
        severity="warning",
        summary="The watermark of align {{ .Labels.slot }} is " + _VALUE + " s behind.",
        description="Align does not keep up, or stands still: see lag and rates.",
        dashboard=pipeline.UID,
        panel="Watermark delay",
    ),
)
"""All of them."""


def rule_group(sources: Sources) -> dict[str, object]:
    """The rules as one group of a provisioning file."""
    boards = [operations.operations(sources).build(), pipeline.pipeline(sources).build()]
    panels = {
        (str(board.uid), str(panel.title)): int(panel.id_val or 0)
        for board in boards
        for panel in board.panels or ()
    }
    return {
        "orgId": 1,
        "name": GROUP,
        "folder": FOLDER,
        "interval": _INTERVAL,
        "rules": [_provisioned(rule, sources, panels) for rule in RULES],
    }


def _provisioned(
    rule: Rule, sources: Sources, panels: Mapping[tuple[str, str], int]
) -> dict[str, object]:
    """One rule as a provisioning file has it; ``panels``: numbers by dashboard and title."""
    panel = panels[rule.dashboard, rule.panel]
    return {
        "uid": rule.uid,
        "title": rule.title,
        "condition": "C",
        "for": rule.lasting,
        "noDataState": rule.no_data,
        "execErrState": "Error",
        "labels": {"severity": rule.severity, "from": "gridloom"},
        "annotations": {
            "summary": rule.summary,
            "description": rule.description,
            # Grafana refuses the one without the other.
            "__dashboardUid__": rule.dashboard,
            "__panelId__": str(panel),
        },
        "dashboardUid": rule.dashboard,
        "panelId": panel,
        "data": [_question(rule, sources), _last_value(), _over(rule.limit)],
    }


def _question(rule: Rule, sources: Sources) -> dict[str, object]:
    """A: the question to the data source."""
    ref = {"type": rule.kind, "uid": sources.uid(rule.kind)}
    asked: dict[str, object] = (
        {"query": rule.query}
        if rule.kind == INFLUXDB
        else {"expr": rule.query, "instant": True, "range": False}
    )
    model = {"refId": "A", "datasource": ref, "intervalMs": 5_000, "maxDataPoints": 1_000, **asked}
    return _step("A", sources.uid(rule.kind), _LOOK_BACK_S, model)


def _last_value() -> dict[str, object]:
    """B: the last value of every series of A."""
    return _expression("B", {"type": "reduce", "expression": "A", "reducer": "last"})


def _over(limit: float) -> dict[str, object]:
    """C: whether B is over the limit."""
    condition = {"evaluator": {"type": "gt", "params": [limit]}}
    return _expression("C", {"type": "threshold", "expression": "B", "conditions": [condition]})


def _expression(ref_id: str, model: dict[str, object]) -> dict[str, object]:
    ref = {"type": _EXPRESSIONS, "uid": _EXPRESSIONS}
    return _step(ref_id, _EXPRESSIONS, 0, {"refId": ref_id, "datasource": ref, **model})


def _step(ref_id: str, uid: str, since_s: int, model: dict[str, object]) -> dict[str, object]:
    return {
        "refId": ref_id,
        "datasourceUid": uid,
        "relativeTimeRange": {"from": since_s, "to": 0},
        "model": model,
    }
