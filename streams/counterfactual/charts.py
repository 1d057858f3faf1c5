"""The days as pictures: net load under every way of control, by quarter of an hour."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import plotly.graph_objects as go

from schemas.windows import WINDOW_MS
from streams.counterfactual.comparing import Compared
from streams.counterfactual.demand import Demand, Floats
from streams.counterfactual.report import DISPATCH, NO_CONTROL, STATIC, STATIC_RETURNING

_COLOURS: Final = {NO_CONTROL: "#999", STATIC: "#c60", STATIC_RETURNING: "#36c", DISPATCH: "#2a7"}
_WINDOWS: Final = 900_000 // WINDOW_MS
"""Windows of one point: a quarter of an hour."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def picture_of(compared: Compared, demand: Demand) -> go.Figure:
    """Greatest net load of each quarter of an hour, by control, against the limits [kW].

    Days that do not follow each other in the recording are drawn one after the other.
    """
    report = compared.report
    first = _EPOCH + timedelta(milliseconds=int(demand.start_ms[0]))
    picture = go.Figure()
    for name, trajectory in compared.trajectories.items():
        peaks_kw = quarter_peaks(trajectory.net_kw)
        times = [first + n * timedelta(minutes=15) for n in range(len(peaks_kw))]
        line = {"color": _COLOURS[name], "width": 1.5, "shape": "hv"}
        picture.add_scatter(x=times, y=peaks_kw.round(2).tolist(), name=name, line=line)
    for what, limit_kw, colour in (
        ("threshold", report.threshold_kw, "#e80"),
        ("capacity", report.capacity_kw, "#c00"),
    ):
        picture.add_hline(limit_kw, line_dash="dash", line_color=colour, annotation_text=what)
    picture.update_layout(
        title={"text": f"Net load of {report.source}", "font": {"size": 15}},
        template="plotly_white",
        width=860,
        height=420,
        legend={"orientation": "h", "y": -0.2},
        margin={"l": 20, "r": 30, "t": 60, "b": 50},
    )
    picture.update_xaxes(title="UTC")
    picture.update_yaxes(title="kW, greatest 5-second window of a quarter hour")
    return picture


def quarter_peaks(net_kw: Floats) -> Floats:
    """Greatest of every 180 windows, shape (n / 180,) [kW]; what is left over is a point, too."""
    return np.maximum.reduceat(net_kw, np.arange(0, len(net_kw), _WINDOWS))


def write_page(compared: Compared, demand: Demand, path: Path) -> None:
    """An HTML page with the picture, self-contained.

    Raises:
        OSError: the file cannot be written.
    """
    picture_of(compared, demand).write_html(path)
