"""A planning result as a chart: for the terminal, and as a page to keep."""

from pathlib import Path
from typing import Final

import plotext
from rich.text import Text

from schemas.planning_case import PlanningCase
from schemas.planning_result import PlanningResult
from streams.cases.planning_tables import columns_of, time_of

_LINES: Final = 20
_TICKS: Final = 8


def terminal_plan(case: PlanningCase, result: PlanningResult, *, width: int) -> Text:
    """The grid's power over the steps, beside what it would be with nothing but forecasts."""
    steps = case.horizon.steps
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, _LINES)
    at = [*range(steps)]
    plotext.plot(at, [*_forecast_kw(result)], label="forecasts alone [kW]", color="blue")
    plotext.plot(at, [*result.grid_kw], label="grid as planned [kW]", color="green")
    ticks = at[:: max(1, -(-steps // _TICKS))]
    plotext.xticks(ticks, [time_of(case.horizon, step) for step in ticks])
    return Text.from_ansi(plotext.build())


def _forecast_kw(result: PlanningResult) -> tuple[float, ...]:
    """Net power of what is not decided about, (steps,) [kW]."""
    powers_kw = [each.power_kw for each in result.schedules if each.kind in {"loads", "solar"}]
    return tuple(map(sum, zip((0.0,) * len(result.grid_kw), *powers_kw, strict=True)))


def write_plan_page(path: Path, case: PlanningCase, result: PlanningResult) -> None:
    """Every device as stacked bars, the grid as a line, as an HTML page, self-contained."""
    import plotly.graph_objects as go

    times = [time_of(case.horizon, step) for step in range(case.horizon.steps)]
    bars = [go.Bar(name=name, x=times, y=power_kw) for name, power_kw in columns_of(result).items()]
    line = go.Scatter(name="grid", x=times, y=result.grid_kw, line={"shape": "hv", "color": "#222"})
    figure = go.Figure([*bars, line])
    title = f"{result.status}, cost {result.total_cost:.2f}"
    figure.update_layout(title=title, yaxis_title="kW", barmode="relative")
    figure.write_html(path)
