"""Panels: what every one of ours has, and the four kinds that we use.

Every panel says what it shows and in which unit, and why it may be empty.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as dashboard_builders
from grafana_foundation_sdk.builders import stat, statetimeline, table, timeseries
from grafana_foundation_sdk.models.common import (
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    LineInterpolation,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMapping,
)

from dashboards.grafana.datasources import Built, Sources, kind_of, target
from dashboards.grafana.looks import BLUE, About, Looks, Steps

_LEAST_INTERVAL: Final = "5s"
"""Windows are 5 s long: nothing is asked for in finer steps."""

Panel = timeseries.Panel | statetimeline.Panel | stat.Panel | table.Panel
_P = TypeVar("_P", timeseries.Panel, statetimeline.Panel, stat.Panel, table.Panel)


def time_series(
    about: About, sources: Sources, looks: Looks | None = None, *, stacked: bool = False
) -> timeseries.Panel:
    """Lines over time; a gap in the data is a gap in the line."""
    panel = _described(timeseries.Panel(), about, sources)
    _looking(panel, looks)
    if stacked:
        stacking = common_builders.StackingConfig().mode(StackingMode.NORMAL)
        panel.stacking(stacking).fill_opacity(40)
    panel.color_scheme(_palette()).line_width(1).show_points(VisibilityMode.NEVER)
    panel.line_interpolation(LineInterpolation.LINEAR).legend(_legend()).tooltip(_tooltip())
    return panel.interval(_LEAST_INTERVAL).axis_soft_min(0)


def bars(about: About, sources: Sources, looks: Looks | None = None) -> timeseries.Panel:
    """Stacked bars over time, at most sixty."""
    panel = time_series(about, sources, looks, stacked=True)
    panel.draw_style(GraphDrawStyle.BARS).fill_opacity(70).line_width(0)
    return panel.max_data_points(60)


def state_timeline(
    about: About, sources: Sources, states: Sequence[ValueMapping], steps: Steps
) -> statetimeline.Panel:
    """One band per series, coloured by state."""
    panel = _described(statetimeline.Panel(), about, sources)
    panel.mappings(list(states)).thresholds(_thresholds(steps))
    panel.color_scheme(_by_threshold()).show_value(VisibilityMode.NEVER).row_height(0.85)
    panel.legend(_legend()).tooltip(_tooltip()).fill_opacity(85).line_width(0)
    return panel.interval(_LEAST_INTERVAL)


def figure(
    about: About,
    sources: Sources,
    looks: Looks | None = None,
    *,
    steps: Steps = ((None, BLUE),),
    states: Sequence[ValueMapping] = (),
    fields: str = "",
) -> stat.Panel:
    """The newest value in large type, one per field.

    Args:
        about: what is said of it.
        sources: whom to ask.
        looks: how fields are called.
        steps: colours by value.
        states: texts by value.
        fields: regular expression of fields to show; empty for all numbers.
    """
    panel = _described(stat.Panel(), about, sources)
    _looking(panel, looks)
    reduced = common_builders.ReduceDataOptions().calcs(["lastNotNull"]).fields(fields)
    panel.reduce_options(reduced.values(values=False)).graph_mode(BigValueGraphMode.NONE)
    panel.mappings(list(states)).thresholds(_thresholds(steps)).color_scheme(_by_threshold())
    return panel.text_mode(BigValueTextMode.VALUE_AND_NAME)


def rows_table(about: About, sources: Sources, looks: Looks | None = None) -> table.Panel:
    """A table, as the answer is."""
    panel = _described(table.Panel(), about, sources)
    _looking(panel, looks)
    return panel.filterable(filterable=True)


def _described(panel: _P, about: About, sources: Sources) -> _P:
    """What every panel of ours has."""
    panel.title(about.title).description(about.description).no_value(about.empty)
    panel.unit(about.unit).span(about.width).height(about.height)
    panel.datasource(sources.ref(kind_of(about.questions[0])))
    for letter, question in zip("ABCDEFGH", about.questions, strict=False):
        panel.with_target(Built(target(question, letter, sources)))
    return panel


def _looking(panel: _P, looks: Looks | None) -> None:
    for field, look in (looks or {}).items():
        panel.override_by_name(field, look.properties())


def _palette() -> dashboard_builders.FieldColor:
    # By name, so that a series keeps its colour when others come and go.
    return dashboard_builders.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def _by_threshold() -> dashboard_builders.FieldColor:
    return dashboard_builders.FieldColor().mode(FieldColorModeId.THRESHOLDS)


def _thresholds(steps: Steps) -> dashboard_builders.ThresholdsConfig:
    return (
        dashboard_builders.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=colour) for value, colour in steps])
    )


def _legend() -> common_builders.VizLegendOptions:
    return (
        common_builders.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
    )


def _tooltip() -> common_builders.VizTooltipOptions:
    tooltip = common_builders.VizTooltipOptions().mode(TooltipDisplayMode.MULTI)
    return tooltip.sort(SortOrder.DESCENDING)
