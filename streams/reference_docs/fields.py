"""What the classes of messages, models and codes hold, with the meaning of each field."""

import ast
import inspect
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import pairwise
from typing import Final, NamedTuple, get_type_hints

import msgspec
from pydantic import BaseModel

from streams.reference_docs.wording import in_json, kinds_in, meanings_in, type_in_words

_REQUIRED: Final = "required"


class Field(NamedTuple):
    """One field of a message, or key of a model, as it stands in JSON.

    Attributes:
        name: its name.
        words: its type.
        kinds: the classes of ours that its type names.
        default: its default, or that it is required.
        meaning: from the docstrings; empty where the name says it all.
    """

    name: str
    words: str
    kinds: tuple[type, ...]
    default: str
    meaning: str


def fields_of(kind: type) -> list[Field]:
    """Fields of a Struct or of a pydantic model, in their order; none of a code."""
    hints = get_type_hints(kind, include_extras=True)
    meanings = meanings_in(kind)

    def field(name: str, default: str) -> Field:
        hint = hints[name]
        kinds = tuple(kinds_in(hint))
        return Field(name, type_in_words(hint), kinds, default, meanings.get(name, ""))

    return [*_tag_of(kind), *(field(name, default) for name, default in _defaults(kind))]


def _tag_of(kind: type) -> Iterator[Field]:
    """The field that tells a message from the others of its topic, where it has one."""
    if issubclass(kind, msgspec.Struct) and kind.__struct_config__.tag_field:
        config = kind.__struct_config__
        meaning = "tells it from the other messages of its topic."
        yield Field(str(config.tag_field), in_json(config.tag), (), _REQUIRED, meaning)


def _defaults(kind: type) -> Iterator[tuple[str, str]]:
    """Names of the fields with their defaults."""
    if issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            yield field.name, _REQUIRED if field.required else in_json(field.default)
    elif issubclass(kind, BaseModel):
        for name, info in kind.model_fields.items():
            if isinstance(info.default, BaseModel):
                yield name, "its defaults"
            else:
                yield name, _REQUIRED if info.is_required() else in_json(info.default)


def reachable(kinds: Iterable[type]) -> list[type]:
    """Some classes, and after them all that stand in their fields; each once."""
    waiting, found = list(kinds), dict[type, None]()
    for kind in waiting:
        if kind not in found:
            found[kind] = None
            waiting += [part for field in fields_of(kind) for part in field.kinds]
    return list(found)


def codes_of(kind: type[Enum]) -> list[tuple[str, str]]:
    """Every code of an enumeration with its meaning: the string below it in the source."""
    tree = ast.parse(inspect.getsource(kind))
    body = [line for node in tree.body if isinstance(node, ast.ClassDef) for line in node.body]
    meanings: dict[str, str] = {}
    for pair in pairwise(body):
        match pair:
            case (
                ast.Assign(targets=[ast.Name(id=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                meanings[name] = " ".join(text.split())
    return [(str(member.value), meanings.get(member.name, "")) for member in kind]
