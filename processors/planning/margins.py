"""Margins that forecasts carry: how far off they were, at a quantile, by how far they looked ahead.

A plan that fills the capacity up to its forecast is over it as often as the forecast is too low.
Kept free as a reserve, a margin makes that as rare as its quantile says, if the future errs as the
past did.
"""

import numpy as np

from processors.planning.arrays import Floats


def learn_margins(forecasts: Floats, outcomes: Floats, quantile: float) -> Floats:
    """The margin at each lead that this share of the past outcomes stayed within.

    ``margin_t = max over s <= t of max(0, Q_s)``, with ``Q_s`` the least number that at least
    ``quantile`` of the errors ``outcome - forecast`` at lead ``s`` do not exceed. The running
    maximum makes margins widen with the lead, and only ever errs on the safe side: of few errors,
    quantiles are noisy.

    Args:
        forecasts: past forecasts, NaN where there was none, shape (n, steps).
        outcomes: what came of them, NaN where that is unknown, shape (n, steps).
        quantile: above 0, at most 1.

    Returns:
        Margins, never negative, never falling, shape (steps,). A lead without any error has the
        margin of the one before.

    Raises:
        ValueError: the quantile is none.
    """
    if not 0 < quantile <= 1:
        message = f"{quantile} is not a quantile above 0 and up to 1"
        raise ValueError(message)
    at_lead = [_quantile(errors, quantile) for errors in (outcomes - forecasts).T]
    return np.maximum.accumulate(np.array([0.0, *at_lead]))[1:]


def _quantile(errors: Floats, quantile: float) -> float:
    """The least error that at least this share of the known ones do not exceed; else 0."""
    known = errors[~np.isnan(errors)]
    return float(np.quantile(known, quantile, method="inverted_cdf")) if known.size else 0.0
