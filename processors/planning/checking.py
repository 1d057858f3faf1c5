"""What is wrong with a case: every wrong field, in one error.

A case that is right may still be impossible, such as a vehicle that leaves too soon. That is no
error: the plan is a best effort, and says what cannot hold.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from processors.planning.checking_devices import device_problems, fitting_problems
from processors.planning.checking_values import number, series, whole
from schemas.errors import ConfigurationError
from schemas.planning_case import GridConnection, Horizon, PlanningCase

MOST_STEPS: Final = 10_000
"""Steps that a horizon may have."""


def check_case(case: PlanningCase) -> None:
    """Refuse a case that makes no sense.

    Raises:
        ConfigurationError: ``problems`` names every wrong field.
    """
    if problems := list(case_problems(case)):
        raise ConfigurationError("this is no planning case", problems=problems)


def case_problems(case: PlanningCase) -> Iterator[str]:
    """Every wrong field, one sentence each."""
    of_horizon = list(horizon_problems(case.horizon))
    yield from of_horizon
    yield from _grid_problems(case.grid, case.horizon)
    for family, devices in case.families.items():
        for at, device in enumerate(devices):
            place = f"{family}[{at}]"
            of_device = list(device_problems(device, place, case.horizon))
            yield from of_device
            if not of_horizon and not of_device:
                yield from fitting_problems(device, place, case.horizon)
    yield from _name_problems(case)
    yield from _limit_problems(case)


def horizon_problems(horizon: Horizon) -> Iterator[str]:
    """What is wrong with the number of steps, or their length."""
    yield from whole(horizon.steps, "horizon.steps", 1, MOST_STEPS)
    yield from number(horizon.step_s, "horizon.step_s", least=1.0, most=86_400.0)


def _grid_problems(grid: GridConnection, horizon: Horizon) -> Iterator[str]:
    for field in ("import_price_per_kwh", "export_price_per_kwh"):
        yield from series(getattr(grid, field), f"grid.{field}", horizon.steps)
    for field in ("max_import_kw", "max_export_kw"):
        if (limit := getattr(grid, field)) is not None:
            yield from series(limit, f"grid.{field}", horizon.steps, least=0.0)
    if grid.demand_charge_per_kw is not None:
        yield from number(grid.demand_charge_per_kw, "grid.demand_charge_per_kw")
    yield from number(grid.peak_so_far_kw, "grid.peak_so_far_kw")


def _name_problems(case: PlanningCase) -> Iterator[str]:
    """Names that are empty, or stand twice: devices and limits share them."""
    named = [
        (f"{family}[{at}].id", each.id)
        for family, those in (*case.families.items(), ("limits", case.limits))
        for at, each in enumerate(those)
    ]
    times = Counter(name for _, name in named)
    for place, name in named:
        if not name:
            yield f"{place}: it is empty"
        elif times[name] > 1:
            yield f"{place}: {name!r} stands {times[name]} times"
        elif name == "grid":
            yield f"{place}: 'grid' is the name of the connection to the grid"


def _limit_problems(case: PlanningCase) -> Iterator[str]:
    devices = {each.id for devices in case.families.values() for each in devices}
    known = devices | case.below.keys()
    for at, limit in enumerate(case.limits):
        place = f"limits[{at}]"
        yield from series(limit.max_kw, f"{place}.max_kw", case.horizon.steps, least=0.0)
        if not limit.members:
            yield f"{place}.members: there are none"
        for member, times in Counter(limit.members).items():
            if member not in known:
                yield f"{place}.members: {member!r} is neither a device nor a limit of this case"
            if times > 1:
                yield f"{place}.members: {member!r} stands {times} times"
        if limit.id in case.below[limit.id]:
            yield f"{place}.members: {limit.id!r} stands below itself"
