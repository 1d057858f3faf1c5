"""The topic that the table is read back from, and those that it is folded from."""

from typing import Final

from schemas.topics import ACKS, DEVICES_APP, DEVICES_CHANGELOG, TELEMETRY
from schemas.units import TelemetryKind

TABLE: Final = DEVICES_CHANGELOG.removeprefix(f"{DEVICES_APP}-").removesuffix("-changelog")
"""Faust makes the changelog's name of the app's and the table's."""

COMPACTION: Final = {
    "segment.ms": "300000",
    "segment.bytes": "1048576",
    "max.compaction.lag.ms": "300000",
    "min.cleanable.dirty.ratio": "0.1",
}
"""Kafka's defaults would compact after a week; Faust reads back some 3,000 changes a second."""

SOURCES: Final = (TELEMETRY[TelemetryKind.RELAY].name, ACKS.name)
"""The topics that the table is folded from."""
