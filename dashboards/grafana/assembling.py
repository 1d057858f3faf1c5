"""Dashboards from their panels: rows, numbers, variables, marks, links."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    Dashboard,
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.grafana.datasources import INFLUXDB, Built, FluxAnnotation, Sources
from dashboards.grafana.panels import Panel
from dashboards.grafana.series_queries import METERED_DEVICES
from dashboards.grafana.window_queries import SITES

TAG: Final = "gridloom"
REFRESH: Final = "5s"
_RANGE: Final = "now-15m"


@dataclass(frozen=True, slots=True)
class Section:
    """A titled row of panels."""

    title: str
    panels: Sequence[Panel]


def assembled(
    uid: str,
    title: str,
    description: str,
    sections: Sequence[Section],
) -> builders.Dashboard:
    """A dashboard with numbered panels, our refresh and links to the others."""
    board = builders.Dashboard(title).uid(uid).description(description).tags([TAG])
    board.refresh(REFRESH).time(_RANGE, "now").timezone("browser").editable()
    board.tooltip(DashboardCursorSync.CROSSHAIR).link(_to_the_others())
    number = 0
    for index, section in enumerate(sections):
        board.with_row(builders.Row(section.title).id(1000 + index))
        for panel in section.panels:
            number += 1
            board.with_panel(panel.id(number))
    return board


def site_variable(sources: Sources) -> builders.QueryVariable:
    """The site that is shown; the first one by default."""
    variable = _variable("site", "Site", SITES, sources.ref(INFLUXDB))
    return variable.description("Sites that have windows in the range that is shown.")


def device_variable(sources: Sources) -> builders.QueryVariable:
    """The devices that are shown; all by default."""
    variable = _variable("device", "Device", METERED_DEVICES, sources.ref(INFLUXDB))
    variable.description("Meters, weather stations and relay boards of the site.")
    variable.multi(multi=True).include_all(include_all=True).all_value(".*")
    return variable.current(VariableOption(selected=True, text=["All"], value=["$__all"]))


def marks(name: str, query: str, colour: str, sources: Sources) -> Built[FluxAnnotation]:
    """Marks on every chart's time axis."""
    return Built(FluxAnnotation(name, query, colour, sources.ref(INFLUXDB)))


def as_json(dashboard: Dashboard) -> str:
    """The dashboard as Grafana reads it from a file."""
    return json.dumps(dashboard, cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _variable(
    name: str, label: str, query: str, datasource: DataSourceRef
) -> builders.QueryVariable:
    variable = builders.QueryVariable(name).label(label).datasource(datasource)
    variable.query({"query": query, "refId": f"variable-{name}"})
    return variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(
        VariableSort.ALPHABETICAL_ASC
    )


def _to_the_others() -> builders.DashboardLink:
    link = builders.DashboardLink("Gridloom").type(DashboardLinkType.DASHBOARDS).tags([TAG])
    return (
        link.as_dropdown(as_dropdown=True).keep_time(keep_time=True).include_vars(include_vars=True)
    )
