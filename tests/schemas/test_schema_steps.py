"""A message that changes without a version step fails here. DESIGN decision 4."""

import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from jsonschema import Draft202012Validator

from schemas.dead_letter import DeadLetter
from schemas.messages import Message
from schemas.site_model import SiteModel
from schemas.versions import parse_version
from streams.reference_docs.json_schemas import JsonObject, wire_name
from streams.schema_steps.comparing import Step, changes, next_version
from streams.schema_steps.recording import (
    FOLDER,
    problems,
    problems_of,
    record,
    recorded_structure,
    recorded_versions,
)
from streams.schema_steps.structure import structure_of
from tests.support.golden_messages import CASES, MESSAGES, golden_bytes

ROOT = Path(__file__).resolve().parents[2]
RECORDED = [(kind, v) for kind in MESSAGES for v in recorded_versions(CASES, kind)]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    on: bool = True


class Pair(msgspec.Struct, frozen=True, array_like=True):
    first: int
    second: str = ""


class Base(Message, frozen=True, kw_only=True):
    name: str
    code: Literal["a", "b"] = "a"
    part: Part = Part()
    pairs: tuple[Pair, ...] = ()
    load_kw: float | None = None


Fields = dict[str, tuple[Any, ...] | None]


def _changed(fields: Fields) -> JsonObject:
    """The structure of ``Base`` with other fields; None takes one away."""
    own = {f.name: (f.name, f.type, f.default)[: 2 + (not f.required)] for f in FIELDS}
    wanted = own | {name: field and (name, *field) for name, field in fields.items()}
    parts: list[Any] = [field for field in wanted.values() if field is not None]
    return structure_of(msgspec.defstruct("Base", parts, kw_only=True))


FIELDS = msgspec.structs.fields(Base)


class WiderPart(msgspec.Struct, frozen=True, kw_only=True):
    on: bool = True
    since_ms: int | None = None


class LongerPair(msgspec.Struct, frozen=True, array_like=True):
    first: int
    second: str = ""
    third: int = 0


class SwappedPair(msgspec.Struct, frozen=True, array_like=True):
    second: str
    first: int = 0


PLANTED: list[tuple[Fields, str, Step]] = [
    ({}, "", Step.NONE),
    ({"note": (str, "")}, "$.note: is new and may be absent", Step.MINOR),
    ({"part": (WiderPart, WiderPart())}, "$.part.since_ms: is new and may", Step.MINOR),
    ({"pairs": (tuple[LongerPair, ...], ())}, "$.pairs[]: has 3 elements, not 2", Step.MINOR),
    ({"note": (str,)}, "$.note: is new and required", Step.MAJOR),
    ({"code": None}, "$.code: is gone", Step.MAJOR),
    ({"name": (str, "")}, "$.name: has become optional", Step.MAJOR),
    ({"code": (Literal["a", "b"],)}, "$.code: has become required", Step.MAJOR),
    ({"code": (Literal["a", "b"], "b")}, "$.code: default was 'a', now it is 'b'", Step.MAJOR),
    ({"code": (Literal["a", "b", "c"], "a")}, "$.code: enum was", Step.MAJOR),
    ({"name": (int,)}, "$.name: type was 'string', now it is 'integer'", Step.MAJOR),
    ({"name": (str | None,)}, "$.name: anyOf was 'absent'", Step.MAJOR),
    ({"load_kw": (int | None, None)}, "$.load_kw: type was 'number'", Step.MAJOR),
    ({"pairs": (tuple[SwappedPair, ...], ())}, "$.pairs[][0]: ", Step.MAJOR),
    (
        {"name": (Annotated[str, msgspec.Meta(max_length=9)],)},
        "$.name: maxLength was 'absent', now it is 9",
        Step.MAJOR,
    ),
]
"""Changes of ``Base``: fields that differ, what is said of it, the step that it needs."""


def test_every_message_has_the_version_of_what_it_looks_like_on_the_wire() -> None:
    """Change a message, and this fails until its version has made a step and is recorded."""
    assert not list(problems(CASES))


@pytest.mark.parametrize(("fields", "sentence", "step"), PLANTED)
def test_a_change_needs_its_step(fields: Fields, sentence: str, step: Step) -> None:
    found = list(changes(structure_of(Base), _changed(fields)))
    assert max((change.step for change in found), default=Step.NONE) is step
    assert any(sentence in str(change) for change in found) or step is Step.NONE


def test_words_and_names_of_parts_are_not_on_the_wire() -> None:
    class Renamed(msgspec.Struct, frozen=True, kw_only=True):
        """Another name and other words, the same wire."""

        on: bool = True

    assert _changed({"part": (Renamed, Renamed())}) == structure_of(Base)


@pytest.mark.parametrize("kind", MESSAGES)
def test_every_recorded_step_was_as_wide_as_it_had_to_be(kind: type) -> None:
    """No recorded version was changed afterwards so that it would not be allowed now."""
    versions = recorded_versions(CASES, kind)
    assert versions[0] == "1.0"
    for before, after in pairwise(versions):
        old, new = (recorded_structure(CASES, kind, each) for each in (before, after))
        least = max((change.step for change in changes(old, new)), default=Step.NONE)
        steps = [step for step in (Step.MINOR, Step.MAJOR) if step >= least]
        assert after in {next_version(before, step) for step in steps}


@pytest.mark.parametrize(("kind", "version"), RECORDED)
def test_an_example_fits_the_structure_of_its_version(kind: type, version: str) -> None:
    value = json.loads(golden_bytes(kind, version))
    value.pop("schema_version", None)
    structure = recorded_structure(CASES, kind, version)
    Draft202012Validator(structure).validate(value)
    assert value.keys() == structure["properties"].keys()


@pytest.mark.parametrize(("kind", "version"), RECORDED)
def test_a_program_of_an_older_version_reads_what_is_written_now(kind: type, version: str) -> None:
    """DESIGN decision 4: within a major version, readers need not be upgraded first."""
    now = json.loads(golden_bytes(kind))
    now.pop("schema_version", None)
    structure = recorded_structure(CASES, kind, version)
    if kind is not SiteModel:  # which refuses the keys that it does not know
        Draft202012Validator(structure).validate(now)


def _case_folder(tmp_path: Path, kind: type) -> Path:
    """A folder with what is recorded of one message."""
    name = wire_name(kind)
    shutil.copytree(CASES / name, tmp_path / FOLDER / name)
    return tmp_path / FOLDER


def test_a_change_without_a_step_is_told_with_the_version_that_it_needs(tmp_path: Path) -> None:
    folder = _case_folder(tmp_path, DeadLetter)
    path = folder / "dead_letter" / "1.1" / "structure.json"
    older = json.loads(path.read_bytes())
    del older["properties"]["source"]
    path.write_text(json.dumps(older))
    (problem,) = problems_of(folder, DeadLetter)
    assert "still says version 1.1; this is a minor step: give it version 1.2" in problem
    assert "$.source: is new and may be absent" in problem


def test_a_step_that_is_too_small_is_told_and_not_recorded(tmp_path: Path) -> None:
    folder = _case_folder(tmp_path, DeadLetter)
    shutil.rmtree(folder / "dead_letter" / "1.1")
    path = folder / "dead_letter" / "1.0" / "structure.json"
    older = json.loads(path.read_bytes())
    older["properties"]["partition"]["type"] = "string"
    path.write_text(json.dumps(older))
    written = list(record(folder))
    assert not [line for line in written if "dead_letter" in line]
    assert "steps from 1.0 to 1.1; it has to be 2.0" in next(problems_of(folder, DeadLetter))


def test_a_step_is_recorded_with_an_example_of_the_version_before(tmp_path: Path) -> None:
    shutil.copytree(CASES, tmp_path / FOLDER)
    shutil.rmtree(tmp_path / FOLDER / "dead_letter" / "1.1")
    assert list(problems_of(tmp_path / FOLDER, DeadLetter))
    done = subprocess.run(
        [sys.executable, "-m", "streams.schema_steps"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "let it show what is new" in done.stdout
    example = json.loads((tmp_path / FOLDER / "dead_letter" / "1.1" / "input.json").read_bytes())
    assert (example["schema_version"], example["source"]) == ("1.1", "")


@pytest.mark.parametrize(
    ("step", "version"), [(Step.NONE, "1.9"), (Step.MINOR, "1.10"), (Step.MAJOR, "2.0")]
)
def test_a_step_raises_one_number(step: Step, version: str) -> None:
    assert next_version("1.9", step) == version
    assert parse_version("1.10") > parse_version("1.9")
