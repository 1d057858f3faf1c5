"""A simulated board reports in time, and remembers how long each output was on."""

from hypothesis import given
from hypothesis import strategies as st

from hardware.board_memory import RamMemory
from hardware.gateway import Gateway
from hardware.relay_board import RelayBoard
from hardware.simulated_board import BoardClock, SimulatedBoard, SwitchLog
from schemas.dispatch_plan import OutputState
from schemas.setpoint import AckResult, Setpoint
from schemas.site_model import Relay
from schemas.site_model import RelayBoard as BoardModel

T0_MS = 1_800_000_000_000
MODEL = BoardModel(
    id="board-1",
    gateway="gw-1",
    restore_stagger_s=0,
    relays=(Relay(output=1, load_kw=10, priority=1), Relay(output=2, load_kw=10, priority=1)),
)


def simulated() -> SimulatedBoard:
    board = RelayBoard(MODEL, booted_ms=0, memory=RamMemory())
    return SimulatedBoard(board, BoardClock(booted_at_ms=T0_MS), "site")


def shed(board: SimulatedBoard, now_ms: int, lease_ms: int = 60_000) -> None:
    setpoint = Setpoint(
        decision_id="d",
        site="site",
        gateway="gw-1",
        device="board-1",
        seq=1,
        epoch=1,
        issued_ms=now_ms,
        valid_until_ms=now_ms + lease_ms,
        outputs=(OutputState(output=2, on=False),),
    )
    ack = Gateway("site", "gw-1", [board]).carry_out(setpoint, now_ms)
    assert ack.result is AckResult.APPLIED


def reported(board: SimulatedBoard, from_s: float, to_s: float) -> dict[int, float]:
    """Value of relay 2 by stamp [ms after the start], polling every 100 ms."""
    batches = (board.poll(T0_MS + ms) for ms in range(int(from_s * 1e3), int(to_s * 1e3), 100))
    items = (batch.readings[1] for batch in batches if batch is not None)
    return {item.event_time_ms - T0_MS: item.value for item in items}


def test_board_reports_at_once_after_boot_and_then_every_interval() -> None:
    assert list(reported(simulated(), 0, 16)) == [0, 5_000, 10_000, 15_000]


def test_board_reports_at_once_when_a_command_switched() -> None:
    """S1-2: OFF command opens the relay, next telemetry shows it off."""
    board = simulated()
    reported(board, 0, 2)
    shed(board, T0_MS + 2_000)
    assert reported(board, 2, 8) == {2_000: 0, 7_000: 0}


def test_board_reports_at_once_when_a_lease_has_ended() -> None:
    board = simulated()
    shed(board, T0_MS, lease_ms=7_000)
    assert reported(board, 0, 13) == {0: 0, 5_000: 0, 7_000: 1, 12_000: 1}


def test_shares_tell_how_long_each_output_was_on_within_an_interval() -> None:
    board = simulated()
    shed(board, T0_MS + 6_000, lease_ms=7_000)
    reported(board, 6, 16)
    shares = [board.closed_shares(T0_MS + ms, T0_MS + ms + 5_000) for ms in (0, 5_000, 10_000)]
    assert [share["board-1", 1] for share in shares] == [1, 1, 1]
    assert [share["board-1", 2] for share in shares] == [1, 0.2, 0.4]


def test_share_of_an_interval_without_a_switch_is_whole() -> None:
    log = SwitchLog([OutputState(output=1, on=True), OutputState(output=2, on=False)], T0_MS)
    for start_ms in (T0_MS - 5_000, T0_MS, T0_MS + 5_000):
        assert log.closed_shares(start_ms, start_ms + 5_000) == {1: 1, 2: 0}


def test_switch_after_an_interval_does_not_count_in_it() -> None:
    log = SwitchLog([OutputState(output=1, on=True)], T0_MS)
    assert log.note([OutputState(output=1, on=False)], T0_MS + 5_010)
    assert log.closed_shares(T0_MS, T0_MS + 5_000) == {1: 1}
    assert log.closed_shares(T0_MS + 5_000, T0_MS + 10_000) == {1: 10 / 5_000}


@given(
    waits_ms=st.lists(st.integers(0, 7_000), max_size=30),
    states=st.lists(st.booleans(), min_size=30, max_size=30),
    interval_ms=st.integers(1, 9_000),
)
def test_shares_of_all_intervals_add_up_to_the_time_on(
    waits_ms: list[int], states: list[bool], interval_ms: int
) -> None:
    log = SwitchLog([OutputState(output=1, on=True)], 0)
    now_ms, last_ms, on, on_ms = 0, 0, True, 0
    for wait_ms, state in zip(waits_ms, states, strict=False):
        now_ms += wait_ms
        log.note([OutputState(output=1, on=state)], now_ms)
        on_ms += (now_ms - last_ms) * on
        last_ms, on = now_ms, state
    intervals = now_ms // interval_ms + 1
    on_ms += (intervals * interval_ms - last_ms) * on
    starts = [k * interval_ms for k in range(intervals)]
    shares = [log.closed_shares(start, start + interval_ms)[1] for start in starts]
    assert round(sum(shares) * interval_ms, 3) == on_ms
    assert all(0 <= share <= 1 for share in shares)
