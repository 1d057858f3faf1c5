"""Dead letters for tests: a bad reading, with whatever a test changes."""

from typing import Final

import msgspec

from schemas.dead_letter import DeadLetter, Retry, as_base64
from schemas.telemetry import Batch, BatchItem, Reading
from streams.letters.stored import StoredLetter

NOW_MS: Final = 1_700_000_000_000
ITEM: Final = BatchItem(
    event_id="e1",
    device="hall",
    quantity="active_power",
    unit="kW",
    value=2.5,
    event_time_ms=NOW_MS,
)
READING: Final = Reading(**msgspec.structs.asdict(ITEM), site="plant-7", source="head-end-1")
BATCH: Final = Batch(site="plant-7", source="head-end-1", readings=(ITEM, ITEM))


def letter(original: bytes, **changes: object) -> DeadLetter:
    """A letter of align about a record of meters."""
    plain = DeadLetter(
        stage="align",
        origin="telemetry.meter",
        partition=1,
        position=42,
        errors=("unit: 'horses' is not one of kW, W, MW for active_power",),
        original_base64=as_base64(original),
        site="plant-7",
    )
    return msgspec.structs.replace(plain, **changes)


def stored(original: bytes = b"{}", number: int = 7, **changes: object) -> StoredLetter:
    """The same in its topic."""
    return StoredLetter(number, NOW_MS, letter(original, **changes))


def retried(letter_number: int = 7) -> Retry:
    """The note that it was sent again."""
    return Retry(letter=letter_number, topic="telemetry.meter", partition=1, by="ada", at_ms=NOW_MS)
