"""The JSON Schemas say of a message what its own decoder says. DESIGN decision 4."""

import json
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from schemas.errors import MessageError
from schemas.messages import Decoder
from schemas.site_model import SiteModel
from schemas.site_window import MeterWindows, SiteWindow
from schemas.telemetry import Batch, Reading
from schemas.verdict import Rejected
from streams.reference_docs.json_schemas import json_schema, schema_id
from tests.support.golden_messages import MESSAGES, STRUCTS, golden_value

REQUIRED = [
    (kind, name) for kind in MESSAGES for name in json_schema(kind)["required"] if name != "type"
]
WRONG: list[tuple[type, str, object]] = [
    (Reading, "value", "12.5"),
    (Reading, "value", None),
    (Reading, "type", "batch"),
    (Reading, "event_time_ms", 1.5),
    (Batch, "readings", {}),
    (Batch, "readings", [{"event_id": "1"}]),
    (SiteWindow, "completeness", "whole"),
    (SiteWindow, "weather", {"air_temperature": "warm"}),
    (MeterWindows, "series", [["meter-1"]]),
    (Rejected, "refusals", ["bad-mood"]),
    (SiteModel, "capacity_kw", -1),
    (SiteModel, "name", "two words"),
    (SiteModel, "a_newer_field", 1),
]
"""Planted errors: message, field, value."""


def _problems(kind: type, value: object) -> list[str]:
    validator = Draft202012Validator(json_schema(kind))
    return [error.json_path for error in validator.iter_errors(value)]


@pytest.mark.parametrize("kind", MESSAGES)
def test_a_schema_is_valid_itself_and_has_a_name_of_its_own(kind: type) -> None:
    schema = json_schema(kind)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == schema_id(kind)
    assert schema["title"] == kind.__name__
    assert schema["description"]


def test_no_two_schemas_have_one_identifier() -> None:
    assert len({schema_id(kind) for kind in MESSAGES}) == len(MESSAGES)


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_example_fits_its_schema(kind: type) -> None:
    assert _problems(kind, golden_value(kind)) == []


@pytest.mark.parametrize("kind", STRUCTS)
def test_a_schema_knows_every_field_and_passes_over_newer_ones(kind: type[msgspec.Struct]) -> None:
    value = golden_value(kind)
    assert json_schema(kind)["properties"].keys() == value.keys()
    assert _problems(kind, value | {"a_newer_field": [1]}) == []


@pytest.mark.parametrize(("kind", "name"), REQUIRED)
def test_a_message_without_a_required_field_does_not_fit(kind: type, name: str) -> None:
    value = golden_value(kind)
    del value[name]
    assert _problems(kind, value) == ["$"]


@pytest.mark.parametrize(("kind", "name", "value"), WRONG)
def test_a_planted_error_does_not_fit(kind: type, name: str, value: object) -> None:
    wrong = golden_value(kind) | {name: value}
    assert _problems(kind, wrong)


@pytest.mark.parametrize(
    ("kind", "name", "value"), [case for case in WRONG if case[0] is not SiteModel]
)
def test_the_decoder_refuses_what_does_not_fit(kind: type, name: str, value: object) -> None:
    decoder: Decoder[Any] = Decoder(kind)
    with pytest.raises(MessageError):
        decoder.decode(json.dumps(golden_value(kind) | {name: value}).encode())


def test_a_field_is_described_with_its_unit() -> None:
    window = json_schema(SiteWindow)
    described = {name: field.get("description") for name, field in window["properties"].items()}
    assert described["missing_rated_kw"].endswith("[kW].")
    assert json_schema(Rejected)["properties"]["window_start_ms"]["description"] == "[ms]"
    assert "- `m`" not in window["$defs"]["Completeness"]["description"]
    assert "- `stale`: Its window ended" in json_schema(Rejected)["$defs"]["Refusal"]["description"]


def test_what_is_no_message_has_no_schema() -> None:
    with pytest.raises(TypeError, match="int is no message"):
        json_schema(int)
