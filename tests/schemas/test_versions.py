"""DESIGN decision 4: newer minor versions are read, others refused, both named."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.dead_letter import DeadLetter
from schemas.errors import ConfigurationError, MessageError
from schemas.messages import Decoder, encode
from schemas.setpoint import BoardCommand
from schemas.site_model import SiteModel, parse_site_model
from schemas.telemetry import Batch, RawBatch, Reading, TelemetryMessage
from schemas.verdict import Accepted, Verdict
from schemas.versions import parse_version, version_of, version_problem
from tests.support.golden_messages import STRUCTS, golden, golden_value

Struct = type[msgspec.Struct]


def _bytes(kind: type, **changes: object) -> bytes:
    return json.dumps(golden_value(kind) | changes).encode()


def _problems(kind: object, value: bytes) -> tuple[str, ...]:
    decoder: Decoder[msgspec.Struct] = Decoder(kind)
    with pytest.raises(MessageError) as caught:
        decoder.decode(value)
    return caught.value.problems


@pytest.mark.parametrize("kind", STRUCTS)
def test_a_newer_minor_version_is_read_as_the_present_one(kind: Struct) -> None:
    major, minor = parse_version(str(version_of(kind)))
    newer = _bytes(kind, schema_version=f"{major}.{minor + 7}", a_newer_field=[1, {"of": "it"}])
    decoder: Decoder[msgspec.Struct] = Decoder(kind)
    assert decoder.decode(newer) == golden(kind)


@pytest.mark.parametrize("kind", STRUCTS)
def test_a_newer_major_version_is_refused_and_both_versions_are_named(kind: Struct) -> None:
    own = version_of(kind)
    (problem,) = _problems(kind, _bytes(kind, schema_version="7.3"))
    assert problem == (
        f"schema_version: version 7.3 of {kind.__name__} cannot be read here; this program has"
        f" version {own}, and reads every 1.x"
    )


def test_a_newer_major_version_that_looks_otherwise_is_refused_for_its_version_first() -> None:
    problems = _problems(Reading, _bytes(Reading, schema_version="2.0", value={"kw": 12.5}))
    assert problems[0].startswith("schema_version: version 2.0 of Reading cannot be read here")
    assert "$.value" in problems[1]


def test_a_newer_minor_version_that_cannot_be_read_is_named_beside_the_reason() -> None:
    """A code that this program does not know yet: nobody adds one in a minor step."""
    value = _bytes(Accepted, schema_version="1.9", outcome="postponed")
    first, second = _problems(Verdict, value)
    assert first == "schema_version: it was written as version 1.9; this program has 1.0"
    assert "postponed" in second


@pytest.mark.parametrize(
    "version", ["", "1", "1.0.0", "v1.0", "1.-1", "01.0", "\uff11.0", "9" * 99]
)
def test_what_is_no_version_is_refused(version: str) -> None:
    (problem,) = _problems(Reading, _bytes(Reading, schema_version=version))
    assert problem == f"schema_version: {version[:40]!r} is no version such as 1.0"


def test_a_message_that_states_no_version_is_of_the_present_one() -> None:
    value = golden_value(Reading)
    del value["schema_version"]
    decoder: Decoder[TelemetryMessage] = Decoder(TelemetryMessage)
    assert decoder.decode(json.dumps(value).encode()) == golden(Reading)


def test_an_older_letter_is_written_on_as_the_present_version() -> None:
    """What is written states the version of its fields, whatever it was read from."""
    value = golden_value(DeadLetter) | {"schema_version": "1.0"}
    del value["source"]
    decoder: Decoder[DeadLetter] = Decoder(DeadLetter)
    read = decoder.decode(json.dumps(value).encode())
    assert (read.source, json.loads(encode(read))["schema_version"]) == ("", "1.1")


def test_a_part_of_a_message_has_no_version() -> None:
    assert version_of(BoardCommand) is None
    assert _problems(BoardCommand, b'{"schema_version":"9.0"}') == (
        "Object missing required field `device`",
    )


def test_the_raw_view_of_a_batch_has_the_version_of_the_batch() -> None:
    assert version_of(RawBatch) == version_of(Batch)


def test_a_site_model_with_an_unknown_key_is_refused_with_the_version_that_is_known() -> None:
    """A key that is passed over could be the one that says what is never shed."""
    with pytest.raises(ConfigurationError, match="a_newer_key") as caught:
        parse_site_model(golden_value(SiteModel) | {"a_newer_key": 1}, "a record")
    assert caught.value.hint == "this program has version 1.0 of site models"


@given(st.integers(0, 999_999), st.integers(0, 999_999), st.integers(0, 999_999))
def test_a_version_is_read_exactly_if_its_major_number_is_known(own: int, a: int, b: int) -> None:
    problem = version_problem("It", f"{own}.0", f"{a}.{b}")
    assert (problem is None) is (own == a)
