"""The long way from records to readings: piece by piece, and it says what is wrong.

A record that is not plain (see :mod:`processors.aligning.scanning`) is decoded by itself, with the
full types; of a batch each reading by itself, so that a bad one spoils no other; and what cannot
be used is looked at field by field, so that a dead letter names everything that is wrong.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Final

import msgspec

from processors.aligning.records import Records
from processors.aligning.scanning import Address
from schemas.messages import UNREADABLE
from schemas.telemetry import BatchItem, RawBatch, Reading
from schemas.versions import VERSION_FIELD, version_of, version_problem


@dataclass(frozen=True, slots=True)
class RefusedReading:
    """A record, or one reading of a batch, that cannot be used.

    ``item``: index within the batch, or -1. ``original``: the bytes concerned. ``source``: of the
    batch; a single reading says its own.
    """

    offset: int
    item: int
    original: bytes
    errors: tuple[str, ...]
    site: str = ""
    source: str = ""


_MESSAGE: Final = msgspec.json.Decoder(Reading | RawBatch)
_ITEM: Final = msgspec.json.Decoder(BatchItem)

_SINGLE_ADDRESS: Final = attrgetter("site", "device", "quantity", "unit")


@dataclass(slots=True)
class _OpenBatch:
    """The readable items of a batch.

    Attributes:
        place: of its record.
        site, source: whose readings they are, and who sent them.
        items: the readable ones; ``indexes``: where they stand in the batch.
        first: how many items the batches before it have.
        originals: the bytes of every item, once somebody asked for them.
    """

    place: int
    site: str
    source: str
    items: Sequence[BatchItem]
    indexes: Sequence[int]
    first: int = 0
    originals: list[bytes] = field(default_factory=list)

    def addresses(self) -> Iterator[Address]:
        """Each item's address."""
        return ((self.site, each.device, each.quantity, each.unit) for each in self.items)

    def original(self, item: int, value: bytes) -> bytes:
        """The bytes of one item; ``value`` is the whole message."""
        if not self.originals:
            message = _MESSAGE.decode(value)
            if isinstance(message, RawBatch):
                self.originals = [bytes(raw) for raw in message.readings]
        return self.originals[item]


@dataclass(slots=True)
class Decoded:
    """The readings of some records: single ones first, then batch by batch.

    Attributes:
        records: what they were decoded from.
        singles: messages of one reading; ``single_places``: the record of each.
        batches: messages of many.
        refused: what could not be read.
    """

    records: Records
    singles: list[Reading] = field(default_factory=list)
    single_places: list[int] = field(default_factory=list)
    batches: list[_OpenBatch] = field(default_factory=list)
    refused: list[RefusedReading] = field(default_factory=list)

    def readings(self) -> list[Reading | BatchItem]:
        """Every reading, in the order of all that follows."""
        return [*self.singles, *chain.from_iterable(batch.items for batch in self.batches)]

    def addresses(self) -> Iterator[Address]:
        """Each reading's address."""
        return chain(map(_SINGLE_ADDRESS, self.singles), *map(_OpenBatch.addresses, self.batches))

    def places(self) -> list[int]:
        """Each reading's record."""
        sizes = (repeat(batch.place, len(batch.items)) for batch in self.batches)
        return [*self.single_places, *chain.from_iterable(sizes)]

    def refuse(self, index: int, errors: tuple[str, ...]) -> RefusedReading:
        """The reading at ``index`` as one that is refused."""
        at = index - len(self.singles)
        if at < 0:
            place, site = self.single_places[index], self.singles[index].site
            original = self.records.values[place]
            return RefusedReading(int(self.records.offsets[place]), -1, original, errors, site)
        batch = self.batches[bisect_right(self.batches, at, key=attrgetter("first")) - 1]
        place, item = batch.place, batch.indexes[at - batch.first]
        original = batch.original(item, self.records.values[place])
        offset = int(self.records.offsets[place])
        return RefusedReading(offset, item, original, errors, batch.site, batch.source)

    def open(
        self, place: int, head: RawBatch, items: Sequence[BatchItem], indexes: Sequence[int]
    ) -> None:
        """Take the readable items of the batch ``head`` in."""
        last = self.batches[-1] if self.batches else None
        first = 0 if last is None else last.first + len(last.items)
        if items:
            self.batches.append(_OpenBatch(place, head.site, head.source, items, indexes, first))


def decode(records: Records, places: Iterable[int]) -> Decoded:
    """Every reading in some of the records, none of them a tick, and what could not be read."""
    decoded = Decoded(records)
    for place in places:
        _decode(decoded, place, records.values[place])
    return decoded


def _decode(decoded: Decoded, place: int, value: bytes) -> None:
    """A record: keep what is all right, and say what is not."""
    offset = int(decoded.records.offsets[place])
    try:
        message = _MESSAGE.decode(value)
    except UNREADABLE:
        decoded.refused.append(RefusedReading(offset, -1, value, *_explain(value)))
        return
    if error := _version_error(type(message), message.schema_version):
        decoded.refused.append(RefusedReading(offset, -1, value, (error,), message.site))
        return
    if isinstance(message, Reading):
        decoded.singles.append(message)
        decoded.single_places.append(place)
        return
    items: list[BatchItem] = []
    indexes: list[int] = []
    for index, raw in enumerate(message.readings):
        try:
            items.append(_ITEM.decode(raw))
            indexes.append(index)
        except UNREADABLE:
            original = bytes(raw)
            errors = _item_errors(original)
            refused = RefusedReading(offset, index, original, errors, message.site, message.source)
            decoded.refused.append(refused)
    decoded.open(place, message, items, indexes)


def _explain(value: bytes) -> tuple[tuple[str, ...], str]:
    """Everything wrong with a record, and the site that it names."""
    try:
        parsed = msgspec.json.decode(value)
    except UNREADABLE as error:
        return (f"not JSON: {error}" if value else "empty record",), ""
    if not isinstance(parsed, dict):
        return (f"expected a JSON object, got {type(parsed).__name__}",), ""
    site = parsed.get("site")
    named = parsed.get("type")
    kinds: dict[str, type[msgspec.Struct]] = {"reading": Reading, "batch": RawBatch}
    kind = kinds.get(named) if isinstance(named, str) else None
    if kind is None:
        errors = [f"type: expected 'reading' or 'batch', got {named!r:.80}"]
    else:
        version = _version_error(kind, parsed.get(VERSION_FIELD))
        errors = [*filter(None, [version]), *_field_errors(parsed, kind)]
    return tuple(errors), site if isinstance(site, str) else ""


def _item_errors(original: bytes) -> tuple[str, ...]:
    """Everything wrong with an item; as part of a batch only its brackets have been looked at."""
    try:
        parsed = msgspec.json.decode(original)
    except UNREADABLE as error:
        return (f"not JSON: {error}",)
    return tuple(_field_errors(parsed, BatchItem))


def _version_error(kind: type[msgspec.Struct], found: object) -> str | None:
    """Why a message of a version cannot be read, if so; what is no text is another error."""
    if not isinstance(found, str):
        return None
    name = str(kind.__struct_config__.tag).capitalize()
    return version_problem(name, str(version_of(kind)), found)


def _field_errors(parsed: object, kind: type) -> list[str]:
    """One sentence per field of ``kind`` that is missing or of the wrong type."""
    if not isinstance(parsed, dict):
        return [f"expected a JSON object, got {type(parsed).__name__}"]
    errors = []
    for each in msgspec.structs.fields(kind):
        if each.name not in parsed:
            if each.required:
                errors.append(f"{each.name}: missing")
            continue
        value = parsed[each.name]
        wanted = list[Any] if kind is RawBatch and each.name == "readings" else each.type
        try:
            msgspec.convert(value, wanted)
        except msgspec.ValidationError as error:
            errors.append(f"{each.name}: {error} (got {value!r:.80})")
    return errors
