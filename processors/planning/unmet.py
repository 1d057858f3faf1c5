"""What cannot hold: which constraint, by how much, and what would make it hold."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from processors.planning.arrays import Floats, vector
from processors.planning.batteries import Batteries
from processors.planning.deferrables import Deferrables, planned_kwh
from processors.planning.expressions import value_of
from processors.planning.highs import LEVEL_ROOM_KWH
from processors.planning.problem import CompiledPlan
from processors.planning.sessions import Sessions
from schemas.planning_case import PlanningCase, Session
from schemas.planning_result import Unmet

TOLERANCE: Final = 1e-6
"""A constraint counts as held up to this [kW, kWh]."""


def find_unmet(case: PlanningCase, compiled: CompiledPlan) -> Iterator[Unmet]:
    """Every constraint of a solved case that does not hold, limits first."""
    grid = compiled.grid
    least_kw = max(TOLERANCE, 2 * LEVEL_ROOM_KWH / case.horizon.step_h)
    for field, over_kw in (
        ("max_import_kw", grid.over_import_kw),
        ("max_export_kw", grid.over_export_kw),
    ):
        limit = getattr(case.grid, field)
        if limit is not None:
            limits_kw = vector(limit, case.horizon.steps)
            yield from _exceeded(
                f"grid.{field}", "grid", limits_kw, _above(value_of(over_kw), least_kw)
            )
    if compiled.limits is not None:
        above_kw = value_of(compiled.limits.above_kw + compiled.limits.below_kw)
        for row, each in enumerate(case.limits):
            limits_kw = vector(each.max_kw, case.horizon.steps)
            over = _above(above_kw[row], least_kw)
            yield from _exceeded(f"limits[{row}].max_kw", each.id, limits_kw, over)
    for family in compiled.families.values():
        match family:
            case Sessions():
                yield from _short_sessions(case, family)
            case Deferrables():
                yield from _short_deferrables(case, family)
            case Batteries():
                yield from _low_batteries(case, family)
            case _:
                pass


def _above(values: Floats, least: float) -> Floats:
    """Values that count; 0 instead of the others."""
    return np.where(values > least, values, 0.0)


def _exceeded(place: str, subject: str, limits_kw: Floats, over_kw: Floats) -> Iterator[Unmet]:
    """A limit that is exceeded in some steps."""
    steps = np.flatnonzero(over_kw)
    if not steps.size:
        return
    most_kw, needed_kw = over_kw.max(), (limits_kw + over_kw)[steps].max()
    yield Unmet(
        constraint=place,
        subject=subject,
        amount=float(most_kw),
        unit="kW",
        steps=tuple(steps.tolist()),
        text=f"{place} of {subject} is exceeded by up to {most_kw:.6g} kW {_when(steps)}",
        holds_at=float(needed_kw),
        remedy=f"a limit of {needed_kw:.6g} kW {_when(steps)}",
    )


def _when(steps: np.ndarray) -> str:
    """Steps in words."""
    if steps.size == 1:
        return f"in step {steps[0]}"
    return f"in {steps.size} steps between {steps[0]} and {steps[-1]}"


def _short_sessions(case: PlanningCase, sessions: Sessions) -> Iterator[Unmet]:
    """Sessions that do not get what they must have."""
    short_kwh = value_of(sessions.short_kwh)
    for row, each in enumerate(case.sessions):
        if each.shortfall_price_per_kwh is None and short_kwh[row] > TOLERANCE:
            short = min(float(short_kwh[row]), each.energy_kwh)
            yield _energy(
                f"sessions[{row}].energy_kwh",
                each.id,
                short,
                f"lacks {short:.6g} of {each.energy_kwh:g} kWh at its departure",
                each.energy_kwh - short,
                f"{each.energy_kwh - short:.6g} kWh{_alone(each, case)}",
            )


def _alone(session: Session, case: PlanningCase) -> str:
    """What would serve a session that its own charger and stay cannot serve, in words."""
    step_kwh = session.max_kw * case.horizon.step_h
    present = min(session.departure_step, case.horizon.steps) - session.arrival_step
    if step_kwh * present >= session.energy_kwh - TOLERANCE:
        return ""
    stays = f"{session.energy_kwh / (present * case.horizon.step_h):.6g} kW at its charger"
    if step_kwh == 0:
        return f"; by itself it would need {stays}"
    steps = int(np.ceil(session.energy_kwh / step_kwh - TOLERANCE))
    return f"; by itself it would need {stays}, or {steps} steps instead of {present}"


def _short_deferrables(case: PlanningCase, deferrables: Deferrables) -> Iterator[Unmet]:
    """Deferrable loads that do not run long enough."""
    short_kwh = value_of(deferrables.short_kwh)
    for row, each in enumerate(case.deferrables):
        if (short := float(short_kwh[row])) > TOLERANCE:
            wanted = planned_kwh(each, case.horizon)
            short = min(short, wanted)
            hours = (wanted - short) / each.power_kw
            in_kwh = each.hours is None
            yield _energy(
                f"deferrables[{row}].{'energy_kwh' if in_kwh else 'hours'}",
                each.id,
                short,
                f"lacks {short:.6g} of {wanted:g} kWh",
                wanted - short if in_kwh else hours,
                f"{wanted - short:.6g} kWh" if in_kwh else f"{hours:.6g} h",
            )


def _low_batteries(case: PlanningCase, batteries: Batteries) -> Iterator[Unmet]:
    """Batteries that end too low."""
    lacking_kwh = value_of(batteries.lacking_kwh)
    for row, each in enumerate(case.batteries):
        if (lacking := float(lacking_kwh[row])) > TOLERANCE:
            final = (each.min_final_soc or 0.0) - lacking / each.capacity_kwh
            reached = max(each.min_soc, final)
            yield _energy(
                f"batteries[{row}].min_final_soc",
                each.id,
                lacking,
                f"ends {lacking:.6g} kWh below its final state of charge of {each.min_final_soc:g}",
                reached,
                f"a final state of charge of {reached:.6g}",
            )


def _energy(
    place: str, subject: str, amount: float, text: str, holds_at: float, remedy: str
) -> Unmet:
    """Energy that is lacking."""
    return Unmet(
        constraint=place,
        subject=subject,
        amount=amount,
        unit="kWh",
        steps=(),
        text=f"{subject} {text}",
        holds_at=holds_at,
        remedy=remedy,
    )
