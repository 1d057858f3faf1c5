"""One of several align processes: ``python -m streams.benchmarking.scale_worker SLOT GO FILE``.

It takes its partitions and then waits for the file ``GO``, so that all begin at once, each with
its own share; until SIGTERM. What it did goes to ``FILE``.
"""

import sys
from pathlib import Path

import msgspec
from confluent_kafka import Message

from schemas.settings import Settings, load_settings
from streams.align import AlignStage
from streams.aligning.publishing import STAGE
from streams.benchmarking.align_worker import Moment
from streams.logs import log_to_stderr
from streams.metrics import StageMetrics


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """What one of several processes did.

    Attributes:
        readings: that it windowed.
        began_s, ended_s: system-wide monotonic clock at the start and after its last records [s].
        cpu_s: CPU time of all its threads in between [s].
    """

    readings: int
    began_s: float
    ended_s: float
    cpu_s: float

    @property
    def readings_per_s(self) -> float:
        """While it had something to do."""
        return self.readings / (self.ended_s - self.began_s)


class WaitingAlign(AlignStage):
    """The stage as it is; it begins when it is told to, and notes what it did.

    Args:
        settings: where Kafka is.
        slot: as of the stage.
        go: begins when this file is there.
        file: for what it did.
    """

    def __init__(self, settings: Settings, slot: int, go: Path, file: Path) -> None:
        self._go = go
        self._file = file
        self._began: Moment | None = None
        self._share: Share | None = None
        super().__init__(settings, slot, StageMetrics(STAGE, slot))

    def step(self) -> None:
        """Take nothing until that is allowed; otherwise as ever."""
        if self._began is None:
            consumer = self._member.consumer
            if self._go.exists():
                consumer.resume(consumer.assignment())
                self._began = Moment.now()
            else:
                consumer.pause(consumer.assignment())
        super().step()

    def _consume(self, messages: list[Message]) -> None:
        super()._consume(messages)
        if messages and self._began is not None:
            used = self._began.until_now()
            counts = (hosted.aligner.counts for hosted in self._hosted.values())
            self._share = Share(
                readings=sum(each.windowed for each in counts),
                began_s=used.began_s,
                ended_s=used.ended_s,
                cpu_s=used.cpu_s,
            )

    def close(self) -> None:
        """Note what was done; then as ever."""
        self._file.write_bytes(msgspec.json.encode(self._share))
        super().close()


def main(slot: int, go: Path, file: Path) -> None:
    """Align until asked to stop."""
    log_to_stderr(STAGE, slot)
    WaitingAlign(load_settings(), slot, go, file).run()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
