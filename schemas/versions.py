"""Versions of messages: which ones a reader takes.

Every message class has a version of its own, ``major.minor``, the default of its field
``schema_version``. A *minor* step adds fields that may be absent: whoever knows an older or a
newer version with the same major number reads the message. Everything else that changes what
is on the wire is a *major* step, and a reader refuses a major number that it does not know.
``python -m streams.schema_steps`` says which step a change needs.
"""

import re
from functools import cache, lru_cache
from typing import Any, Final

import msgspec

VERSION_FIELD: Final = "schema_version"

FIRST_VERSION: Final = "1.0"

_FORM: Final = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")


def parse_version(text: str) -> tuple[int, int]:
    """Major and minor number.

    Raises:
        ValueError: the text is no version.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        message = f"{text[:40]!r} is no version such as {FIRST_VERSION}"
        raise ValueError(message)
    return int(found[1]), int(found[2])


@cache
def version_of(kind: Any) -> str | None:  # noqa: ANN401  a Struct, or the pydantic site model
    """The version of a message class as this program knows it; None for a part of a message."""
    if not issubclass(kind, msgspec.Struct):
        return getattr(kind, "VERSION", None)
    fields = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return fields.get(VERSION_FIELD)


@lru_cache(maxsize=1_000)
def version_problem(name: str, own: str, found: str) -> str | None:
    """Why a message of version ``found`` cannot be read; None where it can.

    Args:
        name: of the message, for the sentence.
        own: version that this program knows.
        found: version that the message was written with.
    """
    try:
        major, _ = parse_version(found)
    except ValueError as error:
        return f"{VERSION_FIELD}: {error}"
    known, _ = parse_version(own)
    if major == known:
        return None
    return (
        f"{VERSION_FIELD}: version {found} of {name} cannot be read here; this program has"
        f" version {own}, and reads every {known}.x"
    )
