"""The contract of the wire: every version of every message is read, the present one written.

DESIGN decision 4: messages are JSON on the wire with a schema version; golden files hold that.
"""

import json
from functools import reduce
from operator import or_

import msgspec
import pytest

from schemas.errors import ConfigurationError, MessageError
from schemas.messages import Decoder, Message, encode
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import MeterWindows
from schemas.telemetry import Batch
from schemas.topics import ALIGN_STATE, TOPICS, TopicSpec
from schemas.versions import version_of
from tests.support.golden_messages import (
    CASES,
    MESSAGES,
    STRUCTS,
    folder_of,
    golden,
    golden_bytes,
    golden_value,
    versions_of,
)

Struct = type[msgspec.Struct]
REQUIRED = [
    (kind, field.encode_name)
    for kind in STRUCTS
    for field in msgspec.structs.fields(kind)
    if field.required
]
EARLIER = [
    (kind, version)
    for kind in STRUCTS
    for version in versions_of(kind)
    if version != version_of(kind)
]
MIXED_TOPICS = [spec for spec in TOPICS if len(spec.messages) > 1 and spec is not ALIGN_STATE]
"""Topics with several kinds of message; in ``align.state`` it is the key that tells them apart."""

REQUIRED_OF_SITE = [name for name, field in SiteModel.model_fields.items() if field.is_required()]


def _wire_names(kind: Struct) -> set[str]:
    """Keys of a message's JSON object, its tag included."""
    tag = kind.__struct_config__.tag_field
    names = {field.encode_name for field in msgspec.structs.fields(kind)}
    return names if tag is None else names | {tag}


def _with_newer_field(value: object) -> object:
    """A JSON object with one more field, and one more in every object that it lists."""
    if not isinstance(value, dict):
        return value
    parts = {
        key: [_with_newer_field(item) for item in part] if isinstance(part, list) else part
        for key, part in value.items()
    }
    return parts | {"a_newer_field": {"of": ["a later", None]}}


def _as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def test_every_message_of_the_topic_map_has_its_example() -> None:
    """DESIGN decision 4: golden files; and no folder is there for nothing."""
    folders = {path for path in CASES.iterdir() if path.is_dir()}
    assert folders == {folder_of(kind) for kind in MESSAGES}
    for kind in MESSAGES:
        names = {path.name for path in folder_of(kind).iterdir()}
        assert names == {"README.md", *versions_of(kind)}
        for version in versions_of(kind):
            files = {path.name for path in (folder_of(kind) / version).iterdir()}
            assert files == {"input.json", "structure.json"}


@pytest.mark.parametrize("kind", STRUCTS)
def test_the_present_example_writes_out_every_field(kind: Struct) -> None:
    """Whoever renames or drops a field, one with a default too, changes the wire."""
    assert golden_value(kind)["schema_version"] == version_of(kind)
    assert golden_value(kind).keys() == _wire_names(kind)


@pytest.mark.parametrize(("kind", "version"), EARLIER)
def test_an_earlier_version_is_read_as_the_present_one(kind: Struct, version: str) -> None:
    """DESIGN decision 4: a consumer reads the previous schema version."""
    assert json.loads(golden_bytes(kind, version))["schema_version"] == version
    decoder: Decoder[Message] = Decoder(kind)
    read = decoder.decode(golden_bytes(kind, version))
    assert read.schema_version == version_of(kind)
    assert decoder.decode(encode(read)) == read


@pytest.mark.parametrize("kind", STRUCTS)
def test_an_example_is_written_again_as_it_was_read(kind: Struct) -> None:
    assert json.loads(encode(golden(kind))) == golden_value(kind)


def test_the_example_of_a_site_model_is_written_again_as_it_was_read() -> None:
    model = parse_site_model(golden_value(SiteModel), "example")
    assert json.loads(model.model_dump_json()) == golden_value(SiteModel)
    assert golden_value(SiteModel).keys() == SiteModel.model_fields.keys()


@pytest.mark.parametrize("kind", STRUCTS)
def test_newer_fields_that_this_version_does_not_know_are_passed_over(kind: Struct) -> None:
    newer = _as_json(_with_newer_field(golden_value(kind)))
    assert b"a_newer_field" in newer
    decoder: Decoder[msgspec.Struct] = Decoder(kind)
    assert decoder.decode(newer) == golden(kind)


def test_a_newer_element_of_a_record_that_is_an_array_is_passed_over() -> None:
    value = golden_value(MeterWindows)
    value["series"][0].append("a newer element")
    decoder: Decoder[MeterWindows] = Decoder(MeterWindows)
    assert decoder.decode(_as_json(value)) == golden(MeterWindows)


@pytest.mark.parametrize(("kind", "name"), REQUIRED)
def test_a_missing_required_field_is_named(kind: Struct, name: str) -> None:
    """D-3: a malformed record is refused with its reason."""
    value = golden_value(kind)
    del value[name]
    decoder: Decoder[msgspec.Struct] = Decoder(kind)
    with pytest.raises(MessageError, match=f"no {kind.__name__}") as caught:
        decoder.decode(_as_json(value))
    assert caught.value.problems == (f"Object missing required field `{name}`",)


def test_a_field_that_is_missing_in_a_part_is_named_with_its_place() -> None:
    value = golden_value(Batch)
    del value["readings"][1]["unit"]
    decoder: Decoder[Batch] = Decoder(Batch)
    with pytest.raises(MessageError, match=r"`unit` - at `\$\.readings\[1\]`"):
        decoder.decode(_as_json(value))


@pytest.mark.parametrize("name", REQUIRED_OF_SITE)
def test_a_missing_required_key_of_a_site_model_is_named(name: str) -> None:
    value = golden_value(SiteModel)
    del value[name]
    with pytest.raises(ConfigurationError) as caught:
        parse_site_model(value, "example")
    assert [problem.split(":")[0] for problem in caught.value.problems] == [name]


@pytest.mark.parametrize("spec", MIXED_TOPICS, ids=lambda spec: str(spec.name))
def test_the_messages_of_one_topic_are_told_apart(spec: TopicSpec) -> None:
    """D-3; DESIGN decision 4: a batch message is part of the schema from the start."""
    decoder: Decoder[msgspec.Struct] = Decoder(reduce(or_, spec.messages))
    for kind in spec.messages:
        assert type(decoder.decode(golden_bytes(kind))) is kind
