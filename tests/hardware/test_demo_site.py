"""The demo's site has a real peak that its relays can hold, and that nothing else would."""

from statistics import mean, median

import pytest

from hardware.board_memory import RamMemory
from hardware.demo_site import DemoSite, demo_site
from hardware.gateway import Gateway
from hardware.relay_board import RelayBoard
from hardware.simbench_slice import load_slice
from hardware.simulated_board import BoardClock, SimulatedBoard
from schemas.dispatch_plan import OutputState
from schemas.setpoint import Setpoint
from schemas.site_model import Mode, Role, SiteModel
from schemas.windows import WINDOW_MS

T0_MS = 1_800_000_000_000
WINDOWS = 240  # 20 values of 15 minutes, one minute each
ON = {("board-1", output): 1.0 for output in (1, 2, 3, 4)}
SHED = {("board-1", output): float(output == 1) for output in (1, 2, 3, 4)}
SEEDS = (0, 1, 2)


@pytest.fixture(scope="module")
def demo() -> DemoSite:
    return demo_site(load_slice())


@pytest.fixture(scope="module")
def model(demo: DemoSite) -> SiteModel:
    return demo.model


def drawn_kw(demo: DemoSite, shares: dict[tuple[str, int], float], seed: int) -> list[float]:
    """Power of the site in every window of the excerpt [kW]."""
    plant = demo.plant(origin_ms=T0_MS, seed=seed)
    starts = (T0_MS + k * WINDOW_MS for k in range(WINDOWS))
    return [plant.totals_for(start, shares).drawn_kw for start in starts]


def test_one_board_has_the_four_relays_of_the_microgrid(model: SiteModel) -> None:
    """S1-7: 100 kW, 85 kW; R1 30 kW never shed, R2 20 kW, R3 and R4 10 kW."""
    (board,) = model.relay_boards
    assert (board.id, board.gateway, board.simulated) == ("board-1", "gw-1", True)
    assert [
        (r.output, r.load_kw, r.priority, r.sheddable, r.on_lease_end) for r in board.relays
    ] == [
        (1, 30, 1, False, "on"),
        (2, 20, 2, True, "on"),
        (3, 10, 3, True, "on"),
        (4, 10, 3, True, "on"),
    ]
    assert all(relay.label for relay in board.relays)
    assert (model.capacity_kw, model.threshold_kw) == (100, 85)


def test_demo_may_command_simulated_boards_and_no_others(model: SiteModel) -> None:
    """Decision 9: the demo's site file sets control, and admits simulated boards only."""
    assert model.mode is Mode.CONTROL
    assert model.simulated_only
    assert all(board.simulated for board in model.relay_boards)


def test_control_parameters_are_those_of_the_design(model: SiteModel) -> None:
    assert (model.control.lease_s, model.control.dwell_s) == (60, 30)


def test_every_load_counts_once_and_every_pv_system_generates(model: SiteModel) -> None:
    roles = {meter.id: meter.role for meter in model.meters}
    assert sum(role is Role.LOAD for role in roles.values()) == 111 + 4
    generators = [name for name, role in roles.items() if role is Role.GENERATION]
    assert generators == ["PV1", "PV2", "PV3", "PV4", "PV5"]


def test_relay_meters_are_the_four_of_the_board(demo: DemoSite, model: SiteModel) -> None:
    rated = {meter.id: meter.rated_kw for meter in model.meters if meter.id in demo.relay_meters}
    assert rated == {
        "relay-1-meter": 30,
        "relay-2-meter": 20,
        "relay-3-meter": 10,
        "relay-4-meter": 10,
    }


def test_no_meter_exceeds_its_rating(demo: DemoSite, model: SiteModel) -> None:
    """A missing load counts its rating: the safe side only if nothing lies above it."""
    ratings = [meter.rated_kw for meter in model.meters[: len(demo.base.meters)]]
    assert (abs(demo.base.power_kw).max(axis=0) <= ratings).all()


def test_meters_in_the_model_and_in_the_plant_are_the_same(
    demo: DemoSite, model: SiteModel
) -> None:
    readings = demo.plant(origin_ms=T0_MS, seed=0).readings_for(T0_MS, ON)
    assert sorted(reading.device for reading in readings) == sorted(m.id for m in model.meters)


def test_one_late_or_lost_reading_of_a_meter_leaves_its_windows_covered(model: SiteModel) -> None:
    assert all(meter.held_s >= 3 * meter.interval_s for meter in model.meters)


@pytest.mark.parametrize("seed", SEEDS)
def test_uncontrolled_the_site_exceeds_its_capacity(demo: DemoSite, seed: int) -> None:
    power_kw = drawn_kw(demo, ON, seed)
    assert max(power_kw) > demo.model.capacity_kw
    assert sum(kw > demo.model.threshold_kw for kw in power_kw) > WINDOWS / 3


@pytest.mark.parametrize("seed", SEEDS)
def test_with_all_that_may_be_shed_off_the_site_stays_under_the_threshold(
    demo: DemoSite, seed: int
) -> None:
    assert max(drawn_kw(demo, SHED, seed)) < demo.model.threshold_kw


@pytest.mark.parametrize("seed", SEEDS)
def test_demo_begins_and_ends_with_room_for_every_relay(demo: DemoSite, seed: int) -> None:
    """So nothing has to be shed at once, and everything comes back in the end."""
    power_kw = drawn_kw(demo, ON, seed)
    assert mean(power_kw[:12]) < demo.model.threshold_kw
    assert median(power_kw[-48:]) + demo.model.control.hysteresis_kw < demo.model.threshold_kw


def test_demo_can_go_on_after_its_excerpt(demo: DemoSite) -> None:
    plant = demo.plant(origin_ms=T0_MS, seed=0)
    starts = (T0_MS + (WINDOWS + k) * WINDOW_MS for k in range(WINDOWS))
    assert max(plant.totals_for(start, SHED).drawn_kw for start in starts) < 85


def test_model_is_the_same_whenever_it_is_built(model: SiteModel) -> None:
    """Decision 7: the model's hash is part of every decision's identity."""
    assert demo_site(load_slice()).model.model_hash == model.model_hash


def test_relay_that_is_shed_within_an_interval_is_metered_for_the_time_that_it_was_on(
    demo: DemoSite, model: SiteModel
) -> None:
    """D-5: setpoint → relay state change → what the meters see of it."""
    hardware = RelayBoard(model.boards["board-1"], booted_ms=0, memory=RamMemory())
    board = SimulatedBoard(hardware, BoardClock(booted_at_ms=T0_MS), model.name)
    setpoint = Setpoint(
        decision_id="d",
        site=model.name,
        gateway="gw-1",
        device="board-1",
        seq=16,
        epoch=1,
        issued_ms=T0_MS,
        valid_until_ms=T0_MS + 60_000,
        outputs=(OutputState(output=3, on=False),),
    )
    Gateway(model.name, "gw-1", [board]).carry_out(setpoint, T0_MS + 2_000)
    plant = demo.plant(origin_ms=T0_MS, seed=0)
    metered = []
    for start_ms in (T0_MS, T0_MS + WINDOW_MS):
        shares = board.closed_shares(start_ms, start_ms + WINDOW_MS)
        metered += [r for r in plant.readings_for(start_ms, shares) if r.device == "relay-3-meter"]
    assert [reading.value for reading in metered] == [pytest.approx(4, rel=0.03), 0]
