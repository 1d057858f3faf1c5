"""How the log changes what is known of a device."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.dispatch_plan import OutputState
from schemas.setpoint import Ack, AckResult
from streams.devices.view import TRUST_MS, Place, Report, Row, with_ack, with_report

T0 = 1_700_000_000_000
WALL = 1_800_000_000_000


def place(offset: int, logged_ms: int | None = None) -> Place:
    return Place(offset=offset, logged_ms=WALL + offset if logged_ms is None else logged_ms)


def report(*states: tuple[int, bool, int]) -> Report:
    return Report(site="north", device="b1", states=states)


def ack(
    seq: int, result: AckResult = AckResult.APPLIED, *, at_ms: int = T0, on: bool = True
) -> Ack:
    return Ack(
        event_id=str(seq),
        decision_id=f"north.{seq}.0a1b2c3d",
        site="north",
        gateway="g1",
        device="b1",
        seq=seq,
        epoch=1,
        result=result,
        outputs=(OutputState(output=1, on=on),),
        acked_ms=at_ms,
    )


def lamps(row: Row) -> dict[int, bool]:
    return {lamp.output: lamp.on for lamp in row.view.outputs}


def test_an_output_that_nobody_told_of_has_no_lamp() -> None:
    row = with_report(None, report((2, True, T0)), place(0))
    assert lamps(row) == {2: True}
    assert row.view.ack is None


def test_a_lamp_follows_the_later_observation_whichever_topic_it_came_by() -> None:
    row = with_report(None, report((1, True, T0)), place(0))
    row = with_ack(row, ack(1, at_ms=T0 + 100, on=False), place(0))
    assert lamps(row) == {1: False}
    stale = with_report(row, report((1, True, T0 + 50)), place(1))
    assert lamps(stale) == {1: False}
    fresh = with_report(stale, report((1, True, T0 + 200)), place(2))
    assert lamps(fresh) == {1: True}


def test_the_last_of_several_states_in_one_record_counts() -> None:
    row = with_report(None, report((1, True, T0 + 5), (1, False, T0)), place(0))
    assert lamps(row) == {1: True}
    assert row.view.telemetry_ms == T0 + 5


def test_a_clock_that_ran_into_the_future_does_not_freeze_a_lamp() -> None:
    row = with_report(None, report((1, True, 2 * T0)), place(0, WALL))
    soon = with_report(row, report((1, False, T0)), place(1, WALL + TRUST_MS))
    assert lamps(soon) == {1: True}
    later = with_report(soon, report((1, False, T0)), place(2, WALL + TRUST_MS + 1))
    assert lamps(later) == {1: False}


def test_answers_are_counted_by_result_and_the_last_one_is_kept() -> None:
    row = None
    results = (AckResult.APPLIED, AckResult.PARTIAL, AckResult.REFUSED, AckResult.REFUSED)
    for offset, result in enumerate(results):
        row = with_ack(row, ack(offset, result), place(offset))
    assert row
    assert (row.view.applied, row.view.partial, row.view.refused) == (1, 1, 2)
    assert row.view.ack
    assert (row.view.ack.seq, row.view.ack.decision_id) == (3, "north.3.0a1b2c3d")


def test_a_topic_that_was_made_anew_counts_from_its_first_record() -> None:
    row = with_ack(None, ack(1), place(900, WALL))
    row = with_ack(row, ack(2), place(0, WALL + 60_000))
    assert row.view.applied == 2


@given(
    results=st.lists(st.sampled_from(AckResult), min_size=1, max_size=12),
    back=st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4),
)
def test_a_record_that_is_read_again_counts_once(
    results: list[AckResult], back: list[tuple[int, int]]
) -> None:
    """A crash sets the reading back to what was committed, not to what was written."""
    straight: Row | None = None
    for offset, result in enumerate(results):
        straight = with_ack(straight, ack(offset, result), place(offset))
    row: Row | None = None
    read = [range(start, min(end, len(results))) for start, end in sorted(back) if start <= end]
    reached = 0
    for again in (*read, range(len(results))):
        for offset in range(min(again.start, reached), again.stop):
            row = with_ack(row, ack(offset, results[offset]), place(offset))
            reached = max(reached, offset + 1)
    assert row == straight
