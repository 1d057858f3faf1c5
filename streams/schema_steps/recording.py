"""The recorded versions of every message: folders with a structure and an example."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from schemas.errors import MessageError
from schemas.messages import Decoder, encode
from schemas.versions import FIRST_VERSION, parse_version, version_of
from streams.reference_docs.json_schemas import MESSAGES, JsonObject, wire_name
from streams.schema_steps.comparing import Change, Step, changes, next_version
from streams.schema_steps.structure import structure_of

FOLDER: Final = Path("tests/cases/messages")
STRUCTURE_FILE: Final = "structure.json"
EXAMPLE_FILE: Final = "input.json"
_COMMAND: Final = "`python -m streams.schema_steps`"


def recorded_versions(folder: Path, kind: type) -> list[str]:
    """The recorded versions of a message, oldest first."""
    place = folder / wire_name(kind)
    names = [path.parent.name for path in place.glob(f"*/{STRUCTURE_FILE}")]
    return sorted(names, key=parse_version)


def recorded_structure(folder: Path, kind: type, version: str) -> JsonObject:
    """What a version of a message looks like on the wire."""
    path = folder / wire_name(kind) / version / STRUCTURE_FILE
    structure: JsonObject = json.loads(path.read_bytes())
    return structure


def problems(folder: Path) -> Iterator[str]:
    """Everything in which code and record do not fit together; nothing where they do."""
    for kind in MESSAGES:
        yield from problems_of(folder, kind)


def problems_of(folder: Path, kind: type) -> Iterator[str]:
    """The same of one message."""
    version, versions = str(version_of(kind)), recorded_versions(folder, kind)
    if version not in versions:
        yield from step_problems(folder, kind)
        yield f"{kind.__name__} {version} is not recorded: run {_COMMAND} and commit what it writes"
        return
    if version != versions[-1]:
        yield f"{kind.__name__} has version {version}, but {versions[-1]} is recorded already"
    found = list(changes(recorded_structure(folder, kind, version), structure_of(kind)))
    if found:
        yield _without_step(kind, version, found)


def step_problems(folder: Path, kind: type) -> Iterator[str]:
    """Why a message's new version is not the step that its changes need, if it is not."""
    version, versions = str(version_of(kind)), recorded_versions(folder, kind)
    if not versions:
        if version != FIRST_VERSION:
            yield f"{kind.__name__} is new: its first version is {FIRST_VERSION}, not {version}"
        return
    newest = versions[-1]
    found = list(changes(recorded_structure(folder, kind, newest), structure_of(kind)))
    least = max((change.step for change in found), default=Step.NONE)
    allowed = [next_version(newest, step) for step in (Step.MINOR, Step.MAJOR) if step >= least]
    if version not in allowed:
        wanted = " or ".join(allowed)
        reasons = "".join(f"\n    {change}" for change in found)
        yield f"{kind.__name__} steps from {newest} to {version}; it has to be {wanted}{reasons}"


def record(folder: Path) -> Iterator[str]:
    """Record every version that is not recorded yet; yields what was done.

    The example of a new version is the one before it, as this version writes it: make it show
    what is new. A message's first example is written by hand.
    """
    for kind in MESSAGES:
        version, versions = str(version_of(kind)), recorded_versions(folder, kind)
        if version in versions or any(step_problems(folder, kind)):
            continue
        place = folder / wire_name(kind) / version
        place.mkdir(parents=True, exist_ok=True)
        (place / STRUCTURE_FILE).write_text(_text(structure_of(kind)), encoding="utf-8")
        yield f"{place / STRUCTURE_FILE} is written"
        example = place / EXAMPLE_FILE
        if example.exists():
            continue
        before = place.parent / (versions or [version])[-1] / EXAMPLE_FILE
        text = _example_from(before, kind)
        if text is None:
            yield f"write {example}: an example with every field"
        else:
            example.write_text(text, encoding="utf-8")
            yield f"{example} is written: let it show what is new"


def _example_from(before: Path, kind: type) -> str | None:
    """An example as the present version writes it; None where it cannot read it."""
    if not before.exists() or not issubclass(kind, msgspec.Struct):
        return None
    decoder: Decoder[msgspec.Struct] = Decoder(kind)
    try:
        return _text(json.loads(encode(decoder.decode(before.read_bytes()))))
    except MessageError:
        return None


def _without_step(kind: type, version: str, found: list[Change]) -> str:
    step = max(change.step for change in found)
    reasons = "".join(f"\n    {change}" for change in found)
    return (
        f"{kind.__name__} has changed, but still says version {version}; this is a"
        f" {step.name.lower()} step: give it version {next_version(version, step)}, then run"
        f" {_COMMAND}{reasons}"
    )


def _text(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
