"""Columns and fields that hold JSON text, and back; equal content is equal text."""

from typing import Final

import msgspec

from schemas.site_window import RelayWindow

_TEXTS: Final = msgspec.json.Decoder(tuple[str, ...])
_RELAYS: Final = msgspec.json.Decoder(tuple[RelayWindow, ...])
_WEATHER: Final = msgspec.json.Decoder(dict[str, float])


def to_text(value: object) -> str:
    """``value`` as JSON text, keys sorted."""
    return msgspec.json.encode(value, order="sorted").decode()


def texts_of(text: str) -> tuple[str, ...]:
    """The texts in ``text``."""
    return _TEXTS.decode(text)


def relays_of(text: str) -> tuple[RelayWindow, ...]:
    """The relays in ``text``."""
    return _RELAYS.decode(text)


def weather_of(text: str) -> dict[str, float]:
    """The weather in ``text``, by quantity."""
    return _WEATHER.decode(text)
