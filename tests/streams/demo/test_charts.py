"""The terminal chart draws whatever a run brings."""

import pytest

from streams.demo.charts import terminal_chart


@pytest.mark.parametrize("power_kw", [[0.0], [130.0], [400.0, 84.0], [-20.0, 10.0]])
def test_any_power_can_be_drawn(power_kw: list[float]) -> None:
    """A blind first window counts ratings, far above the capacity."""
    chart = terminal_chart(power_kw, 85, 100, width=80, height=16)
    assert "kW" in chart.plain
