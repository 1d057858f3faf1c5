"""The same demand under every way of control: what must hold whatever the demand."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest

from hardware.demo_site import demo_week
from hardware.load_response import RespondingLoads
from hardware.simbench_slice import load_slice
from processors.accounting.metering import Trajectory
from schemas.site_model import Mode
from schemas.windows import WINDOW_MS
from streams.counterfactual.comparing import Compared, catch_up_kw, compare, controllable
from streams.counterfactual.controls import DispatchControl
from streams.counterfactual.demand import Demand
from streams.counterfactual.progress import CancelledError
from streams.counterfactual.report import (
    DISPATCH,
    NO_CONTROL,
    STATIC,
    STATIC_RETURNING,
    Comparison,
    as_table,
    sentences_of,
    sheet_of,
)
from streams.counterfactual.simulating import simulate
from tests.streams.counterfactual.scenes import START_MS, Silent, demo_model, hill, noisy, terms

DWELL_WINDOWS = 6
"""30 s."""


@pytest.fixture(scope="module")
def around() -> tuple[Compared, Demand]:
    """Two hours of jumps and noise around the threshold."""
    demand = noisy(120)
    return compare(demo_model(), demand, terms(), Silent()), demand


def changes_of(trajectory: Trajectory) -> list[list[int]]:
    """Windows in which each relay changed."""
    on = np.vstack([np.ones((1, trajectory.on.shape[1]), dtype=np.bool_), trajectory.on])
    return [np.flatnonzero(np.diff(column.astype(int))).tolist() for column in on.T]


def test_without_control_the_site_draws_its_demand_exactly(
    around: tuple[Compared, Demand],
) -> None:
    """S1-16: the uncontrolled replay is the input itself."""
    compared, demand = around
    net_kw = compared.trajectories[NO_CONTROL].net_kw
    assert (net_kw == demand.base_kw + demand.relays_kw.sum(axis=1)).all()
    without = compared.report.case(NO_CONTROL)
    assert (without.figures.shed_kwh, without.peak_hour_saving_percent) == (0.0, 0.0)


def test_the_plants_demand_is_what_its_meters_show_with_every_relay_on() -> None:
    site = demo_week(load_slice())
    plant = site.plant(origin_ms=START_MS, seed=4)
    closed = {(board.id, r.output): 1.0 for board in site.model.relay_boards for r in board.relays}
    for start_ms in range(START_MS, START_MS + 10 * WINDOW_MS, WINDOW_MS):
        demand = plant.demand_for(start_ms)
        drawn_kw = demand.base_kw + float(demand.relays_kw.sum())
        assert plant.totals_for(start_ms, closed).drawn_kw == pytest.approx(drawn_kw, abs=1e-9)


@pytest.mark.parametrize("control", [STATIC, STATIC_RETURNING, DISPATCH])
def test_what_is_shed_is_drawn_later_or_not_served(
    around: tuple[Compared, Demand], control: str
) -> None:
    """S1-16: to 1e-6 kWh."""
    figures = around[0].report.case(control).figures
    assert figures.shed_kwh > 0
    assert figures.shed_kwh == pytest.approx(figures.rebound_kwh + figures.unserved_kwh, abs=1e-6)
    assert sum(figures.unserved_by_relay.values()) == pytest.approx(figures.unserved_kwh, abs=1e-6)


def test_the_meter_finds_what_the_loads_themselves_still_owe() -> None:
    model, demand = controllable(demo_model()), noisy(30)
    loads = RespondingLoads(catch_up_kw(model, terms()))
    control = DispatchControl(model, since_ms=START_MS)
    run = simulate(model, demand, control, loads, Silent())
    unserved_kwh = (run.demand_kw - run.drawn_kw).sum(axis=0) * WINDOW_MS / 3_600_000
    assert unserved_kwh == pytest.approx(loads.owed_kwh + loads.lost_kwh, abs=1e-6)
    assert unserved_kwh.sum() > 0


@pytest.mark.parametrize("control", [STATIC, STATIC_RETURNING, DISPATCH])
def test_the_load_that_is_never_shed_is_always_served(
    around: tuple[Compared, Demand], control: str
) -> None:
    """S1-16: R1 always served."""
    figures = around[0].report.case(control).figures
    assert figures.unserved_by_relay["board-1:1"] == 0.0
    assert figures.switches["board-1:1"] == 0


def test_dispatch_keeps_its_limits_where_it_can() -> None:
    """S1-D4: a peak that rises no faster than the look-ahead sees; loads without a rebound."""
    demand = hill(44.0)
    found = compare(demo_model(), demand, terms(catch_up=0.0), Silent()).report
    assert found.case(NO_CONTROL).figures.windows_over_threshold > 300
    dispatched = found.case(DISPATCH).figures
    assert dispatched.windows_over_threshold == 0
    assert dispatched.peak_kw <= found.threshold_kw
    assert [dispatched.switches[f"board-1:{output}"] for output in (2, 4)] == [2, 2]
    assert dispatched.switches["board-1:3"] <= 4  # it makes room for a more important one


def test_dispatch_never_passes_the_capacity_for_the_sake_of_a_dwell_time() -> None:
    found = compare(demo_model(), hill(54.0, minutes=20), terms(catch_up=0.0), Silent()).report
    assert found.case(NO_CONTROL).figures.kwh_over_capacity > 0
    assert found.case(DISPATCH).figures.kwh_over_capacity == 0.0


def test_dispatch_holds_its_dwell_time_between_switches(around: tuple[Compared, Demand]) -> None:
    """S1-D7: no chatter, where the plain rule that returns has it."""
    compared, _ = around
    gaps = [
        later - earlier
        for changes in changes_of(compared.trajectories[DISPATCH])
        for earlier, later in pairwise(changes)
    ]
    assert gaps
    assert min(gaps) >= DWELL_WINDOWS
    cases = compared.report
    plain, ours = (cases.case(name).figures.switches for name in (STATIC_RETURNING, DISPATCH))
    assert max(plain.values()) > 3 * max(ours.values())


def test_at_most_one_load_returns_in_a_window(around: tuple[Compared, Demand]) -> None:
    on = around[0].trajectories[DISPATCH].on.astype(int)
    assert np.maximum(np.diff(on, axis=0), 0).sum(axis=1).max() == 1


def test_what_the_static_rule_sheds_stays_off(around: tuple[Compared, Demand]) -> None:
    """S1-D7: nothing restores relays in document 001."""
    on = around[0].trajectories[STATIC].on.astype(int)
    assert (np.diff(on, axis=0) <= 0).all()
    assert not on[-1, 1:].any()


def test_the_same_demand_gives_the_same_report(around: tuple[Compared, Demand]) -> None:
    compared, demand = around
    again = compare(demo_model(), demand, terms(), Silent()).report

    def timeless(report: Comparison) -> Comparison:
        return msgspec.structs.replace(report, seconds_per_day={})

    assert timeless(again).to_json() == timeless(compared.report).to_json()


def test_a_site_that_only_observes_is_simulated_as_if_it_controlled() -> None:
    observing = demo_model().model_copy(update={"mode": Mode.OBSERVE})
    found = compare(observing, hill(44.0, minutes=10), terms(), Silent()).report
    assert sum(found.case(DISPATCH).figures.switches.values()) > 0


def test_the_table_has_every_figure_and_the_claim_beside_what_was_found(
    around: tuple[Compared, Demand],
) -> None:
    """S1-16: 25 % lower peak-hour cost is claimed."""
    report = around[0].report
    names = [name for name, *_ in sheet_of(report)[1]]
    assert as_table(report).row_count == len(names)
    assert "peak-hour cost [EUR]" in names
    assert "switches of board-1:4" in names
    assert "document 001 claims 25 % lower peak-hour cost" in " ".join(sentences_of(report))


def test_without_a_tariff_costs_are_unknown_and_ratios_are_not() -> None:
    demand = noisy(30)
    found = compare(demo_model(), demand, terms(price=None), Silent()).report
    case = found.case(DISPATCH)
    assert (case.figures.cost, case.saving_percent) == (None, None)
    assert case.peak_hour_saving_percent is not None
    assert any("no tariff is known" in sentence for sentence in sentences_of(found))


def test_a_comparison_that_is_asked_to_stop_stops() -> None:
    with pytest.raises(CancelledError):
        compare(demo_model(), noisy(120), terms(), Silent(stop_after=3))
