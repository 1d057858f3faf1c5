"""The days as a picture: net load under every way of control, by quarter of an hour."""

from pathlib import Path
from typing import Final

import plotly.graph_objects as go

from schemas.windows import iso_utc
from streams.counterfactual.report import (
    DISPATCH,
    NO_CONTROL,
    STATIC,
    STATIC_RETURNING,
    Comparison,
)

_COLOURS: Final = {NO_CONTROL: "#999", STATIC: "#c60", STATIC_RETURNING: "#36c", DISPATCH: "#2a7"}
_QUARTER_MS: Final = 900_000


def picture_of(report: Comparison) -> go.Figure:
    """Greatest net load of each quarter of an hour, by control, against the limits [kW].

    Days that do not follow each other in the recording are drawn one after the other.
    """
    picture = go.Figure()
    for case in report.cases:
        times = [
            iso_utc(report.start_ms + n * _QUARTER_MS) for n in range(len(case.quarter_peaks_kw))
        ]
        line = {"color": _COLOURS[case.control], "width": 1.2, "shape": "hv"}
        picture.add_scatter(
            x=times, y=case.quarter_peaks_kw, mode="lines", name=case.control, line=line
        )
    for what, limit_kw, colour in (
        ("threshold", report.threshold_kw, "#e80"),
        ("capacity", report.capacity_kw, "#c00"),
    ):
        picture.add_hline(limit_kw, line_dash="dash", line_color=colour, annotation_text=what)
    picture.update_layout(
        title={"text": f"Net load: {report.source}", "font": {"size": 15}},
        template="plotly_white",
        width=860,
        height=420,
        legend={"orientation": "h", "y": -0.2},
        margin={"l": 20, "r": 60, "t": 60, "b": 50},
    )
    picture.update_xaxes(title="UTC")
    picture.update_yaxes(title="kW, greatest window of a quarter hour", rangemode="tozero")
    return picture


def write_page(report: Comparison, path: Path) -> None:
    """An HTML page with the picture, self-contained.

    Raises:
        OSError: the file cannot be written.
    """
    picture_of(report).write_html(path)
