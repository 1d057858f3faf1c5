"""Golden messages: a folder of ``tests/cases/messages`` for every message, in it one by version."""

from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from schemas.messages import Decoder
from schemas.versions import version_of
from streams.reference_docs import json_schemas

CASES: Final = Path(__file__).resolve().parents[1] / "cases" / "messages"
MESSAGES: Final = json_schemas.MESSAGES
"""Every message class of the topic map, once."""

STRUCTS: Final = tuple(kind for kind in MESSAGES if issubclass(kind, msgspec.Struct))
"""Messages that are msgspec Structs: all but the site model, which is a file of its user's, too."""

MessageT = TypeVar("MessageT")


def folder_of(kind: type) -> Path:
    """Folder of a message class: that of ``SiteWindow`` is ``site_window``."""
    return CASES / json_schemas.wire_name(kind)


def versions_of(kind: type) -> list[str]:
    """Versions of a message class that have an example."""
    return sorted(path.name for path in folder_of(kind).iterdir() if path.is_dir())


def golden_bytes(kind: type, version: str | None = None) -> bytes:
    """The wire example of a message class, of its present version if no other is named."""
    return (folder_of(kind) / (version or str(version_of(kind))) / "input.json").read_bytes()


def golden_value(kind: type) -> dict[str, Any]:
    """The wire example of a message class as a JSON value."""
    return msgspec.json.decode(golden_bytes(kind), type=dict[str, Any])


def golden(kind: type[MessageT]) -> MessageT:
    """The wire example of a Struct as its consumers see it."""
    decoder: Decoder[MessageT] = Decoder(kind)
    return decoder.decode(golden_bytes(kind))
