"""From records to columns: what can be used is decoded fast, what cannot says why.

The fast path decodes a record straight into its type. Only when that fails is it looked at
again, field by field, so that a dead letter names everything that is wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from schemas.messages import UNREADABLE
from schemas.telemetry import BatchItem, RawBatch, Reading


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record as the core sees it.

    ``tick_ms``: the replay's time [ms] where the record is a tick of the data clock.
    ``is_tick``: it only carries time, on whichever clock.
    """

    offset: int
    append_ms: int
    value: bytes | None
    is_tick: bool = False
    tick_ms: int | None = None


@dataclass(frozen=True, slots=True)
class RefusedReading:
    """A record, or one reading of a batch, that cannot be used.

    ``item``: index within the batch, or -1. ``original``: the bytes concerned.
    """

    offset: int
    item: int
    original: bytes
    errors: tuple[str, ...]
    site: str = ""


Row = tuple[int, int, str, str, str, str, float, int, str, int, bytes]
"""(record's place in the batch, offset, site, device, quantity, unit, value, event time [ms],
event id, item, original bytes)."""

_MESSAGE: Final = msgspec.json.Decoder(Reading | RawBatch)
_ITEM: Final = msgspec.json.Decoder(BatchItem)


def decode(records: Sequence[Record]) -> tuple[list[Row], list[RefusedReading]]:
    """Every reading in ``records``, ticks left out, and what could not be read."""
    rows: list[Row] = []
    refused: list[RefusedReading] = []
    append = rows.append
    read = _MESSAGE.decode
    for place, record in enumerate(records):
        if record.is_tick:
            continue
        value = record.value or b""
        try:
            message = read(value)
        except UNREADABLE:
            refused.append(RefusedReading(record.offset, -1, value, *_explain(value)))
            continue
        if type(message) is RawBatch:
            _open_batch(place, record.offset, message, append, refused)
        elif type(message) is Reading:
            m = message
            append(
                (place, record.offset, m.site, m.device, m.quantity, m.unit, m.value,
                 m.event_time_ms, m.event_id, -1, value)
            )  # fmt: skip  # one row, one line of columns
    return rows, refused


def _open_batch(
    place: int,
    offset: int,
    batch: RawBatch,
    append: Callable[[Row], None],
    refused: list[RefusedReading],
) -> None:
    """Decode a batch's items one by one: a bad one is refused alone."""
    for item, raw in enumerate(batch.readings):
        original = bytes(raw)
        try:
            r = _ITEM.decode(raw)
        except UNREADABLE:
            errors = tuple(_field_errors(msgspec.json.decode(original), BatchItem))
            refused.append(RefusedReading(offset, item, original, errors, batch.site))
            continue
        append(
            (place, offset, batch.site, r.device, r.quantity, r.unit, r.value,
             r.event_time_ms, r.event_id, item, original)
        )  # fmt: skip  # one row, one line of columns


def _explain(value: bytes) -> tuple[tuple[str, ...], str]:
    """Everything wrong with a record, and the site that it names."""
    try:
        parsed = msgspec.json.decode(value)
    except UNREADABLE as error:
        return (f"not JSON: {error}" if value else "empty record",), ""
    if not isinstance(parsed, dict):
        return (f"expected a JSON object, got {type(parsed).__name__}",), ""
    site = parsed.get("site")
    kinds: dict[Any, type] = {"reading": Reading, "batch": RawBatch}
    kind = kinds.get(parsed.get("type"))
    if kind is None:
        errors = [f"type: expected 'reading' or 'batch', got {parsed.get('type')!r}"]
    else:
        errors = _field_errors(parsed, kind)
    return tuple(errors), site if isinstance(site, str) else ""


def _field_errors(parsed: object, kind: type) -> list[str]:
    """One sentence per field of ``kind`` that is missing or of the wrong type."""
    if not isinstance(parsed, dict):
        return [f"expected a JSON object, got {type(parsed).__name__}"]
    errors = []
    for field in msgspec.structs.fields(kind):
        if field.name not in parsed:
            if field.required:
                errors.append(f"{field.name}: missing")
            continue
        value = parsed[field.name]
        wanted = list[Any] if kind is RawBatch and field.name == "readings" else field.type
        try:
            msgspec.convert(value, wanted)
        except msgspec.ValidationError as error:
            errors.append(f"{field.name}: {error} (got {value!r:.80})")
    return errors
