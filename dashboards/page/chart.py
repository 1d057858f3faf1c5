"""Load against threshold over time, with what was done about it, as a Plotly figure."""

from collections.abc import Iterable, Sequence
from datetime import timezone
from typing import Final
from zoneinfo import ZoneInfo

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from dashboards.page.actions import Action
from dashboards.page.completeness import stretches
from dashboards.page.lanes import (
    ACTION_ROW,
    LOAD_ROW,
    STRIP_ROW,
    Point,
    draw_actions,
    draw_strips,
)
from dashboards.page.style import BLUE, GREEN, GREY, ORANGE, RED
from dashboards.page.times import axis_time, fixed_zone
from schemas.dispatch_plan import DispatchPlan
from schemas.site_window import Completeness, SiteWindow
from schemas.windows import WINDOW_MS

HEIGHT_PX: Final = 400

_HEADROOM: Final = 1.08


def load_figure(
    windows: Sequence[SiteWindow],
    plans: Sequence[DispatchPlan],
    actions: Sequence[Action],
    zone: ZoneInfo,
) -> go.Figure:
    """Net load, forecast and threshold [kW], loads shed and restored, completeness below.

    Args:
        windows: of one site in time order, one or more.
        plans: about these windows, in time order.
        actions: what was switched in the meantime.
        zone: whose times the axis shows, by its offset from UTC at the last window.
    """
    times = fixed_zone(windows[-1].window_start_ms, zone)
    figure = make_subplots(
        rows=3, cols=1, shared_xaxes=True, row_heights=[0.8, 0.14, 0.06], vertical_spacing=0.03
    )
    net = _broken((w.window_start_ms, _known_net_kw(w)) for w in windows)
    forecast = _broken((p.window_start_ms, p.uncontrolled_kw) for p in plans)
    planned = _broken((p.window_start_ms, p.expected_kw) for p in plans)
    _line(figure, "forecast peak, uncontrolled", forecast, times, color=GREY, dash="dot")
    _line(figure, "forecast peak, as planned", planned, times, color=GREEN, dash="dashdot")
    _line(figure, "net load", net, times, color=BLUE, width=2.5)
    _limits(figure, plans, windows[-1], times)
    draw_actions(figure, actions, net, times)
    draw_strips(figure, stretches(windows), times)
    capacity_kw = max((plan.capacity_kw for plan in plans), default=None)
    _lay_out(figure, [kw for _, kw in (*net, *forecast) if kw is not None], capacity_kw)
    return figure


def _known_net_kw(window: SiteWindow) -> float | None:
    """Net load [kW]; a blind window's is mostly ratings, not measurements."""
    return None if window.completeness is Completeness.BLIND else window.net_kw


def _broken(points: Iterable[Point]) -> list[Point]:
    """Points in time order, with a break where windows are missing."""
    found: list[Point] = []
    for time_ms, value in points:
        if found and time_ms - found[-1][0] > WINDOW_MS:
            found.append((found[-1][0] + WINDOW_MS, None))
        found.append((time_ms, value))
    return found


def _line(
    figure: go.Figure,
    name: str,
    points: Sequence[Point],
    times: timezone,
    *,
    color: str,
    dash: str = "solid",
    width: float = 1.6,
) -> None:
    figure.add_scatter(
        x=[axis_time(time_ms, times) for time_ms, _ in points],
        y=[value for _, value in points],
        name=name,
        mode="lines",
        line={"color": color, "dash": dash, "width": width},
        connectgaps=False,
        hovertemplate="%{y:.1f} kW",
        row=LOAD_ROW,
        col=1,
    )


def _limits(
    figure: go.Figure, plans: Sequence[DispatchPlan], last: SiteWindow, times: timezone
) -> None:
    """Threshold and capacity as steps, since a new site model may change them."""
    if not plans:
        return
    end_ms = last.window_start_ms + WINDOW_MS
    limits = (
        ("critical threshold", [p.threshold_kw for p in plans], ORANGE, "dash", 2),
        ("capacity", [p.capacity_kw for p in plans], RED, "solid", 1),
    )
    x = [axis_time(p.window_start_ms, times) for p in plans] + [axis_time(end_ms, times)]
    for name, values, color, dash, width in limits:
        figure.add_scatter(
            x=x,
            y=[*values, values[-1]],
            name=name,
            mode="lines",
            line={"color": color, "dash": dash, "width": width, "shape": "hv"},
            hovertemplate="%{y:g} kW",
            row=LOAD_ROW,
            col=1,
        )


def _lay_out(figure: go.Figure, power_kw: Sequence[float], capacity_kw: float | None) -> None:
    """Axes, legends and margins; grounds are transparent, so that any theme shows through."""
    top_kw = max([*power_kw, capacity_kw or 0.0], default=1.0)
    bottom_kw = min([0.0, *power_kw])
    figure.update_layout(
        height=HEIGHT_PX,
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        hovermode="x unified",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        legend2={"orientation": "h", "y": -0.13, "yanchor": "top", "x": 0},
        uirevision="load",  # a refresh leaves the reader's zoom alone
    )
    grid = {"gridcolor": "rgba(138,146,154,0.25)", "zeroline": False}
    figure.update_yaxes(
        title="kW, mean of 5 s",
        range=[_HEADROOM * bottom_kw, _HEADROOM * top_kw],
        row=LOAD_ROW,
        **grid,
    )
    figure.update_yaxes(
        tickvals=[0, 1],
        ticktext=["shed", "restored"],
        range=[-0.6, 1.6],
        fixedrange=True,
        row=ACTION_ROW,
        **grid,
    )
    figure.update_yaxes(visible=False, range=[0, 1], fixedrange=True, row=STRIP_ROW)
    figure.update_xaxes(**grid)
