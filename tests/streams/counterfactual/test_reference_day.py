"""A day of real meters under every way of control."""

from pathlib import Path

import pytest

from streams.counterfactual.comparing import compare
from streams.counterfactual.report import DISPATCH, NO_CONTROL, STATIC
from streams.counterfactual.scenario import Options, open_scenario
from tests.streams.counterfactual.scenes import Silent

pytestmark = pytest.mark.data

SCALE = 0.3
"""The houses together then reach 20 kW: the threshold is passed in the peaks, not all day."""


def test_a_real_day_is_metered_under_every_control(reference_data: Path) -> None:
    """S1-16: peak-hour cost with and without control, unserved energy and rebound beside it."""
    file = reference_data / "B_meters" / "uci_house_days_as_meters_1min.csv.gz"
    notes: list[str] = []
    options = Options(days=1, data=(file,), scale=SCALE, peak_hours="16-21", catch_up=0.25, seed=1)
    scenario = open_scenario(options, notes.append, Silent())
    report = compare(scenario.model, scenario.demand, scenario.terms, Silent()).report
    without, static, ours = (report.case(name).figures for name in (NO_CONTROL, STATIC, DISPATCH))
    assert (report.dates, report.stale_windows) == (("2007-01-15",), 24)
    assert without.windows_over_threshold > 100 * static.windows_over_threshold
    assert ours.kwh_over_threshold < 0.05 * without.kwh_over_threshold
    assert ours.kwh_over_capacity == 0.0
    assert 0 < ours.unserved_kwh < static.unserved_kwh
    for figures in (static, ours):
        assert figures.shed_kwh == pytest.approx(
            figures.rebound_kwh + figures.unserved_kwh, abs=1e-6
        )
