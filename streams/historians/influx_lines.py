"""Points as InfluxDB's line protocol: text, one line per point.

A tag cannot hold every text. Ours are names of sites, devices and quantities, and those of a
site model all fit; what does not is told, never changed.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, assert_never

from schemas.site_window import SeriesName, SeriesStatus
from streams.historians.influx_times import LAST_MS, NS_PER_MS, event_ns
from streams.historians.points import EventPoint, Measurement, MeterPoints, Point, SitePoint
from streams.historians.texts import to_text

BODY_BYTES: Final = 65_536
"""Longest string field that InfluxDB documents [bytes of UTF-8]; 2.7 takes 16 times as much."""

_NAME_BYTES: Final = 1_024
"""Longest name that is taken (ours; InfluxDB takes 65,535 bytes for all tags together)."""

# The protocol has no way to write a control character or every place of a backslash in a tag.
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_IN_TAG: Final = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_IN_STRING: Final = str.maketrans({"\\": r"\\", '"': r"\""})
_TOO_LATE: Final = "its window starts after the year 2262, the last that InfluxDB knows"

Fields = dict[str, str | int | float | None]
"""Values of fields by name; None where a field is absent."""


@dataclass(slots=True)
class Lines:
    """Lines of one point, and what of it does not fit into any line."""

    lines: list[str] = field(default_factory=list)
    problem: str = ""


class UnfitNameError(ValueError):
    """A name that no tag can hold."""


class LineMaker:
    """Makes lines; remembers what is the same in every window. A table per site, as big as it."""

    def __init__(self) -> None:
        self._starts: dict[str, dict[SeriesName, str]] = {}

    def lines_of(self, point: Point) -> Lines:
        """The lines of a point, or of a column of points."""
        if point.window_start_ms > LAST_MS:
            return Lines(problem=_TOO_LATE)
        try:
            match point:
                case MeterPoints():
                    return self._meter_lines(point)
                case SitePoint():
                    return Lines([_site_line(point)])
                case EventPoint():
                    return Lines([_event_line(point)])
                case _:
                    assert_never(point)
        except UnfitNameError as error:
            return Lines(problem=str(error))

    def _meter_lines(self, points: MeterPoints) -> Lines:
        """One line per series; those with an unfit name are left out."""
        known = self._starts.setdefault(points.site, {})
        try:
            starts = [known[name] for name in points.series]
        except KeyError:
            return self._first_meter_lines(points, known)
        return Lines(list(_column(starts, points)))

    def _first_meter_lines(self, points: MeterPoints, known: dict[SeriesName, str]) -> Lines:
        """As ever, but some series are new; one that is unfit is never known."""
        problem, starts = "", []
        for name in points.series:
            try:
                known[name] = known.get(name) or _meter_start(points.site, name)
            except UnfitNameError as error:
                problem = str(error)
            starts.append(known.get(name, ""))
        lines = [line for start, line in zip(starts, _column(starts, points), strict=True) if start]
        return Lines(lines, problem)


def _meter_start(site: str, name: SeriesName) -> str:
    """Everything of a line before its fields."""
    tags = {"device": name.device, "quantity": name.quantity, "site": site}
    return f"{_key(Measurement.METER_WINDOW, tags)} revision="


def _column(starts: Iterable[str], points: MeterPoints) -> Iterator[str]:
    """Lines of a column; a missing one has no value, its status says so."""
    middles = {status.value: f'{points.revision}i,status="{status}"' for status in SeriesStatus}
    end = f" {points.window_start_ms * NS_PER_MS}"
    for start, value, status in zip(starts, points.values, points.status, strict=True):
        if value is None:
            yield f"{start}{middles[status]}{end}"
        else:
            yield f"{start}{middles[status]},value={value!r}{end}"


def _site_line(point: SitePoint) -> str:
    """An older revision's field stays where a newer one has none: ``energy_known`` tells."""
    fields: Fields = {
        "revision": point.revision,
        "model_hash": point.model_hash,
        "completeness": point.completeness.value,
        "load_kw": float(point.load_kw),
        "generation_kw": float(point.generation_kw),
        "net_kw": float(point.net_kw),
        "energy_known": point.energy_import_kwh is not None,
        "energy_import_kwh": _float(point.energy_import_kwh),
        "measured": point.measured,
        "valid": point.valid,
        "missing": point.missing,
        "missing_rated_kw": float(point.missing_rated_kw),
        "missing_series": to_text(point.missing_series),
        "relays": to_text(point.relays),
        "weather": to_text(point.weather),
    }
    key = _key(Measurement.SITE_WINDOW, {"site": point.site})
    return f"{key} {_fields(fields)} {point.window_start_ms * NS_PER_MS}"


def _event_line(event: EventPoint) -> str:
    """A step of a decision; a long body goes on in further fields."""
    tags = {} if event.device is None else {"device": event.device}
    tags |= {"kind": event.kind.value, "site": event.site}
    fields: Fields = {
        "key": event.key,
        "window_start_ms": event.window_start_ms,
        "at_ms": event.at_ms,
        "decision_id": event.decision_id,
        "seq": event.seq,
        "outcome": event.outcome,
        "reasons": to_text(event.reasons),
        "switched_on": event.switched_on,
        "switched_off": event.switched_off,
        "load_kw": _float(event.load_kw),
        "uncontrolled_kw": _float(event.uncontrolled_kw),
        "expected_kw": _float(event.expected_kw),
        "threshold_kw": _float(event.threshold_kw),
        "violation_kw": _float(event.violation_kw),
        "price_per_kwh": _float(event.price_per_kwh),
        "currency": event.currency,
        **dict(zip(body_fields(), body_parts(event.body), strict=False)),
    }
    return f"{_key(Measurement.EVENT, tags)} {_fields(fields)} {event_ns(event)}"


def body_fields() -> Iterator[str]:
    """Names of the fields that hold a body: ``body``, ``body_1``, ``body_2``, ..."""
    yield "body"
    number = 0
    while True:
        number += 1
        yield f"body_{number}"


def body_parts(body: str) -> list[str]:
    """``body`` in parts of at most :data:`BODY_BYTES`, none cut within a character."""
    raw = body.encode()
    if len(raw) <= BODY_BYTES:
        return [body]
    parts, start = [], 0
    while start < len(raw):
        end = start + BODY_BYTES
        while end < len(raw) and raw[end] & 0xC0 == 0x80:  # amid a character of UTF-8  # noqa: PLR2004
            end -= 1
        parts.append(raw[start:end].decode())
        start = end
    return parts


def _key(measurement: Measurement, tags: dict[str, str]) -> str:
    """Measurement and tags: what identifies a line besides its time."""
    return ",".join([measurement.value, *(f"{name}={_tag(text)}" for name, text in tags.items())])


def _tag(text: str) -> str:
    """The value of a tag.

    Raises:
        UnfitNameError: a tag cannot hold it.
    """
    if not text or _UNFIT.search(text) or len(text.encode()) > _NAME_BYTES:
        message = f"the name {text[:80]!r} cannot be a tag in InfluxDB"
        raise UnfitNameError(message)
    return text.translate(_IN_TAG)


def _fields(fields: Fields) -> str:
    """Fields that have a value."""
    return ",".join(f"{name}={_field(v)}" for name, v in fields.items() if v is not None)


def _field(value: str | float) -> str:
    """The value of a field; its type in InfluxDB is fixed by the way that it is written."""
    match value:
        case str():
            return f'"{value.translate(_IN_STRING)}"'
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value}i"
        case _:
            return repr(value)


def _float(value: float | None) -> float | None:
    """A number that JSON may have brought without a decimal point."""
    return None if value is None else float(value)
