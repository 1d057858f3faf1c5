"""Docstrings, types and tables as Markdown."""

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

import msgspec
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from schemas.site_model import Name

NAME_RULE: Final = (
    "A *name* begins with a letter or digit; up to 63 letters, digits, dots, dashes and underscores"
    " follow."
)
_PLAIN: Final[dict[object, str]] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    Path: "path",
    SecretStr: "secret text",
    NoneType: "null",
    Name: "name",
}
_BOUNDS: Final = {"gt": ">", "ge": "≥", "lt": "<", "le": "≤"}
_ATTRIBUTE: Final = re.compile(r"^    (\w+(?:, \w+)*): (.*(?:\n {8}.*)*)", re.MULTILINE)
_ATTRIBUTES: Final = "\nAttributes:\n"
_KEY: Final = re.compile(r"``(\w+)``:\s(.*?)(?=\s+``\w+``:\s|\Z)", re.DOTALL)
_IN_JSON: Final = {"None": "`null`", "True": "`true`", "False": "`false`"}


def kinds_in(annotation: object) -> Iterator[type]:
    """The messages, models and codes that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, (msgspec.Struct, BaseModel, Enum)):
        yield annotation
    for argument in get_args(annotation):
        yield from kinds_in(argument)


def link_to(kind: type, page: str = "") -> str:
    """A link to what describes ``kind``."""
    return f"[{kind.__name__}]({page}#{kind.__name__.lower()})"


def type_in_words(annotation: object) -> str:
    """What JSON holds where a field is annotated so.

    Raises:
        ValueError: no message has had such a field so far.
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if annotation in _PLAIN:
        words = _PLAIN[annotation]
    elif origin is Literal:
        words = " or ".join(in_json(value) for value in arguments)
    elif origin in {Union, UnionType}:
        words = " or ".join(type_in_words(argument) for argument in arguments)
    elif origin is Annotated:
        words = f"{type_in_words(arguments[0])} {', '.join(_bounds(arguments[1:]))}".strip()
    elif origin is tuple:
        words = f"list of {_bracketed(arguments[0])}"
    elif origin is dict:
        words = f"map of {_bracketed(arguments[1])}"
    else:
        (kind,) = kinds_in(annotation)
        words = link_to(kind)
    return words


def _bracketed(annotation: object) -> str:
    words = type_in_words(annotation)
    return f"({words})" if " or " in words else words


def _bounds(metadata: Iterable[object]) -> Iterator[str]:
    for item in metadata:
        for bound in item.metadata if isinstance(item, FieldInfo) else (item,):
            for name, sign in _BOUNDS.items():
                limit = getattr(bound, name, None)
                if limit is not None:
                    yield f"{sign} {limit:,.10g}"


def in_json(value: object) -> str:
    """A value as code: as it stands in JSON."""
    return f"`{msgspec.json.encode(value, enc_hook=str).decode()}`"


def prose(described: type | ModuleType) -> str:
    """A docstring's text, without what it says about single fields."""
    doc = inspect.cleandoc(described.__doc__ or "").split(_ATTRIBUTES)[0]
    if isinstance(described, type) and issubclass(described, BaseModel):
        doc = _KEY.sub("", doc)
    doc = re.sub(r"^(\w[\w ]*)\n    ", r"**\1.** ", doc, flags=re.MULTILINE)  # a titled paragraph
    return "\n".join(_plain(line) for line in doc.strip().split("\n"))


def meanings_in(kind: type) -> dict[str, str]:
    """What the docstrings of a class and its bases say about each field."""
    meanings: dict[str, str] = {}
    for base in reversed(kind.__mro__[:-1]):
        doc = inspect.cleandoc(base.__doc__ or "")
        style = _KEY if issubclass(base, BaseModel) else _ATTRIBUTE
        for names, text in style.findall(doc):
            meaning = " ".join(_plain(text).split())
            for word, json_word in _IN_JSON.items():
                meaning = re.sub(rf"\b{word}\b", json_word, meaning)
            meanings |= dict.fromkeys(names.split(", "), meaning)
    return meanings


def _plain(text: str) -> str:
    """Docstring markup as Markdown."""
    return re.sub(r":class:`(\w+)`", r"`\1`", text).replace("``", "`").strip()


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    cells = [[cell.replace("|", r"\|").strip() for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *cells))
