"""Charts of a run: for the terminal while it runs, and as a page to keep."""

from collections.abc import Sequence
from pathlib import Path

import plotext
import plotly.graph_objects as go
from rich.text import Text

from schemas.windows import WINDOW_MS

_MINUTES_PER_WINDOW = WINDOW_MS / 60_000


def terminal_chart(
    power_kw: Sequence[float],
    threshold_kw: float,
    capacity_kw: float,
    *,
    width: int,
    height: int,
    uncontrolled_kw: Sequence[float] = (),
) -> Text:
    """Power by window against threshold and capacity [kW], over minutes, as text."""
    plotext.clear_figure()
    plotext.plotsize(width, height)
    plotext.theme("clear")
    minutes = [n * _MINUTES_PER_WINDOW for n in range(len(power_kw))]
    if uncontrolled_kw:
        plotext.plot(minutes, list(uncontrolled_kw), label="uncontrolled", color="gray")
    plotext.plot(minutes, list(power_kw), label="net load", color="green")
    plotext.hline(threshold_kw, "orange")
    plotext.hline(capacity_kw, "red")
    # A blind window counts ratings and may lie far above; no point in view would be an error.
    plotext.ylim(0, max(1.25 * capacity_kw, 1.05 * max(power_kw)))
    plotext.xlabel("minutes of pipeline time")
    plotext.ylabel("kW")
    return Text.from_ansi(plotext.build())


def write_page(
    path: Path,
    controlled_kw: Sequence[float],
    uncontrolled_kw: Sequence[float],
    *,
    threshold_kw: float,
    capacity_kw: float,
) -> None:
    """An HTML page with the run's power, self-contained."""
    minutes = [n * _MINUTES_PER_WINDOW for n in range(len(controlled_kw))]
    figure = go.Figure()
    figure.add_scatter(x=minutes, y=list(uncontrolled_kw), name="uncontrolled", line_color="#999")
    figure.add_scatter(x=minutes, y=list(controlled_kw), name="controlled", line_color="#2a7")
    figure.add_hline(threshold_kw, line_dash="dash", line_color="#e80", annotation_text="threshold")
    figure.add_hline(capacity_kw, line_dash="dash", line_color="#c00", annotation_text="capacity")
    figure.update_layout(
        title="Net load of the demo site",
        xaxis_title="minutes of pipeline time (each plays 15 minutes of data)",
        yaxis_title="kW, mean of each 5-second window",
        yaxis_rangemode="tozero",
    )
    figure.write_html(path)
