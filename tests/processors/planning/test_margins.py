"""Margins cover what their quantile says, widen with the lead, and know nothing of the future."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from processors.planning.arrays import Floats
from processors.planning.margins import learn_margins

errors = arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 12)),
    elements=st.one_of(st.floats(-50, 50), st.just(np.nan)),
)
quantiles = st.floats(0.01, 1.0)


def margins(past: Floats, quantile: float) -> Floats:
    return learn_margins(np.zeros_like(past), past, quantile)


@given(errors, quantiles)
def test_at_every_lead_the_margin_covers_at_least_its_share_of_the_past(
    past: Floats, quantile: float
) -> None:
    for found, column in zip(margins(past, quantile), past.T, strict=True):
        known = column[~np.isnan(column)]
        assert (known <= found).sum() >= quantile * known.size - 1e-9


@given(errors, quantiles)
def test_margins_are_never_negative_and_never_fall_with_the_lead(
    past: Floats, quantile: float
) -> None:
    found = margins(past, quantile)
    assert found.shape == (past.shape[1],)
    assert (found >= 0).all()
    assert (np.diff(found) >= 0).all()


@given(errors, quantiles, quantiles)
def test_a_higher_quantile_never_has_a_smaller_margin(
    past: Floats, one: float, other: float
) -> None:
    assert (margins(past, min(one, other)) <= margins(past, max(one, other))).all()


def test_a_forecast_that_was_never_too_low_needs_no_margin() -> None:
    assert not margins(np.full((9, 4), -1.0), 1.0).any()


def test_errors_that_grow_with_the_lead_make_margins_that_grow() -> None:
    past = np.outer(np.arange(1, 101), np.arange(1, 5)) / 100
    assert margins(past, 0.9) == pytest.approx([0.9, 1.8, 2.7, 3.6])


def test_a_lead_of_which_nothing_is_known_has_the_margin_of_the_one_before() -> None:
    past = np.array([[1.0, np.nan, 0.5], [3.0, np.nan, 4.0]])
    assert margins(past, 1.0).tolist() == [3.0, 3.0, 4.0]


@pytest.mark.parametrize("quantile", [0.0, -0.1, 1.01, float("nan")])
def test_what_is_no_quantile_is_refused(quantile: float) -> None:
    with pytest.raises(ValueError, match="is not a quantile"):
        margins(np.ones((2, 2)), quantile)
