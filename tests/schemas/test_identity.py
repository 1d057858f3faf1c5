"""Identities that anybody can recompute: partitions, decisions, sequence numbers, events."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identity import (
    SEQ_PER_WINDOW,
    decision_id,
    parse_decision_id,
    partition_of,
    reading_id,
    setpoint_seq,
)
from schemas.windows import WINDOW_MS

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)
HASHES = st.text("0123456789abcdef", min_size=64, max_size=64)
WINDOWS_MS = st.integers(0, 2**35).map(lambda index: index * WINDOW_MS)
OVERRIDES = st.integers(0, SEQ_PER_WINDOW - 1)


def test_a_partition_is_the_crc_32_of_the_site() -> None:
    """DESIGN decision 1: librdkafka's default partitioner; CRC-32's published check value."""
    assert partition_of("123456789", 2**32) == 0xCBF4_3926


@given(NAMES, st.integers(1, 10_000))
def test_a_site_lives_in_one_partition_that_exists(site: str, partitions: int) -> None:
    """DESIGN decision 1: one site lives in one partition."""
    assert partition_of(site, partitions) in range(partitions)


@given(NAMES, WINDOWS_MS, HASHES)
def test_a_decision_id_names_its_site_window_and_model(
    site: str, start_ms: int, model_hash: str
) -> None:
    """DESIGN decision 7: the id derives from (site, window, model hash)."""
    identity = decision_id(site, start_ms, model_hash)
    assert parse_decision_id(identity) == (site, start_ms, model_hash[:8])


@given(NAMES, WINDOWS_MS, HASHES, st.integers(0, WINDOW_MS - 1))
def test_a_window_has_one_decision_id(
    site: str, start_ms: int, model_hash: str, within_ms: int
) -> None:
    """DESIGN decision 7: reprocessing reproduces, it does not add."""
    one = decision_id(site, start_ms, model_hash)
    assert decision_id(site, start_ms + within_ms, model_hash) == one
    assert decision_id(site, start_ms + WINDOW_MS, model_hash) != one


@pytest.mark.parametrize("text", ["", "depot", "depot.340000000", "depot.soon.5f1d0c9e"])
def test_a_text_that_is_no_decision_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|invalid literal"):
        parse_decision_id(text)


@given(WINDOWS_MS)
def test_a_plan_has_sixteen_times_its_window_index(start_ms: int) -> None:
    """DESIGN decision 7: seq = 16 x window index + n, and a plan's n is 0."""
    assert setpoint_seq(start_ms) == 16 * (start_ms // 5_000)


@given(WINDOWS_MS)
def test_sequence_numbers_rise_within_a_window_and_into_the_next(start_ms: int) -> None:
    """DESIGN decision 7: overrides count up, and none reaches the next window's plan."""
    numbers = [setpoint_seq(start_ms, override) for override in range(SEQ_PER_WINDOW)]
    numbers.append(setpoint_seq(start_ms + WINDOW_MS))
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))


@given(WINDOWS_MS, WINDOWS_MS, OVERRIDES, OVERRIDES)
def test_sequence_numbers_are_in_the_order_of_time(
    start_ms: int, other_ms: int, override: int, other: int
) -> None:
    """DESIGN decision 7: one writer per device, one order."""
    in_time = (start_ms, override) < (other_ms, other)
    assert (setpoint_seq(start_ms, override) < setpoint_seq(other_ms, other)) == in_time


@pytest.mark.parametrize("override", [-1, 16])
def test_an_override_that_has_no_number_in_its_window_is_refused(override: int) -> None:
    with pytest.raises(ValueError, match=r"is not within 0\.\.15"):
        setpoint_seq(0, override)


@given(st.lists(st.tuples(NAMES, NAMES, NAMES, WINDOWS_MS), min_size=2, max_size=2))
def test_readings_have_the_same_event_id_only_where_they_are_the_same(
    readings: list[tuple[str, str, str, int]],
) -> None:
    """DESIGN "Time" 7: sent again, a reading is a duplicate."""
    one, other = readings
    assert (reading_id(*one) == reading_id(*other)) == (one == other)
