"""What has changed between two structures of a message, and which step that needs.

Within one major version everybody reads everybody: programs of today read what older ones wrote,
and older ones read what is written today. So only a field that may be absent can be added.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from schemas.versions import parse_version

JsonObject = dict[str, Any]

_ABSENT: Final = "absent"
_NESTED: Final = {"properties", "prefixItems", "items", "additionalProperties", "anyOf", "required"}


class Step(IntEnum):
    """How far a version has to go."""

    NONE = 0
    MINOR = 1
    MAJOR = 2


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Attributes:
        path: where in the message.
        sentence: what is different, and for whom it breaks, if for anybody.
        step: what it needs.
    """

    path: str
    sentence: str
    step: Step

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


def changes(old: JsonObject, new: JsonObject, path: str = "$") -> Iterator[Change]:
    """Every difference between two structures."""
    yield from _fields(old, new, path)
    yield from _elements(old, new, path)
    for word in ("items", "additionalProperties"):
        yield from _inner(old.get(word, _ABSENT), new.get(word, _ABSENT), word, f"{path}[]")
    yield from _choices(old.get("anyOf", []), new.get("anyOf", []), path)
    for word in sorted((old.keys() | new.keys()) - _NESTED):
        yield from _word(old.get(word, _ABSENT), new.get(word, _ABSENT), word, path)


def next_version(version: str, step: Step) -> str:
    """The version that a step leads to."""
    major, minor = parse_version(version)
    steps = {Step.NONE: (major, minor), Step.MINOR: (major, minor + 1), Step.MAJOR: (major + 1, 0)}
    return "{}.{}".format(*steps[step])


def _fields(old: JsonObject, new: JsonObject, path: str) -> Iterator[Change]:
    before, after = old.get("properties", {}), new.get("properties", {})
    needed_before, needed = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(before.keys() - after.keys()):
        sentence = "is gone: who reads an older version misses it"
        yield Change(f"{path}.{name}", sentence, Step.MAJOR)
    for name in sorted(after.keys() - before.keys()):
        if name in needed:
            sentence = "is new and required: older messages lack it"
            yield Change(f"{path}.{name}", sentence, Step.MAJOR)
        else:
            yield Change(f"{path}.{name}", "is new and may be absent", Step.MINOR)
    for name in sorted(before.keys() & after.keys()):
        if (name in needed) is not (name in needed_before):
            now = "required: older messages may lack it"
            then = "optional: older programs refuse a message without it"
            sentence = f"has become {now if name in needed else then}"
            yield Change(f"{path}.{name}", sentence, Step.MAJOR)
        yield from changes(before[name], after[name], f"{path}.{name}")


def _elements(old: JsonObject, new: JsonObject, path: str) -> Iterator[Change]:
    """Records that are arrays: elements may be added at the end."""
    before, after = old.get("prefixItems", []), new.get("prefixItems", [])
    if len(after) < len(before):
        yield Change(path, f"has {len(after)} elements, not {len(before)}", Step.MAJOR)
    if len(after) > len(before):
        yield Change(path, f"has {len(after)} elements, not {len(before)}", Step.MINOR)
    for place, (was, now) in enumerate(zip(before, after, strict=False)):
        yield from changes(was, now, f"{path}[{place}]")


def _inner(old: object, new: object, word: str, path: str) -> Iterator[Change]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from changes(old, new, path)
    else:
        yield from _word(old, new, word, path)


def _choices(old: list[JsonObject], new: list[JsonObject], path: str) -> Iterator[Change]:
    if len(old) != len(new):
        yield from _word(old or _ABSENT, new or _ABSENT, "anyOf", path)
        return
    for was, now in zip(old, new, strict=True):
        yield from changes(was, now, path)


def _word(old: object, new: object, word: str, path: str) -> Iterator[Change]:
    """A keyword that says something else: one side refuses what the other one writes."""
    if isinstance(old, dict) and isinstance(new, dict):  # a default that is an object
        shared = old.keys() & new.keys()
        old, new = {key: old[key] for key in shared}, {key: new[key] for key in shared}
    if old != new:
        sentence = f"{word} was {old!r:.120}, now it is {new!r:.120}: read differently"
        yield Change(path, sentence, Step.MAJOR)
