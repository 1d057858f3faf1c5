"""The gateway turns setpoints into commands, and what a board reads back into acknowledgements."""

import msgspec
import pytest

from hardware.board_answers import Applied
from hardware.board_memory import RamMemory
from hardware.gateway import Gateway, Unreadable, board_command
from hardware.relay_board import RelayBoard
from hardware.simulated_board import BoardClock, SimulatedBoard
from schemas.dispatch_plan import OutputState, PowerSetpoint
from schemas.messages import encode
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.site_model import Relay
from schemas.site_model import RelayBoard as BoardModel

T0_MS = 1_800_000_000_000
BOOT_TICK_MS = 3_141_592
MODEL = BoardModel(
    id="board-1",
    gateway="gw-1",
    relays=tuple(
        Relay(output=output, load_kw=10, priority=output, sheddable=output > 1)
        for output in (1, 2, 3, 4)
    ),
)


def simulated(rate: float = 1.0, welded: tuple[int, ...] = ()) -> SimulatedBoard:
    clock = BoardClock(booted_at_ms=T0_MS, boot_tick_ms=BOOT_TICK_MS, rate=rate)
    board = RelayBoard(MODEL, booted_ms=BOOT_TICK_MS, memory=RamMemory(), welded=welded)
    return SimulatedBoard(board, clock, "site")


def gateway(*boards: SimulatedBoard) -> Gateway:
    return Gateway("site", "gw-1", boards or (simulated(),))


def setpoint(now_ms: int = T0_MS, *, seq: int = 16, lease_ms: int = 60_000) -> Setpoint:
    return Setpoint(
        decision_id="site.1.abcdefgh",
        site="site",
        gateway="gw-1",
        device="board-1",
        seq=seq,
        epoch=1,
        issued_ms=now_ms,
        valid_until_ms=now_ms + lease_ms,
        outputs=(OutputState(output=3, on=False),),
    )


def acked(answer: Ack | Unreadable) -> Ack:
    assert isinstance(answer, Ack), answer
    return answer


def test_applied_setpoint_is_acknowledged_with_every_output_as_read_back() -> None:
    """D-5: command → relay state change → ack with one correlation id."""
    ack = acked(gateway().handle(encode(setpoint()), T0_MS + 50))
    assert ack == Ack(
        event_id="site/board-1/16/applied",
        decision_id="site.1.abcdefgh",
        site="site",
        gateway="gw-1",
        device="board-1",
        seq=16,
        epoch=1,
        result=AckResult.APPLIED,
        outputs=tuple(OutputState(output=n, on=n != 3) for n in (1, 2, 3, 4)),
        changed=(3,),
        acked_ms=T0_MS + 50,
    )


def test_command_is_relative_to_its_arrival_and_echoes_the_boards_clock() -> None:
    """Decision 8: absolute in Kafka, relative on the wire, because boards' clocks lie."""
    command = board_command(setpoint(), tick_ms=123, now_ms=T0_MS + 1_000)
    assert (command.ttl_ms, command.tick_ms) == (59_000, 123)
    assert (command.device, command.seq, command.epoch) == ("board-1", 16, 1)
    assert command.outputs == setpoint().outputs


def test_redelivered_setpoint_is_refused_and_its_ack_does_not_hide_the_first() -> None:
    field = gateway()
    first = acked(field.handle(encode(setpoint()), T0_MS))
    again = acked(field.handle(encode(setpoint()), T0_MS + 10))
    assert (again.result, again.reason) == (AckResult.REFUSED, RefusalReason.DUPLICATE)
    assert again.changed == ()
    assert again.outputs == first.outputs
    assert again.event_id == "site/board-1/16/refused/duplicate" != first.event_id


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"gateway": "gw-2"}, RefusalReason.FOREIGN),
        ({"site": "elsewhere"}, RefusalReason.FOREIGN),
        ({"device": "board-2"}, RefusalReason.FOREIGN),
        ({"valid_until_ms": T0_MS}, RefusalReason.EXPIRED),
        ({"powers": (PowerSetpoint(asset="b", power_kw=1.0),)}, RefusalReason.MALFORMED),
        ({"seq": -1}, RefusalReason.MALFORMED),
        ({"epoch": 0}, RefusalReason.FENCED),
        ({"outputs": (OutputState(output=5, on=False),)}, RefusalReason.UNKNOWN_OUTPUT),
    ],
)
def test_refused_setpoint_changes_nothing_says_why_and_is_logged(
    other: dict[str, object], reason: RefusalReason, caplog: pytest.LogCaptureFixture
) -> None:
    """S1-13: malformed or stale command → relays unchanged, logged."""
    board = simulated()
    field = gateway(board)
    field.carry_out(msgspec.structs.replace(setpoint(), outputs=()), T0_MS)
    before = board.readback()
    wrong = msgspec.structs.replace(setpoint(seq=32), **other)
    ack = acked(field.handle(encode(wrong), T0_MS))
    assert (ack.result, ack.reason, ack.changed) == (AckResult.REFUSED, reason, ())
    assert board.readback() == before
    assert (ack.device, ack.seq) == (wrong.device, wrong.seq)
    assert ack.outputs == (() if reason is RefusalReason.FOREIGN else before)
    assert f"{wrong.device} refused {wrong.seq}" in caplog.text


@pytest.mark.parametrize("value", [None, b"", b"{", b"[]", b'{"device": "board-1"}'])
def test_setpoint_that_cannot_be_read_is_a_problem_for_a_dead_letter(value: bytes | None) -> None:
    answer = gateway().handle(value, T0_MS)
    assert isinstance(answer, Unreadable)
    assert len(answer.errors) == 2
    assert all(answer.errors)


def test_board_that_was_silent_for_too_long_refuses_as_stale_and_recovers_by_reporting() -> None:
    """S1-13: auto-recovery."""
    board = simulated()
    field = gateway(board)
    late_ms = T0_MS + 10_001
    assert field.carry_out(setpoint(late_ms, seq=1), late_ms).reason is RefusalReason.STALE
    # The refusal itself carried the board's clock, so the next setpoint is fresh again.
    assert field.carry_out(setpoint(late_ms, seq=2), late_ms).result is AckResult.APPLIED


def test_board_that_reports_obeys_however_long_it_was_not_commanded() -> None:
    board = simulated()
    for later_ms in range(0, 60_000, 5_000):
        board.poll(T0_MS + later_ms)
    assert gateway(board).carry_out(setpoint(), T0_MS + 59_000).result is AckResult.APPLIED


@pytest.mark.parametrize("rate", [0.99, 1.0, 1.01])
def test_board_whose_clock_drifts_obeys_for_an_hour_and_keeps_its_lease(rate: float) -> None:
    """S1-13 with clock skew: a lease of 60 s lasts as long as the board believes 60 s last."""
    board = simulated(rate)
    field = gateway(board)
    for seq in range(720):
        now_ms = T0_MS + 5_000 * seq
        board.poll(now_ms)
        assert field.carry_out(setpoint(now_ms, seq=seq), now_ms + 300).result is AckResult.APPLIED
    last_ms = T0_MS + 5_000 * 719
    for later_ms, on in ((0, False), (58_000, False), (63_000, True)):
        board.poll(last_ms + later_ms)
        assert board.readback()[2].on is on


def test_welded_contact_makes_the_acknowledgement_partial() -> None:
    """Decision 8: state is believed only from readback."""
    ack = gateway(simulated(welded=(3,))).carry_out(setpoint(), T0_MS)
    assert (ack.result, ack.reason, ack.changed) == (AckResult.PARTIAL, None, ())
    assert ack.outputs[2] == OutputState(output=3, on=True)
    assert ack.event_id.endswith("/partial")


class LampBoard:
    """A board of another make: one output, and an answer that it builds itself."""

    device = "lamp"
    tick_ms = 7

    def __init__(self) -> None:
        self.received: list[bytes] = []

    def readback(self) -> tuple[OutputState, ...]:
        return (OutputState(output=1, on=True),)

    def send(self, command: bytes, now_ms: int) -> Applied:
        self.received.append(command)
        return Applied(outputs=self.readback(), changed=(1,), tick_ms=now_ms)


def test_any_board_that_fits_the_protocol_can_be_commanded() -> None:
    lamp = LampBoard()
    wanted = msgspec.structs.replace(setpoint(), device="lamp", outputs=lamp.readback())
    ack = Gateway("site", "gw-1", [lamp]).carry_out(wanted, T0_MS)
    assert (ack.result, ack.changed) == (AckResult.APPLIED, (1,))
    assert lamp.received == [encode(board_command(wanted, tick_ms=7, now_ms=T0_MS))]


def test_setpoint_that_has_ended_never_reaches_the_board() -> None:
    lamp = LampBoard()
    field = Gateway("site", "gw-1", [lamp])
    wanted = msgspec.structs.replace(setpoint(lease_ms=1_000), device="lamp")
    assert field.carry_out(wanted, T0_MS + 1_000).reason is RefusalReason.EXPIRED
    assert lamp.received == []
    field.carry_out(wanted, T0_MS + 999)
    assert len(lamp.received) == 1
