"""A relay board obeys each command once, in time and as a whole, and else returns to safety."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hardware.board_answers import Applied, BoardAnswer, Refused
from hardware.board_memory import BoardMemory, BoardRecord, FileMemory, RamMemory
from hardware.relay_board import MAX_TRANSIT_MS, MAX_TTL_MS, RelayBoard
from schemas.dispatch_plan import OutputState
from schemas.errors import ConfigurationError
from schemas.messages import encode
from schemas.setpoint import BoardCommand, RefusalReason
from schemas.site_model import Relay
from schemas.site_model import RelayBoard as BoardModel
from schemas.units import QUANTITIES, TelemetryKind

BOOTED_MS = 500_000
NOW_MS = BOOTED_MS + 60_000
ALL_ON = {1: True, 2: True, 3: True, 4: True}
MODEL = BoardModel(
    id="board-1",
    gateway="gw-1",
    relays=(
        Relay(output=1, load_kw=30, priority=1, sheddable=False),
        Relay(output=2, load_kw=20, priority=2),
        Relay(output=3, load_kw=10, priority=3),
        Relay(output=4, load_kw=10, priority=3),
    ),
)
MIXED = BoardModel(
    id="board-2",
    gateway="gw-1",
    restore_stagger_s=0,
    relays=(
        Relay(output=1, load_kw=1, priority=1, on_lease_end="on"),
        Relay(output=2, load_kw=1, priority=1, on_lease_end="off"),
        Relay(output=3, load_kw=1, priority=1, on_lease_end="hold"),
    ),
)


def booted(
    model: BoardModel = MODEL, memory: BoardMemory | None = None, booted_ms: int = BOOTED_MS
) -> RelayBoard:
    return RelayBoard(model, booted_ms=booted_ms, memory=memory or RamMemory())


def command(
    states: dict[int, bool],
    *,
    seq: int = 16,
    epoch: int = 1,
    ttl_ms: int = 60_000,
    tick_ms: int = NOW_MS,
    device: str = "board-1",
) -> BoardCommand:
    return BoardCommand(
        device=device,
        seq=seq,
        epoch=epoch,
        ttl_ms=ttl_ms,
        tick_ms=tick_ms,
        outputs=tuple(OutputState(output=output, on=on) for output, on in states.items()),
    )


def states(outputs: tuple[OutputState, ...]) -> dict[int, bool]:
    return {state.output: state.on for state in outputs}


def reason_of(answer: BoardAnswer) -> RefusalReason:
    assert isinstance(answer, Refused), answer
    return answer.reason


def returns_of(board: RelayBoard, from_ms: int, to_ms: int, every_ms: int = 1) -> dict[int, int]:
    """When each output returned, ticking every ``every_ms``."""
    return {
        output: now_ms
        for now_ms in range(from_ms, to_ms, every_ms)
        for output in board.tick(now_ms)
    }


def test_off_command_opens_relay_3_and_the_next_telemetry_shows_it() -> None:
    """S1-2: OFF command opens relay 3, next telemetry shows R3=off (S1-D16: and it stays so)."""
    board = booted()
    answer = board.apply(encode(command({3: False})), NOW_MS)
    assert isinstance(answer, Applied)
    assert answer.changed == (3,)
    for stamp_ms in (1_000, 6_000):
        report = board.telemetry("site", stamp_ms)
        assert {item.quantity: item.value for item in report.readings} == {
            "relay_1": 1,
            "relay_2": 1,
            "relay_3": 0,
            "relay_4": 1,
        }


def test_telemetry_carries_units_that_its_topic_accepts() -> None:
    for item in booted().telemetry("site", 1_000).readings:
        quantity = QUANTITIES[item.quantity]
        assert TelemetryKind.RELAY in quantity.kinds
        assert item.unit in quantity.accepted


def test_no_two_reports_of_a_board_share_a_stamp() -> None:
    board = booted()
    reports = [board.telemetry("site", stamp_ms) for stamp_ms in (1_000, 1_000, 999, 5_000)]
    stamps = [report.readings[0].event_time_ms for report in reports]
    assert stamps == [1_000, 1_001, 1_002, 5_000]
    ids = [item.event_id for report in reports for item in report.readings]
    assert len(set(ids)) == len(ids)


def test_board_boots_with_every_output_in_its_declared_state_and_without_a_lease() -> None:
    board = booted(MIXED)
    assert states(board.outputs) == {1: True, 2: False, 3: False}
    assert returns_of(board, BOOTED_MS, BOOTED_MS + MAX_TTL_MS, every_ms=3_600_000) == {}


def test_output_that_holds_its_state_is_as_it_was_after_a_reboot() -> None:
    memory = RamMemory()
    booted(MIXED, memory).apply(command({1: False, 3: True}, device="board-2"), NOW_MS)
    assert states(booted(MIXED, memory).outputs) == {1: True, 2: False, 3: True}


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (b"", RefusalReason.MALFORMED),
        (b"\xff\x00", RefusalReason.MALFORMED),
        (b'{"device": "board-1"', RefusalReason.MALFORMED),
        (b'{"device": "board-1"}', RefusalReason.MALFORMED),
        (encode(command({3: False})).replace(b"false", b'"off"'), RefusalReason.MALFORMED),
        (command({3: False}, seq=-1), RefusalReason.MALFORMED),
        (command({3: False}, epoch=-1), RefusalReason.MALFORMED),
        (command({3: False}, ttl_ms=MAX_TTL_MS + 1), RefusalReason.MALFORMED),
        (command({3: False}, device="board-2"), RefusalReason.FOREIGN),
        (command({3: False}, epoch=0), RefusalReason.FENCED),
        (command({3: False}, seq=8), RefusalReason.DUPLICATE),
        (command({3: False}, seq=7), RefusalReason.REORDERED),
        (command({3: False}, tick_ms=NOW_MS - MAX_TRANSIT_MS - 1), RefusalReason.STALE),
        (command({3: False}, tick_ms=NOW_MS + 1), RefusalReason.STALE),
        (command({3: False}, ttl_ms=0), RefusalReason.EXPIRED),
        (command({3: False, 5: True}), RefusalReason.UNKNOWN_OUTPUT),
        (command({0: False}), RefusalReason.UNKNOWN_OUTPUT),
    ],
)
def test_refused_command_changes_nothing(
    wrong: bytes | BoardCommand, reason: RefusalReason
) -> None:
    """S1-13: malformed or stale command → relays unchanged; no command is half applied."""
    board = booted()
    board.apply(command({4: False}, seq=8), NOW_MS)
    before = board.outputs
    answer = board.apply(wrong, NOW_MS)
    assert reason_of(answer) is reason
    assert isinstance(answer, Refused)
    assert answer.sentence
    assert answer.outputs == board.outputs == before


def test_board_obeys_again_right_after_a_refusal() -> None:
    """S1-13: auto-recovery."""
    board = booted()
    board.apply(b"rubbish", NOW_MS)
    assert isinstance(board.apply(command({3: False}), NOW_MS), Applied)


def test_output_named_twice_is_malformed() -> None:
    both = (OutputState(output=3, on=True), OutputState(output=3, on=False))
    twice = BoardCommand(device="board-1", seq=1, epoch=1, ttl_ms=1, tick_ms=NOW_MS, outputs=both)
    assert reason_of(booted().apply(twice, NOW_MS)) is RefusalReason.MALFORMED


def test_transit_is_bounded_on_both_sides_by_the_echoed_clock() -> None:
    for tick_ms in (NOW_MS, NOW_MS - MAX_TRANSIT_MS):
        assert isinstance(booted().apply(command({3: False}, tick_ms=tick_ms), NOW_MS), Applied)


def test_echo_of_the_clock_before_a_reboot_is_stale() -> None:
    early = command({3: False}, tick_ms=BOOTED_MS - 1)
    assert reason_of(booted().apply(early, BOOTED_MS + 1)) is RefusalReason.STALE


def test_epoch_once_seen_fences_off_lower_ones_even_after_a_reboot() -> None:
    """Even a refused command proves that its issuer has taken over."""
    memory = RamMemory()
    expired = command({3: False}, epoch=7, ttl_ms=0)
    assert reason_of(booted(memory=memory).apply(expired, NOW_MS)) is RefusalReason.EXPIRED
    late = command({3: False}, seq=32, epoch=6)
    assert reason_of(booted(memory=memory).apply(late, NOW_MS)) is RefusalReason.FENCED


def test_higher_epoch_does_not_bring_old_sequence_numbers_back() -> None:
    board = booted()
    board.apply(command({3: False}, seq=16), NOW_MS)
    again = command({3: True}, seq=16, epoch=2)
    assert reason_of(board.apply(again, NOW_MS)) is RefusalReason.DUPLICATE


def test_outputs_that_a_command_does_not_list_are_left_alone() -> None:
    board = booted()
    board.apply(command({2: False}, seq=1), NOW_MS)
    board.apply(command({3: False}, seq=2), NOW_MS)
    assert states(board.outputs) == ALL_ON | {2: False, 3: False}


def test_changed_lists_only_what_really_changed() -> None:
    board = booted()
    board.apply(command({3: False}, seq=1), NOW_MS)
    answer = board.apply(command({1: True, 3: False, 4: False}, seq=2), NOW_MS)
    assert isinstance(answer, Applied)
    assert answer.changed == (4,)


def test_welded_contact_shows_in_the_readback() -> None:
    board = RelayBoard(MODEL, booted_ms=BOOTED_MS, memory=RamMemory(), welded=[3])
    answer = board.apply(command({3: False, 4: False}), NOW_MS)
    assert isinstance(answer, Applied)
    assert answer.changed == (4,)
    assert states(answer.outputs) == ALL_ON | {4: False}


def test_departed_outputs_return_one_by_one_after_the_lease_most_important_first() -> None:
    """Decision 8: staggered, so that a mass restore is no new peak."""
    board = booted()
    board.apply(command({2: False, 3: False, 4: False}, ttl_ms=5_000), NOW_MS)
    returned = returns_of(board, NOW_MS, NOW_MS + 20_000)
    assert list(returned) == [2, 3, 4]
    assert 0 <= returned[2] - (NOW_MS + 5_000) < 2_000  # the offset of this board
    assert (returned[3] - returned[2], returned[4] - returned[3]) == (2_000, 2_000)
    assert states(board.outputs) == ALL_ON


def test_output_is_off_until_the_very_end_of_its_lease() -> None:
    board = booted(MIXED)
    board.apply(command({1: False}, ttl_ms=5_000, device="board-2"), NOW_MS)
    assert board.tick(NOW_MS + 4_999) == ()
    assert board.tick(NOW_MS + 5_000) == (1,)


def test_two_boards_that_lose_their_gateway_together_do_not_return_together() -> None:
    boards = [booted(MODEL.model_copy(update={"id": name})) for name in ("north", "south")]
    for board in boards:
        board.apply(command({3: False}, ttl_ms=5_000, device=board.device), NOW_MS)
    first, second = (returns_of(b, NOW_MS, NOW_MS + 20_000)[3] for b in boards)
    assert first != second


def test_late_ticks_bring_no_mass_restore() -> None:
    board = booted()
    board.apply(command({2: False, 3: False, 4: False}, ttl_ms=5_000), NOW_MS)
    assert [board.tick(NOW_MS + 600_000 + late) for late in (0, 1_999, 2_000, 4_000)] == [
        (2,),
        (),
        (3,),
        (4,),
    ]


def test_output_that_holds_stays_and_one_declared_off_goes_off_when_the_lease_ends() -> None:
    board = booted(MIXED)
    board.apply(command({1: False, 2: True, 3: True}, ttl_ms=1_000, device="board-2"), NOW_MS)
    assert set(board.tick(NOW_MS + 1_000)) == {1, 2}
    assert states(board.outputs) == {1: True, 2: False, 3: True}


def test_renewal_prolongs_the_lease() -> None:
    board = booted(MIXED)
    for step in range(5):
        now_ms = NOW_MS + 900 * step
        renewal = command({1: False}, seq=step, ttl_ms=1_000, tick_ms=now_ms, device="board-2")
        assert isinstance(board.apply(renewal, now_ms), Applied)
        assert board.tick(now_ms + 899) == ()
    assert board.tick(NOW_MS + 3_600 + 1_000) == (1,)


def test_new_command_cancels_returns_that_are_still_pending() -> None:
    board = booted()
    board.apply(command({2: False, 3: False}, seq=1, ttl_ms=5_000), NOW_MS)
    (first,) = returns_of(board, NOW_MS, NOW_MS + 7_000)
    later_ms = NOW_MS + 7_000
    again = command({2: True, 3: False}, seq=2, ttl_ms=60_000, tick_ms=later_ms)
    answer = board.apply(again, later_ms)
    assert first == 2
    assert isinstance(answer, Applied)
    assert answer.changed == ()
    assert returns_of(board, later_ms, later_ms + 60_000, every_ms=100) == {}
    assert states(board.outputs) == ALL_ON | {3: False}


def test_command_for_one_output_does_not_prolong_the_lease_of_another() -> None:
    board = booted()
    board.apply(command({2: False}, seq=1, ttl_ms=5_000), NOW_MS)
    board.apply(command({3: False}, seq=2, ttl_ms=60_000), NOW_MS)
    assert list(returns_of(board, NOW_MS, NOW_MS + 30_000, every_ms=100)) == [2]


def test_return_itself_is_not_a_departure() -> None:
    board = booted(MIXED)
    board.apply(command({1: False}, seq=1, ttl_ms=1_000, device="board-2"), NOW_MS)
    board.apply(command({1: True}, seq=2, ttl_ms=1_000, device="board-2"), NOW_MS)
    assert board.tick(NOW_MS + MAX_TTL_MS) == ()


@dataclass(frozen=True)
class Step:
    """One thing that happens to a board: time passes, then a delivery, a tick or a reboot."""

    wait_ms: int
    deliver: int | None
    reboot: bool = False


def outputs_of_commands() -> st.SearchStrategy[list[dict[int, bool]]]:
    wanted = st.dictionaries(st.integers(1, 4), st.booleans(), min_size=1)
    return st.lists(wanted, min_size=1, max_size=6)


def steps() -> st.SearchStrategy[list[Step]]:
    step = st.builds(
        Step,
        wait_ms=st.integers(0, 4_000),
        deliver=st.none() | st.integers(0, 5),
        reboot=st.integers(0, 9).map(lambda lot: lot == 0),
    )
    return st.lists(step, max_size=40)


@given(wanted=outputs_of_commands(), course=steps())
def test_each_sequence_number_changes_state_at_most_once(
    wanted: list[dict[int, bool]], course: list[Step]
) -> None:
    """However commands are duplicated, reordered and delayed, over any reboots in between.

    The clock starts at 0 with every boot: the worst case, in which old echoes look fresh.
    """
    memory = RamMemory()
    board = booted(memory=memory, booted_ms=0)
    now_ms = 0
    changes = [0] * len(wanted)
    for step in course:
        now_ms += step.wait_ms
        if step.reboot:
            now_ms, board = 0, booted(memory=memory, booted_ms=0)
        board.tick(now_ms)
        if step.deliver is None or step.deliver >= len(wanted):
            continue
        seq = step.deliver
        before = board.outputs
        sent = command(wanted[seq], seq=seq, ttl_ms=3_000, tick_ms=1_000 * seq)
        answer = board.apply(sent, now_ms)
        moved = {old.output for old, new in zip(before, board.outputs, strict=True) if old != new}
        assert moved == (set(answer.changed) if isinstance(answer, Applied) else set())
        changes[seq] += bool(moved)
    assert max(changes) <= 1


@given(wanted=outputs_of_commands(), course=steps())
def test_sequence_numbers_applied_between_reboots_only_rise(
    wanted: list[dict[int, bool]], course: list[Step]
) -> None:
    board = booted(booted_ms=0)
    now_ms = 0
    applied = []
    for step in course:
        now_ms += step.wait_ms
        seq = step.deliver or 0
        sent = command(wanted[seq % len(wanted)], seq=seq, tick_ms=now_ms)
        if isinstance(board.apply(sent, now_ms), Applied):
            applied.append(seq)
    assert applied == sorted(set(applied))


@given(wanted=outputs_of_commands(), waits_ms=st.lists(st.integers(0, 5_000), max_size=60))
def test_returns_keep_their_distance_and_end_in_the_declared_state(
    wanted: list[dict[int, bool]], waits_ms: list[int]
) -> None:
    board = booted()
    for seq, outputs in enumerate(wanted):
        board.apply(command(outputs, seq=seq, ttl_ms=1_000 * (seq + 1)), NOW_MS)
    now_ms = NOW_MS
    returned_ms = []
    for wait_ms in [*waits_ms, *[20_000] * 4]:
        now_ms += wait_ms
        returned_ms += [now_ms for _ in board.tick(now_ms)]
    gaps = [later - earlier for earlier, later in pairwise(returned_ms)]
    assert all(gap >= 2_000 for gap in gaps)
    assert states(board.outputs) == ALL_ON


def test_renewals_that_switch_nothing_wear_no_flash() -> None:
    memory = RamMemory()
    board = booted(memory=memory)
    for seq in range(1_000):
        board.apply(command({3: False}, seq=seq), NOW_MS)
    assert memory.saves == 2  # the epoch, and the one command that switched


def test_file_memory_outlives_the_board(tmp_path: Path) -> None:
    path = tmp_path / "board-1.json"
    booted(memory=FileMemory(path)).apply(command({3: False}), NOW_MS)
    rebooted = booted(memory=FileMemory(path))
    assert reason_of(rebooted.apply(command({3: False}), NOW_MS)) is RefusalReason.DUPLICATE
    assert [entry.name for entry in tmp_path.iterdir()] == ["board-1.json"]


def test_file_memory_starts_empty_and_returns_what_was_saved_last(tmp_path: Path) -> None:
    memory = FileMemory(tmp_path / "board.json")
    assert memory.load() == BoardRecord()
    for record in (BoardRecord(last_seq=1), BoardRecord(last_seq=2, epoch=3, held_on=(4,))):
        memory.save(record)
        assert memory.load() == record


def test_write_that_was_cut_off_leaves_the_last_record(tmp_path: Path) -> None:
    memory = FileMemory(tmp_path / "board.json")
    memory.save(BoardRecord(last_seq=5))
    (tmp_path / "board.json.new").write_bytes(b'{"last_se')
    assert memory.load() == BoardRecord(last_seq=5)


def test_board_does_not_start_with_a_memory_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "board.json"
    path.write_bytes(b'{"last_seq": "many"}')
    with pytest.raises(ConfigurationError, match=r"board\.json cannot be read"):
        booted(memory=FileMemory(path))


def test_command_that_cannot_be_remembered_switches_nothing(tmp_path: Path) -> None:
    board = booted(memory=FileMemory(tmp_path / "absent" / "board.json"))
    before = board.outputs
    with pytest.raises(ConfigurationError, match="cannot be written"):
        board.apply(command({3: False}), NOW_MS)
    assert board.outputs == before
