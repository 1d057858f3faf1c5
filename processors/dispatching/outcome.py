"""What a plan leads to, in figures."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from processors.dispatching.case import Case, Flags
from processors.dispatching.constraints import TOLERANCE_KW
from schemas.site_model import SiteModel
from schemas.site_window import Completeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A plan and its figures.

    Attributes:
        model: the site.
        completeness: of the window.
        case: the decision's data.
        on: planned states, shape (n,); fixed outputs count as on.
        uncontrolled_kw: forecast peak if every output were on [kW].
        expected_kw: forecast peak under the plan [kW].
        room_kw: what the plan leaves under the threshold, margins of the outputs that it
            brings back taken off [kW]; negative where it exceeds it.
    """

    model: SiteModel
    completeness: Completeness
    case: Case
    on: Flags
    uncontrolled_kw: float
    expected_kw: float
    room_kw: float

    @classmethod
    def of(cls, model: SiteModel, completeness: Completeness, case: Case, on: Flags) -> Self:
        """The figures of a plan, to the milliwatt."""
        return cls(
            model=model,
            completeness=completeness,
            case=case,
            on=on,
            uncontrolled_kw=round(case.peak_kw(np.ones_like(on)), 6),
            expected_kw=round(case.peak_kw(on), 6),
            room_kw=round(model.threshold_kw - case.peak_with_margins_kw(on), 6),
        )

    @property
    def violation_kw(self) -> float:
        """By how much the plan exceeds the threshold [kW]; 0 within the tolerance."""
        return above(self.expected_kw, self.model.threshold_kw)

    @property
    def over_capacity_kw(self) -> float:
        """By how much the plan exceeds the capacity [kW]; 0 within the tolerance."""
        return above(self.expected_kw, self.model.capacity_kw)

    @property
    def sheds(self) -> bool:
        """Whether the plan switches anything off."""
        return bool((self.case.was_on & ~self.on).any())


def above(power_kw: float, limit_kw: float) -> float:
    """By how much a power exceeds a limit [kW]; 0 within the tolerance."""
    excess_kw = round(power_kw - limit_kw, 6)
    return excess_kw if excess_kw > TOLERANCE_KW else 0.0


def in_kw(power_kw: float) -> str:
    """A power in words: one decimal, up to three where they say something."""
    whole, decimals = f"{power_kw:.3f}".split(".")
    return f"{whole}.{decimals.rstrip('0') or '0'} kW"
