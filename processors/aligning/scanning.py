"""The plain readings among records, straight to columns.

Nearly every record is a flat message of a known device with ordinary strings and numbers.
``_scan.c`` reads those without making an object of each field; where Gridloom was installed
without a C compiler, :func:`scan_in_python` does the same, some ten times slower. What neither
reads goes the long way, through :mod:`processors.aligning.decoding`.
"""

from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import repeat
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from processors.aligning.event_ids import EventIds
from schemas.messages import UNREADABLE
from schemas.telemetry import Batch, BatchItem, Reading
from schemas.versions import version_of

Columns = tuple[bytes, bytes, bytes, bytes, bytes, bytes, list[int]]
Scan = Callable[[list[bytes], dict[bytes, int], bytes, bytes], Columns]

Address = tuple[str, str, str, str]
"""Site, device, quantity and unit of a reading: what its series and scale follow from."""

_VERSIONS: Final = str(version_of(Reading)).encode(), str(version_of(Batch)).encode()
_MESSAGE: Final = msgspec.json.Decoder(Reading | Batch)


def key_of(address: Address) -> bytes:
    """An address as codes are found by."""
    return "\x1f".join(address).encode()


@dataclass(frozen=True, slots=True)
class Scanned:
    """Readings as columns, in the order of their records.

    Attributes:
        place: of the record; int64.
        code: of the address; int64.
        time_ms: event time [ms]; int64.
        value: in the address' unit; float64.
        event_ids: their identities.
        rest: places of the records that were not read; ticks are among them.
    """

    place: NDArray[np.int64]
    code: NDArray[np.int64]
    time_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    event_ids: EventIds
    rest: list[int]


def scan_in_python(
    values: list[bytes], codes: dict[bytes, int], reading_version: bytes, batch_version: bytes
) -> Columns:
    """What ``_scan.c`` does, see there; it may read more of the messages, never differently."""
    versions = (reading_version.decode(), batch_version.decode())
    places: list[int] = []
    found: list[int] = []
    items: list[Reading | BatchItem] = []
    rest: list[int] = []
    for at, record in enumerate(values):
        site, readable = _readable(record, *versions)
        keys = (key_of((site, each.device, each.quantity, each.unit)) for each in readable)
        of_record = [codes.get(key, -1) for key in keys]
        if not of_record or -1 in of_record:
            rest.append(at)
            continue
        places += repeat(at, len(readable))
        found += of_record
        items += readable
    ids = EventIds.of(each.event_id for each in items)
    return (
        array("q", places).tobytes(),
        array("q", found).tobytes(),
        array("q", [each.event_time_ms for each in items]).tobytes(),
        array("d", [each.value for each in items]).tobytes(),
        ids.ends.tobytes(),
        ids.block,
        rest,
    )


def _readable(
    record: bytes, reading_version: str, batch_version: str
) -> tuple[str, tuple[Reading | BatchItem, ...]]:
    """A record's site and readings; none where any is not as it should be."""
    try:
        message = _MESSAGE.decode(record)
    except UNREADABLE:
        return "", ()
    items: tuple[Reading | BatchItem, ...]
    if isinstance(message, Reading):
        items, version = (message,), reading_version
    else:
        items, version = message.readings, batch_version
    if message.schema_version != version or any(abs(e.event_time_ms) >= 2**60 for e in items):
        return "", ()
    return message.site, items


def _scan_in_c() -> Scan | None:
    with suppress(ImportError):
        from processors.aligning._scan import scan

        return scan
    return None


SCAN_IN_C: Final = _scan_in_c()
"""The compiled one; None where there was no C compiler."""

_SCAN: Final = SCAN_IN_C or scan_in_python


def scan(values: list[bytes], codes: dict[bytes, int]) -> Scanned:
    """Read what is plain.

    Args:
        values: of the records.
        codes: by address, see :func:`key_of`; 0 or more.
    """
    place, code, time_ms, value, id_ends, ids, rest = _SCAN(values, codes, *_VERSIONS)
    return Scanned(
        place=np.frombuffer(place, np.int64),
        code=np.frombuffer(code, np.int64),
        time_ms=np.frombuffer(time_ms, np.int64),
        value=np.frombuffer(value, np.float64),
        event_ids=EventIds(ids, np.frombuffer(id_ends, np.int64)),
        rest=rest,
    )
