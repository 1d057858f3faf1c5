"""A plan as bars: for the terminal, and as a page to keep."""

from dataclasses import dataclass
from pathlib import Path

import plotext
from rich.text import Text

from schemas.dispatch_plan import DispatchPlan

_FRAME_LINES = 3
_LINES_PER_BAR = 4
_MARGIN = 1.15


@dataclass(frozen=True, slots=True)
class Bars:
    """Power by name [kW], unknown ones absent, against the limits [kW]."""

    title: str
    power_kw: dict[str, float]
    threshold_kw: float
    capacity_kw: float

    @property
    def span_kw(self) -> tuple[float, float]:
        """What an axis has to show [kW]; zero is always part of it."""
        powers = (*self.power_kw.values(), self.capacity_kw, 0.0)
        return _MARGIN * min(powers), _MARGIN * max(powers)


def bars_of(plan: DispatchPlan) -> Bars:
    """The net load now, the forecast peak with every output on, and the one as planned."""
    named = {
        "net load now": plan.load_kw,
        "peak, all on": plan.uncontrolled_kw,
        "peak as planned": plan.expected_kw,
    }
    known = {name: power for name, power in named.items() if power is not None}
    return Bars(plan.decision_id, known, plan.threshold_kw, plan.capacity_kw)


def terminal_bars(bars: Bars, *, width: int) -> Text:
    """Horizontal bars with both limits, as text."""
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, _FRAME_LINES + _LINES_PER_BAR * len(bars.power_kw))
    labels = [f"{name} {power_kw:.1f}" for name, power_kw in bars.power_kw.items()]
    # Bars are drawn from the bottom up.
    powers = [*bars.power_kw.values()][::-1]
    plotext.bar(labels[::-1], powers, orientation="horizontal", width=0.5, color="green")
    plotext.vline(bars.threshold_kw, "orange")
    plotext.vline(bars.capacity_kw, "red")
    plotext.xlim(*bars.span_kw)
    ticks_kw = (0.0, bars.threshold_kw, bars.capacity_kw)
    plotext.xticks(ticks_kw, [f"{power_kw:g}" for power_kw in ticks_kw])
    plotext.xlabel(f"kW; threshold {bars.threshold_kw:g}, capacity {bars.capacity_kw:g}")
    return Text.from_ansi(plotext.build())


def write_page(path: Path, bars: Bars) -> None:
    """The same as an HTML page, self-contained."""
    import plotly.graph_objects as go

    figure = go.Figure(go.Bar(x=[*bars.power_kw], y=[*bars.power_kw.values()], marker_color="#2a7"))
    threshold, capacity = f"threshold {bars.threshold_kw:g}", f"capacity {bars.capacity_kw:g}"
    figure.add_hline(
        bars.threshold_kw, line_dash="dash", line_color="#e80", annotation_text=threshold
    )
    figure.add_hline(
        bars.capacity_kw, line_dash="dash", line_color="#c00", annotation_text=capacity
    )
    figure.update_layout(title=f"Decision {bars.title}", yaxis_title="kW")
    figure.write_html(path)
