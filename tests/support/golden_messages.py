"""Golden messages: one folder of ``tests/cases/messages`` for every message of the topic map."""

import re
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from schemas.messages import Decoder
from schemas.topics import TOPICS

CASES: Final = Path(__file__).resolve().parents[1] / "cases" / "messages"
MESSAGES: Final = tuple(dict.fromkeys(kind for spec in TOPICS for kind in spec.messages))
"""Every message class of the topic map, once."""

STRUCTS: Final = tuple(kind for kind in MESSAGES if issubclass(kind, msgspec.Struct))
"""Those that are msgspec Structs: all but the site model, which is a file of its user's, too."""

MessageT = TypeVar("MessageT")


def folder_of(kind: type) -> Path:
    """Folder of a message class: that of ``SiteWindow`` is ``site_window``."""
    return CASES / re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()


def golden_bytes(kind: type) -> bytes:
    """The wire example of a message class."""
    return (folder_of(kind) / "input.json").read_bytes()


def golden_value(kind: type) -> dict[str, Any]:
    """The wire example of a message class as a JSON value."""
    return msgspec.json.decode(golden_bytes(kind), type=dict[str, Any])


def golden(kind: type[MessageT]) -> MessageT:
    """The wire example of a Struct as its consumers see it."""
    decoder: Decoder[MessageT] = Decoder(kind)
    return decoder.decode(golden_bytes(kind))
