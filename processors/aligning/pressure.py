"""Back-pressure: which topics of a partition should wait for the others.

A window closes when every telemetry topic has passed it. A topic that is read far ahead of the
slowest one fills memory with readings that nothing can be made of yet; Kafka keeps them better.
"""

from typing import Final

from processors.aligning.partition import PartitionAligner
from processors.aligning.watermarks import UNKNOWN_MS
from schemas.units import TelemetryKind
from schemas.windows import LATENESS_MS

AHEAD_MS: Final = 2 * LATENESS_MS
"""Topics that are so far apart are not in step [ms] (ours)."""


def should_wait(aligner: PartitionAligner, most_open: int) -> frozenset[TelemetryKind]:
    """The topics not to be read for now; the slowest one is never among them.

    Args:
        aligner: of the partition.
        most_open: readings of open windows that it may hold before any topic has to wait.
    """
    if len(aligner.readings) <= most_open:
        return frozenset()
    reached = {kind: cursor.watermark.value_ms for kind, cursor in aligner.cursors.items()}
    slowest = min(reached.values())
    if slowest == UNKNOWN_MS:
        return frozenset(kind for kind, at in reached.items() if at != UNKNOWN_MS)
    return frozenset(kind for kind, at in reached.items() if at > slowest + AHEAD_MS)
