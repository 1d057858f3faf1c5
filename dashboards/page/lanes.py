"""What lies along the chart's time axis: what was switched, and how complete windows are."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timezone
from itertools import pairwise
from typing import Final

import plotly.graph_objects as go

from dashboards.page.actions import Action
from dashboards.page.completeness import Stretch
from dashboards.page.style import GREEN, GREY, ORANGE, RED
from dashboards.page.times import axis_time
from schemas.site_window import Completeness

LOAD_ROW, ACTION_ROW, STRIP_ROW = 1, 2, 3
"""Rows of the figure."""

Point = tuple[int, float | None]
"""Time [ms since the epoch] and power [kW]; None breaks the line."""

_KINDS: Final[dict[Completeness | None, tuple[str, str, str]]] = {
    Completeness.COMPLETE: ("complete", GREEN, ""),
    Completeness.DEGRADED: ("degraded", ORANGE, "/"),
    Completeness.BLIND: ("blind", RED, "x"),
    None: ("absent", GREY, "."),
}
"""Name, colour and pattern of a stretch; the pattern tells them apart without colour."""

_TRIANGLES: Final = {
    False: ("shed", "triangle-down", RED),
    True: ("restored", "triangle-up", GREEN),
}
"""By state: what an action is called, and how it looks."""

_LABEL_ROOM: Final = {False: 0.035, True: 0.09}
"""Share of the time axis that a label takes, without and with the board's name."""


def draw_actions(
    figure: go.Figure, actions: Sequence[Action], net: Sequence[Point], times: timezone
) -> None:
    """Triangles where loads were shed (down) and restored (up): on the load, and named below."""
    devices = {action.device for action in actions}
    for on, (name, symbol, color) in _TRIANGLES.items():
        groups = _together(action for action in actions if action.on is on)
        if not groups:
            continue
        look = {
            "x": [axis_time(group[0].at_ms, times) for group in groups],
            "name": name,
            "legendgroup": name,
            "marker": {"symbol": symbol, "size": 11, "color": color},
            "customdata": [["<br>".join(map(_told, group))] for group in groups],
            "hovertemplate": "%{customdata[0]}<extra></extra>",
        }
        y = [_beside(group[0].at_ms, net) for group in groups]
        figure.add_scatter(**look, y=y, mode="markers", row=LOAD_ROW, col=1)
        figure.add_scatter(
            **look,
            y=[int(on)] * len(groups),
            mode="markers+text",
            text=_labels(groups, _length_ms(net), named=len(devices) > 1),
            textposition="middle right",
            showlegend=False,
            row=ACTION_ROW,
            col=1,
        )


def _told(action: Action) -> str:
    """An action in words."""
    state = "restored" if action.on else "shed"
    return f"{action.device}/{action.output} {state}: {action.reason or 'no reason is kept'}"


def _together(actions: Iterable[Action]) -> list[list[Action]]:
    """Actions by what one board confirmed at once."""
    groups: dict[tuple[int, str], list[Action]] = {}
    for action in actions:
        groups.setdefault((action.at_ms, action.device), []).append(action)
    return list(groups.values())


def _length_ms(net: Sequence[Point]) -> int:
    """How long the time axis is [ms]."""
    return net[-1][0] - net[0][0]


def _labels(groups: Sequence[Sequence[Action]], length_ms: int, *, named: bool) -> list[str]:
    """A label for each mark, empty where the next mark stands too near; hovering tells all."""
    times_ms = [group[0].at_ms for group in groups]
    room_ms = _LABEL_ROOM[named] * length_ms
    crowded = [later - earlier < room_ms for earlier, later in pairwise(times_ms)]
    return [
        "" if is_crowded else _outputs(group, named=named)
        for group, is_crowded in zip(groups, [*crowded, False], strict=True)
    ]


def _outputs(group: Sequence[Action], *, named: bool) -> str:
    """Numbers of one board's outputs, such as ``2+3``, and its name where it needs one."""
    numbers = "+".join(str(action.output) for action in group)
    return f"{group[0].device}/{numbers}" if named else numbers


def _beside(time_ms: int, net: Sequence[Point]) -> float | None:
    """Net load [kW] in the last known window that began before ``time_ms``."""
    before = (kw for start_ms, kw in reversed(net) if start_ms <= time_ms and kw is not None)
    return next(before, None)


def draw_strips(figure: go.Figure, found: Sequence[Stretch], times: timezone) -> None:
    """Completeness as a strip below the chart, in a colour and a pattern each."""
    for kind, (name, color, pattern) in _KINDS.items():
        chosen = [stretch for stretch in found if stretch.kind is kind]
        if not chosen:
            continue
        figure.add_scatter(
            x=[x for each in chosen for x in _corners(each, times)],
            y=[0, 1, 1, 0, None] * len(chosen),
            name=name,
            mode="lines",
            line={"color": color, "width": 0.5},
            fill="toself",
            fillcolor=color,
            fillpattern={"shape": pattern, "fgcolor": color, "bgcolor": "rgba(0,0,0,0)"}
            if pattern
            else None,
            hoverinfo="skip",
            legend="legend2",
            row=STRIP_ROW,
            col=1,
        )


def _corners(stretch: Stretch, times: timezone) -> list[datetime | None]:
    """Times of a rectangle's corners, and a break."""
    start, end = axis_time(stretch.start_ms, times), axis_time(stretch.end_ms, times)
    return [start, start, end, end, None]
