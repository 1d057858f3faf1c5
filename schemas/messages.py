"""What every message has in common: frozen, versioned, JSON on the wire."""

from typing import Any, Final, Generic, TypeVar, get_args

import msgspec

from schemas.errors import MessageError
from schemas.versions import FIRST_VERSION, VERSION_FIELD, version_of, version_problem

MessageT = TypeVar("MessageT")


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of every Kafka message.

    Messages are nothing but data: no cycle leads through one, so that the garbage collector
    need not look at them.

    A class whose fields change states its own ``schema_version``, one step further.

    Attributes:
        schema_version: version of the message that it was written with, ``major.minor``.
    """

    schema_version: str = FIRST_VERSION


UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises on bytes that are no such message; the last where they nest too deeply."""

_ENCODER: Final = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """A message as UTF-8 JSON."""
    return _ENCODER.encode(message)


class _Versioned(msgspec.Struct, frozen=True):
    """The version that a message states, whatever else it holds."""

    schema_version: str | None = None


_STATED: Final = msgspec.json.Decoder(_Versioned)


def stated_version(value: bytes) -> str | None:
    """The version that bytes state that may be no message at all; None where they state none."""
    try:
        return _STATED.decode(value).schema_version
    except UNREADABLE:
        return None


class Decoder(Generic[MessageT]):
    """Decodes one type of message and explains what is wrong with a bad one.

    What comes out is a message of the version that this program has: fields that an older one
    lacks have their defaults, and those that only a newer one has are gone.

    Args:
        kind: a message class, or a union of tagged ones.
    """

    def __init__(self, kind: Any) -> None:  # noqa: ANN401  a union of classes is not a type
        self._decoder: msgspec.json.Decoder[MessageT] = msgspec.json.Decoder(kind)
        parts: tuple[type, ...] = get_args(kind) or (kind,)
        self._name = " or ".join(part.__name__ for part in parts)
        self._versions = {part: version_of(part) for part in parts}

    def decode(self, value: bytes | None) -> MessageT:
        """The message in ``value``.

        Raises:
            MessageError: it is empty, not JSON, not this kind of message, or of a version that
                cannot be read.
        """
        value = value or b""
        try:
            message = self._decoder.decode(value)
        except UNREADABLE as error:
            raise self._refusal(*self._versions_differ(value), str(error)) from error
        own = self._versions[type(message)]
        if own is None or not isinstance(message, Message) or message.schema_version == own:
            return message
        if problem := version_problem(type(message).__name__, own, message.schema_version):
            raise self._refusal(problem)
        return msgspec.structs.replace(message, schema_version=own)

    def _versions_differ(self, value: bytes) -> list[str]:
        """That bytes which are no such message state another version than is known, if so."""
        found = stated_version(value)
        known = {own for own in self._versions.values() if own is not None}
        if found is None or not known or found in known:
            return []
        own = max(known)
        written = f"{VERSION_FIELD}: it was written as version {found}; this program has {own}"
        return [version_problem(self._name, own, found) or written]

    def _refusal(self, *problems: str) -> MessageError:
        return MessageError(f"this is no {self._name}", problems=problems)
