"""What of a case is built into its compiled problem, and what may change from solve to solve."""

from msgspec.structs import replace

from schemas.planning_case import GridConnection, PlanningCase


def shape_of(case: PlanningCase) -> PlanningCase:
    """The case without its data: two cases of one shape are solved by one compiled problem.

    Data are forecasts, prices of energy, limits, states of charge, and what sessions and deferrable
    loads ask for and when. Ratings, efficiencies and members of limits are built in.
    """
    charge = case.grid.demand_charge_per_kw
    return replace(
        case,
        horizon=replace(case.horizon, start_ms=0),
        grid=GridConnection(demand_charge_per_kw=None if charge is None else 0.0),
        loads=tuple(replace(each, power_kw=0.0) for each in case.loads),
        solar=tuple(replace(each, available_kw=0.0) for each in case.solar),
        generators=tuple(replace(each, was_on=False, in_state_h=None) for each in case.generators),
        batteries=tuple(replace(each, soc=0.0, min_final_soc=None) for each in case.batteries),
        sessions=tuple(
            replace(
                each,
                arrival_step=0,
                departure_step=0,
                energy_kwh=0.0,
                max_kw=0.0,
                shortfall_price_per_kwh=None if each.shortfall_price_per_kwh is None else 0.0,
            )
            for each in case.sessions
        ),
        deferrables=tuple(
            replace(each, hours=0.0, energy_kwh=None, earliest_step=0, end_step=None)
            for each in case.deferrables
        ),
        limits=tuple(replace(each, max_kw=0.0) for each in case.limits),
    )
