"""Random small cases for Hypothesis."""

from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.planning_case import (
    Battery,
    Deferrable,
    FixedLoad,
    Generator,
    GridConnection,
    Horizon,
    PlanningCase,
    Session,
    SharedLimit,
    Solar,
)


def tenths(low: float, high: float) -> st.SearchStrategy[float]:
    """Numbers with one decimal."""
    return st.integers(round(10 * low), round(10 * high)).map(lambda number: number / 10)


def _one_of(*values: float) -> st.SearchStrategy[float]:
    return st.sampled_from(values)


def _series(steps: int, low: float, high: float) -> st.SearchStrategy[tuple[float, ...]]:
    return st.lists(tenths(low, high), min_size=steps, max_size=steps).map(tuple)


@st.composite
def grids(draw: st.DrawFn, steps: int) -> GridConnection:
    """Prices of either sign, feed-in that may earn more than import costs, limits or none."""
    limit = st.none() | tenths(0, 12)
    return GridConnection(
        import_price_per_kwh=draw(_series(steps, -2, 4)),
        export_price_per_kwh=draw(_series(steps, -2, 3)),
        max_import_kw=draw(limit),
        max_export_kw=draw(limit),
        demand_charge_per_kw=draw(st.none() | tenths(0, 2)),
        peak_so_far_kw=draw(tenths(0, 3)),
    )


@st.composite
def batteries(draw: st.DrawFn, name: str) -> Battery:
    low, first, final, high = sorted(draw(st.tuples(*[tenths(0, 1)] * 4)))
    return Battery(
        id=name,
        capacity_kwh=draw(tenths(1, 9)),
        max_charge_kw=draw(tenths(2, 5)),
        max_discharge_kw=draw(tenths(0, 5)),
        soc=first,
        min_soc=low,
        max_soc=high,
        min_final_soc=draw(st.sampled_from([None, final])),
        charge_efficiency=draw(_one_of(1.0, 0.9)),
        discharge_efficiency=draw(_one_of(1.0, 0.8)),
        self_discharge_per_h=draw(_one_of(0.0, 0.01)),
        wear_price_per_kwh=draw(_one_of(0.0, 0.1)),
    )


@st.composite
def sessions(draw: st.DrawFn, name: str, steps: int) -> Session:
    arrival = draw(st.integers(0, steps - 1))
    max_kw = draw(tenths(1, 8))
    kind = draw(st.sampled_from(["any", "minimum", "pilots"]))
    return Session(
        id=name,
        arrival_step=arrival,
        departure_step=draw(st.integers(arrival + 1, steps)),
        energy_kwh=draw(tenths(0, 6)),
        max_kw=max_kw,
        min_kw=min(max_kw, 1.4) if kind == "minimum" else 0.0,
        pilots_kw=(1.0, 3.7) if kind == "pilots" else (),
        priority=draw(st.integers(1, 3)),
        shortfall_price_per_kwh=draw(st.none() | tenths(0, 5)),
    )


@st.composite
def deferrables(draw: st.DrawFn, name: str, horizon: Horizon) -> Deferrable:
    first = draw(st.integers(0, horizon.steps - 1))
    end = draw(st.integers(first + 1, horizon.steps))
    modulated, interruptible = draw(st.booleans()), draw(st.booleans())
    power_kw = draw(tenths(1, 4))
    least_kw = 0.5 if modulated and not interruptible else 0.0
    most = (end - first) * horizon.step_h
    share = draw(st.sampled_from([0.0, 0.5, 1.0]))
    return Deferrable(
        id=name,
        power_kw=power_kw,
        hours=most * share,
        earliest_step=first,
        end_step=end,
        interruptible=interruptible,
        modulated=modulated,
        min_kw=least_kw,
        priority=draw(st.integers(1, 3)),
    )


@st.composite
def generators(draw: st.DrawFn, name: str) -> Generator:
    return Generator(
        id=name,
        max_kw=draw(tenths(2, 8)),
        min_kw=draw(_one_of(0.0, 1.5)),
        price_per_kwh=draw(tenths(0, 4)),
        start_cost=draw(_one_of(0.0, 1.0)),
        stop_cost=draw(_one_of(0.0, 0.5)),
        min_up_h=draw(_one_of(0.0, 2.0)),
        min_down_h=draw(_one_of(0.0, 2.0)),
        was_on=draw(st.booleans()),
        in_state_h=draw(st.sampled_from([None, 0.5, 1.0])),
    )


@st.composite
def cases(draw: st.DrawFn) -> PlanningCase:
    """Up to four steps, and any mixture of devices and limits."""
    steps = draw(st.integers(1, 4))
    horizon = Horizon(steps=steps, step_s=draw(_one_of(900.0, 3600.0)))

    def some(most: int) -> range:
        return range(draw(st.integers(0, most)))

    case = PlanningCase(
        horizon=horizon,
        grid=draw(grids(steps)),
        loads=tuple(
            FixedLoad(id=f"load-{n}", power_kw=draw(_series(steps, -1, 4))) for n in some(2)
        ),
        solar=tuple(
            Solar(
                id=f"pv-{n}",
                available_kw=draw(_series(steps, 0, 6)),
                curtailable=draw(st.booleans()),
                curtailment_price_per_kwh=draw(_one_of(0.0, 0.1)),
            )
            for n in some(1)
        ),
        generators=tuple(draw(generators(f"generator-{n}")) for n in some(1)),
        batteries=tuple(draw(batteries(f"battery-{n}")) for n in some(2)),
        sessions=tuple(draw(sessions(f"car-{n}", steps)) for n in some(2)),
        deferrables=tuple(draw(deferrables(f"later-{n}", horizon)) for n in some(2)),
    )
    return draw(limited(case))


@st.composite
def limited(draw: st.DrawFn, case: PlanningCase) -> PlanningCase:
    """The case with a fuse over some devices, and perhaps one over that fuse and others."""
    names = [each.id for devices in case.families.values() for each in devices]
    if not names or draw(st.booleans()):
        return case
    members = st.lists(st.sampled_from(names), min_size=1, unique=True)
    below = SharedLimit(id="below", max_kw=draw(tenths(1, 9)), members=tuple(draw(members)))
    above = SharedLimit(id="above", max_kw=draw(tenths(1, 12)), members=("below", *draw(members)))
    limits = (below, above) if draw(st.booleans()) else (below,)
    return replace(case, limits=limits)


@st.composite
def with_other_data(draw: st.DrawFn, case: PlanningCase) -> PlanningCase:
    """A case of the same shape: other forecasts, prices, limits, states of charge and wishes."""
    steps = case.horizon.steps
    grid = draw(grids(steps))
    if case.grid.demand_charge_per_kw is None:
        grid = replace(grid, demand_charge_per_kw=None)
    elif grid.demand_charge_per_kw is None:
        grid = replace(grid, demand_charge_per_kw=0.5)
    return replace(
        case,
        grid=grid,
        loads=tuple(replace(each, power_kw=draw(_series(steps, -1, 4))) for each in case.loads),
        solar=tuple(replace(each, available_kw=draw(_series(steps, 0, 6))) for each in case.solar),
        batteries=tuple(
            replace(each, soc=draw(st.floats(each.min_soc, each.max_soc)))
            for each in case.batteries
        ),
        sessions=tuple(replace(each, energy_kwh=draw(tenths(0, 6))) for each in case.sessions),
        limits=tuple(replace(each, max_kw=draw(tenths(1, 12))) for each in case.limits),
    )
