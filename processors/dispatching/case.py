"""One decision as numbers: what the constraints and the objective are filled with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processors.dispatching.lookahead import Floats, Forecast
from processors.dispatching.memory import OutputView
from schemas.site_model import ControlParameters
from schemas.site_window import Completeness

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The data of one decision about n outputs over the steps of the look-ahead.

    Attributes:
        base_kw: base load at each step, shape (steps,) [kW].
        on_kw: what each output draws when it is on, shape (n,) [kW].
        margin_kw: room beyond that which it needs to come back, shape (n,) [kW]; 0 where it
            is on.
        was_on: whether it is on now, shape (n,); fixed outputs count as on.
        lowest, highest: bounds of its planned state, shape (n,).
        held: whether it is on, and the dwell time speaks against shedding it, shape (n,).
    """

    base_kw: Floats
    on_kw: Floats
    margin_kw: Floats
    was_on: Flags
    lowest: Flags
    highest: Flags
    held: Flags

    @property
    def power_kw(self) -> Floats:
        """What each output counts in the limits [kW], shape (n,)."""
        return self.on_kw + self.margin_kw

    def peak_kw(self, on: Flags) -> float:
        """Forecast peak with these outputs on [kW]."""
        return float(self.base_kw.max() + self.on_kw @ on)

    def peak_with_margins_kw(self, on: Flags) -> float:
        """Forecast peak as the limits count it: margins of returning outputs included [kW]."""
        return float(self.base_kw.max() + self.power_kw @ on)


def pose_case(
    control: ControlParameters,
    completeness: Completeness,
    views: tuple[OutputView, ...],
    forecast: Forecast,
) -> Case:
    """The numbers of a decision.

    Never-shed and unknown outputs are fixed on. A free output that is off may come back unless
    its dwell time or a degraded window forbids it. One that is on may always be shed: what
    the dwell time says about that is an objective, so that the capacity can overrule it.
    """
    was_on = _flags([not view.free or bool(view.was_on) for view in views])
    held = _flags([view.held for view in views])
    may_return = ~held & (completeness is Completeness.COMPLETE)
    caution_kw = max(0.0, forecast.recent_peak_kw - forecast.peak_kw)
    free = _flags([view.free for view in views])
    return Case(
        base_kw=forecast.base_kw,
        on_kw=np.array([view.on_kw for view in views], dtype=np.float64),
        margin_kw=np.where(was_on, 0.0, control.hysteresis_kw + caution_kw),
        was_on=was_on,
        lowest=~free,
        highest=was_on | may_return,
        held=held & was_on & free,
    )


def _flags(values: list[bool]) -> Flags:
    """A vector of flags, also where there are none."""
    return np.array(values, dtype=np.bool_)
