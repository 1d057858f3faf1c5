"""A measured store: ``python -m streams.benchmarking.store_worker POINTS FILE``.

The real stage, from its first batch until it has committed so many points; then it leaves. What it
used goes to ``FILE``.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec
from confluent_kafka import Message

from schemas.settings import Settings, load_settings
from streams.benchmarking.align_worker import Moment, Used
from streams.historians.points import Point, points_in
from streams.historians.protocol import Historian, RefusedPoint
from streams.intake import Intake
from streams.logs import log_to_stderr
from streams.metrics import StageMetrics
from streams.patience import Patience
from streams.store import STAGE, StoreStage


class MeasuredStore(StoreStage):
    """The stage as it is; it notes its first batch, and leaves after its last.

    Args:
        settings: where Kafka and the historian are.
        points: that it is to store.
    """

    def __init__(self, settings: Settings, points: int) -> None:
        super().__init__(settings, 0, StageMetrics(STAGE))
        self._left = points
        self._began: Moment | None = None
        self.used: Used | None = None

    def _step(self, intake: Intake, historian: Historian, patience: Patience) -> None:
        before, left = Moment.now(), self._left
        super()._step(intake, historian, patience)
        if self._left < left:
            self._began = self._began or before
        if self._left <= 0 and self._began is not None and self.used is None:
            self.used = self._began.until_now()
            os.kill(os.getpid(), signal.SIGTERM)

    def _count(
        self,
        stored: Sequence[tuple[Message, Point]],
        refused: Sequence[RefusedPoint],
        seconds: float,
    ) -> None:
        super()._count(stored, refused, seconds)
        self._left -= sum(points_in(point) for _, point in stored)


def main(points: int, file: Path) -> None:
    """Store so many points."""
    log_to_stderr(STAGE)
    stage = MeasuredStore(load_settings(), points)
    stage.run()
    file.write_bytes(msgspec.json.encode(stage.used))


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
