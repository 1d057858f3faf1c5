"""What of a dead letter is sent again: telemetry, to its site, and nothing that commands."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import ConfigurationError
from schemas.identity import partition_of
from schemas.messages import Decoder, encode
from schemas.telemetry import Reading
from schemas.topics import TELEMETRY, TOPICS
from schemas.windows import LATENESS_MS, WINDOW_MS
from streams.letters.retrying import UNKNOWN_SOURCE, Kept, RetryRules, Sending, fix_of, retry_of
from tests.support.letters import BATCH, ITEM, NOW_MS, READING, retried, stored

RULES = RetryRules(partitions=4)
_READING: Decoder[Reading] = Decoder(Reading)
UNREADY = [spec.name for spec in TOPICS if spec not in TELEMETRY.values()]


def _sent(outcome: Sending | Kept) -> Sending:
    assert isinstance(outcome, Sending), outcome
    return outcome


def _kept(outcome: Sending | Kept) -> str:
    assert isinstance(outcome, Kept), outcome
    return outcome.sentence


@pytest.mark.parametrize(("message", "readings"), [(READING, 1), (BATCH, 2)])
def test_a_whole_record_is_sent_again_as_it_was(message: msgspec.Struct, readings: int) -> None:
    sending = _sent(retry_of(stored(encode(message)), RULES))
    assert (sending.value, sending.topic, sending.readings) == (
        encode(message),
        "telemetry.meter",
        readings,
    )


def test_it_goes_to_the_partition_of_its_site_wherever_it_came_from() -> None:
    """DESIGN decision 1: a record outside its site's partition is dead-lettered."""
    sending = _sent(retry_of(stored(encode(READING), partition=2), RULES))
    assert (sending.key, sending.partition) == ("plant-7", partition_of("plant-7", 4))
    assert sending.partition != 2


def test_a_reading_of_a_batch_is_sent_as_a_reading_of_its_own() -> None:
    sending = _sent(retry_of(stored(encode(ITEM), item=1, source="head-end-1"), RULES))
    assert _READING.decode(sending.value) == READING


def test_a_letter_of_an_older_version_does_not_know_the_source() -> None:
    sending = _sent(retry_of(stored(encode(ITEM), item=1), RULES))
    assert _READING.decode(sending.value).source == UNKNOWN_SOURCE


def test_fields_can_be_fixed_and_newer_ones_are_kept() -> None:
    original = msgspec.json.encode(msgspec.to_builtins(ITEM) | {"unit": "horses", "newer": 1})
    fixes = dict([fix_of("unit=kW"), fix_of("value=7.5")])
    sending = _sent(retry_of(stored(original, item=0), replace(RULES, fixes=fixes)))
    sent = msgspec.json.decode(sending.value)
    assert (sent["unit"], sent["value"], sent["newer"]) == ("kW", 7.5, 1)
    assert sending.fixes == ('unit="kW"', "value=7.5")


@pytest.mark.parametrize("topic", [*UNREADY, "actuator.setpoints.gw-1"])
def test_nothing_but_telemetry_is_sent_again(topic: str) -> None:
    """A stale command is worse than none."""
    kept = _kept(retry_of(stored(encode(READING), origin=topic), replace(RULES, again=True)))
    commands = topic.startswith(("actuator.", "dispatch."))
    assert ("a command that comes late is worse than none" in kept) is commands


def test_a_row_of_a_file_is_not_sent_again() -> None:
    row = stored(b"2024-01-01,abc", origin="telemetry.meter", partition=-1)
    assert "correct the file, and replay it" in _kept(retry_of(row, RULES))


def test_what_was_sent_again_is_not_sent_a_third_time_unless_asked_for() -> None:
    once = replace(stored(encode(READING)), retry=retried())
    assert "ada sent it again at 2023-11-14T22:13:20Z" in _kept(retry_of(once, RULES))
    _sent(retry_of(once, replace(RULES, again=True)))


@pytest.mark.parametrize(
    ("original", "reason"),
    [
        (b"", "Input data was truncated"),
        (b"not json", "malformed"),
        (b"[1]", "Expected `object`"),
        (encode(READING).replace(b"2.5", b'"2.5"'), "$.value"),
        (encode(READING).replace(b'"1.0"', b'"2.0"'), "version 2.0 of Reading cannot be read"),
    ],
)
def test_what_still_cannot_be_read_is_not_sent_again(original: bytes, reason: str) -> None:
    assert reason in _kept(retry_of(stored(original), RULES))


def test_what_align_could_only_count_is_not_sent_unless_asked_for() -> None:
    """DESIGN "Time" 4: a window is final 30 s after its end."""
    final_ms = NOW_MS + WINDOW_MS + LATENESS_MS
    for message in (READING, BATCH):
        letter = stored(encode(message))
        _sent(retry_of(letter, replace(RULES, now_ms=final_ms - 1)))
        late = replace(RULES, now_ms=final_ms)
        assert "its windows are final" in _kept(retry_of(letter, late))
        _sent(retry_of(letter, replace(late, late=True)))


@pytest.mark.parametrize("text", ["", "unit", "=kW"])
def test_what_is_no_fix_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is no FIELD=VALUE"):
        fix_of(text)


@given(
    original=st.binary() | st.text().map(str.encode), item=st.integers(-1, 3), fixed=st.booleans()
)
def test_whatever_a_letter_holds_is_sent_readable_or_kept_with_a_reason(
    original: bytes, item: int, *, fixed: bool
) -> None:
    rules = replace(RULES, now_ms=NOW_MS, fixes={"unit": "kW"} if fixed else {})
    match retry_of(stored(original, item=item), rules):
        case Sending(value=value):
            assert value
        case Kept(sentence=sentence):
            assert sentence
