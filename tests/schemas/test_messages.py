"""Encoding and decoding: what is not a message is refused with its reason, whatever it is."""

import json

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.control import GlobalStop
from schemas.errors import MessageError
from schemas.messages import Decoder, encode
from schemas.telemetry import Batch, Reading, TelemetryMessage
from schemas.verdict import Verdict
from tests.support.golden_messages import golden, golden_value

TELEMETRY: Decoder[TelemetryMessage] = Decoder(TelemetryMessage)
STOP: Decoder[GlobalStop] = Decoder(GlobalStop)


def _reading(**changes: object) -> bytes:
    return json.dumps(golden_value(Reading) | changes).encode()


@given(st.binary())
@example(b"")
@example(b"\xff")
@example(b"null")
@example(b"[]")
@example(b'{"type":"reading","site":"\xff\xfe"}')
@example(b'{"type":"reading","site":"\\ud800"}')
@example(b'{"type":"reading","newer":' + b"[" * 100_000)
@example(b'{"type":"batch","site":"a","source":"b","readings":' + b"[" * 100_000)
def test_bytes_that_are_no_message_are_refused_with_a_reason(value: bytes) -> None:
    """D-3: a malformed record goes to the dead letters, and the pipeline goes on."""
    with pytest.raises(MessageError, match="no Reading or Batch") as caught:
        TELEMETRY.decode(value)
    assert caught.value.problems


def test_a_record_without_a_value_is_no_message() -> None:
    with pytest.raises(MessageError, match="no GlobalStop"):
        STOP.decode(None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"value": "12"}, "Expected `float`, got `str` - at `$.value`"),
        ({"value": None}, "Expected `float`, got `null` - at `$.value`"),
        ({"event_time_ms": 1.5}, "Expected `int`, got `float` - at `$.event_time_ms`"),
        ({"site": 7}, "Expected `str`, got `int` - at `$.site`"),
        ({"type": "readings"}, "Invalid value 'readings' - at `$.type`"),
    ],
)
def test_a_field_of_the_wrong_type_is_named(changes: dict[str, object], problem: str) -> None:
    """D-3: dead-lettered with the reason."""
    with pytest.raises(MessageError) as caught:
        TELEMETRY.decode(_reading(**changes))
    assert caught.value.problems == (problem,)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_is_refused(value: str) -> None:
    text = _reading().replace(b"-12500.5", value.encode())
    with pytest.raises(MessageError):
        TELEMETRY.decode(text)


def test_a_refusal_names_the_kinds_that_were_expected() -> None:
    decoder: Decoder[Verdict] = Decoder(Verdict)
    with pytest.raises(MessageError) as caught:
        decoder.decode(b"{}")
    assert caught.value.message == "this is no Accepted or Renewed or Observed or Rejected"


def test_a_message_cannot_be_changed() -> None:
    batch = golden(Batch)
    with pytest.raises(AttributeError, match="immutable"):
        batch.site = "another"  # type: ignore[misc]


def test_a_message_is_built_from_named_fields_only() -> None:
    with pytest.raises(TypeError, match="positional"):
        GlobalStop(*msgspec.structs.astuple(golden(GlobalStop)))  # type: ignore[call-arg]


NAMES = st.text()
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(NAMES, NAMES, FINITE, st.integers(-(2**63), 2**63 - 1))
def test_any_reading_is_read_back_as_it_was_written(
    site: str, device: str, value: float, event_time_ms: int
) -> None:
    reading = msgspec.structs.replace(
        golden(Reading), site=site, device=device, value=value, event_time_ms=event_time_ms
    )
    assert TELEMETRY.decode(encode(reading)) == reading
