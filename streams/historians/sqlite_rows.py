"""Points as rows of SQLite tables, and back. A tuple or a dict is JSON text in one column."""

from typing import Any, Final

import msgspec

from schemas.site_window import Completeness, RelayWindow
from streams.historians.points import EventKind, EventPoint, SitePoint

Row = tuple[Any, ...]
"""One row; its columns are in the order of the point's attributes."""

_TEXTS: Final = msgspec.json.Decoder(tuple[str, ...])
_RELAYS: Final = msgspec.json.Decoder(tuple[RelayWindow, ...])
_WEATHER: Final = msgspec.json.Decoder(dict[str, float])


def site_row(point: SitePoint) -> Row:
    """Row of table ``site_window``."""
    *plain, missing_series, relays, weather = msgspec.structs.astuple(point)
    return (*plain, _text(missing_series), _text(relays), _text(weather))


def site_point(row: Row) -> SitePoint:
    """Point of a row of table ``site_window``."""
    values = dict(zip(SitePoint.__struct_fields__, row, strict=True))
    values["completeness"] = Completeness(values["completeness"])
    values["missing_series"] = _TEXTS.decode(values["missing_series"])
    values["relays"] = _RELAYS.decode(values["relays"])
    values["weather"] = _WEATHER.decode(values["weather"])
    return SitePoint(**values)


def event_row(point: EventPoint) -> Row:
    """Row of table ``event``."""
    values = msgspec.structs.asdict(point) | {"reasons": _text(point.reasons)}
    return tuple(values.values())


def event_point(row: Row) -> EventPoint:
    """Point of a row of table ``event``."""
    # A file of an earlier version has fewer columns at the end; the point's defaults stand.
    values = dict(zip(EventPoint.__struct_fields__, row, strict=False))
    values["kind"] = EventKind(values["kind"])
    values["reasons"] = _TEXTS.decode(values["reasons"])
    return EventPoint(**values)


def _text(value: object) -> str:
    """``value`` as JSON text, keys sorted: equal content is equal text."""
    return msgspec.json.encode(value, order="sorted").decode()
