"""The plain readings among records, straight to columns.

Nearly every record is a flat message of a known device with ordinary strings and numbers.
``_scan.c`` reads those without making an object of each field; where Gridloom was installed
without a C compiler, :func:`scan_in_python` does the same, in three times the time. What neither
reads goes the long way, through :mod:`processors.aligning.decoding`.
"""

from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
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
    place, code, time_ms, value = array("q"), array("q"), array("q"), array("d")
    event_ids: list[str] = []
    rest = []
    versions = (reading_version.decode(), batch_version.decode())
    for at, record in enumerate(values):
        items = _readable(record, *versions)
        keys = [key_of((site, each.device, each.quantity, each.unit)) for site, each in items]
        found = [codes.get(key, -1) for key in keys]
        if not items or min(found) < 0:
            rest.append(at)
            continue
        place.extend([at] * len(items))
        code.extend(found)
        time_ms.extend(each.event_time_ms for _, each in items)
        value.extend(each.value for _, each in items)
        event_ids += [each.event_id for _, each in items]
    ids = EventIds.of(event_ids)
    columns = (place.tobytes(), code.tobytes(), time_ms.tobytes(), value.tobytes())
    return (*columns, ids.ends.tobytes(), ids.block, rest)


def _readable(
    record: bytes, reading_version: str, batch_version: str
) -> list[tuple[str, Reading | BatchItem]]:
    """The readings of a record, each with its site; none where any is not as it should be."""
    try:
        message = _MESSAGE.decode(record)
    except UNREADABLE:
        return []
    is_single = isinstance(message, Reading)
    if message.schema_version != (reading_version if is_single else batch_version):
        return []
    items = (message,) if isinstance(message, Reading) else message.readings
    if any(abs(each.event_time_ms) >= 2**60 for each in items):
        return []
    return [(message.site, each) for each in items]


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
