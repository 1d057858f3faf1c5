"""Reports as pictures: ratios with their goals, figures with their spread, delays, growth."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import plotly.graph_objects as go

from streams.benchmarking.figures import Bar, Curve, Delay, Figure, Report, Result, Spread
from streams.benchmarking.sheets import number

_OWN: Final = "#2a7"
_PEER: Final = "#999"
_MISSED: Final = "#c00"
_GOAL: Final = "#e80"
_ROW_PX: Final = 34
_FRAME_PX: Final = 150
_DECADES: Final = 20.0
"""Figures that differ by more than this factor are drawn over a logarithmic axis."""


def write_page(report: Report, path: Path) -> None:
    """An HTML page with every picture of a report, self-contained.

    Raises:
        OSError: the file cannot be written.
    """
    parts: list[str] = []
    for result in report.results:
        parts.append(f"<h1>{result.name}</h1>")
        for picture in pictures_of(result).values():
            parts.append(picture.to_html(full_html=False, include_plotlyjs=len(parts) == 1))
    head = '<!doctype html><meta charset="utf-8"><title>Gridloom benchmarks</title>'
    style = "<style>body{font-family:sans-serif;max-width:60rem;margin:auto}</style>"
    path.write_text("\n".join((head, style, *parts)), encoding="utf-8")


def pictures_of(result: Result) -> dict[str, go.Figure]:
    """Every picture of a result, by a name that a file can have."""
    found: dict[str, go.Figure] = {}
    if result.bars:
        found["ratios"] = _ratios(result.bars)
    if result.delays:
        found["delays"] = _delays(result.delays)
    for unit in dict.fromkeys(curve.unit for curve in result.curves):
        found[f"growth-{_slug(unit)}"] = _growth([c for c in result.curves if c.unit == unit])
    for unit in dict.fromkeys(each.unit for each in result.figures):
        found[f"figures-{_slug(unit)}"] = _absolutes([f for f in result.figures if f.unit == unit])
    return found


def _slug(unit: str) -> str:
    return "-".join("".join(c if c.isalnum() else " " for c in unit).split()).lower()


def _ratios(bars: Sequence[Bar]) -> go.Figure:
    picture = _rows([each.name for each in bars], "ratio within each round, median and range")
    _add_spreads(picture, [(each.name, each.ratio, _colour(met=each.met)) for each in bars])
    _add_goals(picture, [(each.name, each.goal) for each in bars])
    picture.add_vline(1.0, line_dash="dot", line_color=_PEER)
    return picture


def _absolutes(figures: Sequence[Figure]) -> go.Figure:
    picture = _rows([each.name for each in figures], f"{figures[0].unit}, median and range")
    spreads = [
        (each.name, each.measured, _PEER if "peer" in each.name else _colour(met=each.met))
        for each in figures
    ]
    _add_spreads(picture, spreads)
    _add_goals(picture, [(each.name, each.at_most) for each in figures])
    medians = [each.measured.median for each in figures]
    _let_small_ones_be_seen(picture, medians)
    return picture


def _delays(delays: Sequence[Delay]) -> go.Figure:
    names = [each.name for each in delays]
    picture = _rows(names, "ms: median, 99th percentile, longest")
    for title, symbol, values in (
        ("median", "circle", [each.p50_ms for each in delays]),
        ("p99", "line-ns-open", [each.p99_ms for each in delays]),
        ("longest", "x-thin-open", [each.max_ms for each in delays]),
    ):
        marker = {"symbol": symbol, "size": 11, "color": [_colour(met=d.met) for d in delays]}
        if symbol != "circle":
            marker["line"] = {"width": 2}
        picture.add_scatter(x=values, y=names, mode="markers", name=title, marker=marker)
    _add_goals(picture, [(each.name, each.at_most) for each in delays])
    picture.update_layout(showlegend=True)
    picture.update_xaxes(rangemode="tozero")
    return picture


def _growth(curves: Sequence[Curve]) -> go.Figure:
    picture = _framed(f"{curves[0].unit} by {curves[0].size}", 420)
    for curve in curves:
        x, y = zip(*curve.points, strict=True)
        picture.add_scatter(x=x, y=y, mode="lines+markers", name=curve.name)
    for at_most in {curve.at_most for curve in curves if curve.at_most is not None}:
        picture.add_hline(at_most, line_dash="dash", line_color=_GOAL, annotation_text="goal")
    sizes = [size for curve in curves for size, _ in curve.points]
    if max(sizes) > _DECADES * min(sizes):
        picture.update_xaxes(type="log", dtick=1)
    picture.update_layout(showlegend=True)
    picture.update_xaxes(title=curves[0].size)
    picture.update_yaxes(title=curves[0].unit, rangemode="tozero")
    return picture


def _rows(names: Sequence[str], title: str) -> go.Figure:
    """One row for each name, the first at the top."""
    picture = _framed(title, _FRAME_PX + _ROW_PX * len(names))
    picture.update_yaxes(categoryorder="array", categoryarray=list(names)[::-1], automargin=True)
    return picture


def _framed(title: str, height: int) -> go.Figure:
    picture = go.Figure()
    picture.update_layout(
        title={"text": title, "font": {"size": 15}},
        template="plotly_white",
        height=height,
        width=860,
        showlegend=False,
        margin={"l": 20, "r": 30, "t": 60, "b": 50},
    )
    return picture


def _add_spreads(picture: go.Figure, spreads: Iterable[tuple[str, Spread, str]]) -> None:
    names, measured, colours = zip(*spreads, strict=True)
    medians = [each.median for each in measured]
    picture.add_bar(
        x=medians,
        y=names,
        orientation="h",
        marker_color=colours,
        text=[number(value) for value in medians],
        error_x={
            "type": "data",
            "array": [each.max - each.median for each in measured],
            "arrayminus": [each.median - each.min for each in measured],
            "color": "#555",
        },
    )


def _add_goals(picture: go.Figure, goals: Iterable[tuple[str, float | None]]) -> None:
    there = [(name, goal) for name, goal in goals if goal is not None]
    if there:
        names, bounds = zip(*there, strict=True)
        marker = {"symbol": "line-ns-open", "size": 24, "color": _GOAL, "line": {"width": 3}}
        picture.add_scatter(x=bounds, y=names, mode="markers", name="goal", marker=marker)


def _let_small_ones_be_seen(picture: go.Figure, values: Sequence[float]) -> None:
    """A logarithmic axis where figures lie far apart."""
    least = min(values)
    if least > 0 and max(values) > _DECADES * least:
        picture.update_xaxes(type="log", dtick=1)


def _colour(*, met: bool | None) -> str:
    return _MISSED if met is False else _OWN
