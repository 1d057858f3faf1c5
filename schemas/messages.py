"""What every message has in common: frozen, versioned, JSON on the wire."""

from typing import Any, Final, Generic, TypeVar, get_args

import msgspec

from schemas.errors import MessageError

SCHEMA_VERSION: Final = "1.0"
"""Version of the messages in this package, ``major.minor``."""

MessageT = TypeVar("MessageT")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Base of every Kafka message.

    Attributes:
        schema_version: version of the messages that it was written with, ``major.minor``.
    """

    schema_version: str = SCHEMA_VERSION


UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises on bytes that are no such message; the last where they nest too deeply."""

_ENCODER: Final = msgspec.json.Encoder()


def encode(message: msgspec.Struct) -> bytes:
    """A message as UTF-8 JSON."""
    return _ENCODER.encode(message)


class Decoder(Generic[MessageT]):
    """Decodes one type of message and explains what is wrong with a bad one.

    Args:
        kind: a message class, or a union of tagged ones.
    """

    def __init__(self, kind: Any) -> None:  # noqa: ANN401  a union of classes is not a type
        self._decoder: msgspec.json.Decoder[MessageT] = msgspec.json.Decoder(kind)
        self._name = " or ".join(part.__name__ for part in get_args(kind) or (kind,))

    def decode(self, value: bytes | None) -> MessageT:
        """The message in ``value``.

        Raises:
            MessageError: it is empty, not JSON, or not this kind of message.
        """
        try:
            return self._decoder.decode(value or b"")
        except UNREADABLE as error:
            message = f"this is no {self._name}"
            raise MessageError(message, problems=[str(error)]) from error
