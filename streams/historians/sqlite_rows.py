"""Points as rows of SQLite tables, and back. A tuple or a dict is JSON text in one column."""

from typing import Any

import msgspec

from schemas.site_window import Completeness
from streams.historians.points import EventKind, EventPoint, SitePoint
from streams.historians.texts import relays_of, texts_of, to_text, weather_of

Row = tuple[Any, ...]
"""One row; its columns are in the order of the point's attributes."""


def site_row(point: SitePoint) -> Row:
    """Row of table ``site_window``."""
    *plain, missing_series, relays, weather = msgspec.structs.astuple(point)
    return (*plain, to_text(missing_series), to_text(relays), to_text(weather))


def site_point(row: Row) -> SitePoint:
    """Point of a row of table ``site_window``."""
    values = dict(zip(SitePoint.__struct_fields__, row, strict=True))
    values["completeness"] = Completeness(values["completeness"])
    values["missing_series"] = texts_of(values["missing_series"])
    values["relays"] = relays_of(values["relays"])
    values["weather"] = weather_of(values["weather"])
    return SitePoint(**values)


def event_row(point: EventPoint) -> Row:
    """Row of table ``event``."""
    values = msgspec.structs.asdict(point) | {"reasons": to_text(point.reasons)}
    return tuple(values.values())


def event_point(row: Row) -> EventPoint:
    """Point of a row of table ``event``."""
    # A file of an earlier version has fewer columns at the end; the point's defaults stand.
    values = dict(zip(EventPoint.__struct_fields__, row, strict=False))
    values["kind"] = EventKind(values["kind"])
    values["reasons"] = texts_of(values["reasons"])
    return EventPoint(**values)
