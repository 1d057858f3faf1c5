"""What a report says beside its figures."""

import numpy as np
import pytest

from streams.counterfactual.charts import picture_of
from streams.counterfactual.comparing import compare
from streams.counterfactual.report import quarter_peaks
from tests.streams.counterfactual.scenes import Silent, demo_model, hill, terms


def test_a_quarter_hour_shows_its_greatest_window() -> None:
    net_kw = np.arange(400.0)
    net_kw[100] = 999.0
    assert quarter_peaks(net_kw).tolist() == [999.0, 359.0, 399.0]


def test_the_picture_has_a_line_for_each_control_and_both_limits() -> None:
    report = compare(demo_model(), hill(44.0, minutes=15), terms(), Silent()).report
    picture = picture_of(report)
    assert [line.name for line in picture.data] == [case.control for case in report.cases]
    assert max(picture.data[0].y) == pytest.approx(report.cases[0].figures.peak_kw, abs=1e-3)
    assert [shape.y0 for shape in picture.layout.shapes] == [85.0, 100.0]
