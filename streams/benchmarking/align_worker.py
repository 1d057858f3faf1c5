"""One measured process: ``python -m streams.benchmarking.align_worker ROLE SLOT RECORDS FILE``.

Roles: ``align`` is the real stage, until SIGTERM, and ``plain`` the same without transactions;
``consume`` and ``decode`` are bare loops with the same consumer settings, until they have taken
``RECORDS`` records. All of them count from the moment they have their partitions. What each used
goes to ``FILE``.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from confluent_kafka import Consumer, Message, TopicPartition

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings, Settings, load_settings
from schemas.telemetry import RawBatch, Reading
from schemas.topics import TELEMETRY
from streams.align import AlignStage
from streams.aligning.arriving import MOST_RECORDS
from streams.benchmarking.memory import peak_memory_mb
from streams.kafka import arrived, group_consumer, producer
from streams.logs import log_to_stderr
from streams.metrics import StageMetrics
from streams.stages import collect_seldom
from streams.transactions import Output, Transactions

_WAIT_S: Final = 0.1
_FLUSH_S: Final = 30.0


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a process used, and when.

    Attributes:
        began_s, ended_s: system-wide monotonic clock [s]; ``ended_s`` of align is its end by
            SIGTERM, not that of its work.
        cpu_s: CPU time of all its threads in between [s].
        peak_mb: the most memory that was resident in all its life [MB].
    """

    began_s: float
    ended_s: float
    cpu_s: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, and the CPU time that this process had used by then [s]."""

    at_s: float
    cpu_s: float

    @classmethod
    def now(cls) -> "Moment":
        """The present one."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(time.monotonic(), used.ru_utime + used.ru_stime)

    def until_now(self) -> Used:
        """What was used since."""
        end = self.now()
        return Used(
            began_s=self.at_s,
            ended_s=end.at_s,
            cpu_s=end.cpu_s - self.cpu_s,
            peak_mb=peak_memory_mb(),
        )


class MeasuredAlign(AlignStage):
    """The stage as it is; it only notes when it gets its partitions, and when it is stopped.

    Args:
        settings: where Kafka is.
        slot: as of the stage.
        file: for what it used.
    """

    def __init__(self, settings: Settings, slot: int, file: Path) -> None:
        self._began: Moment | None = None
        self._file = file
        super().__init__(settings, slot, StageMetrics("align", slot))

    def take_over(self, kept: AbstractSet[int], new: AbstractSet[int]) -> None:
        """As ever; the first time, note when."""
        super().take_over(kept, new)
        self._began = self._began or Moment.now()

    def close(self) -> None:
        """Note what was used; then as ever."""
        if self._began is not None:
            self._file.write_bytes(msgspec.json.encode(self._began.until_now()))
        super().close()


class PlainWrites(Transactions):
    """Writes the same with an idempotent producer, then commits the offsets: at least once.

    Args:
        settings: where Kafka is.
    """

    def __init__(self, settings: KafkaSettings) -> None:
        self._producer = producer(settings, "bench.plain")

    def commit(
        self,
        outputs: Sequence[Output],
        offsets: Sequence[TopicPartition] = (),
        consumer: Consumer | None = None,
    ) -> None:
        """All outputs, then the offsets.

        Raises:
            BrokerError: Kafka did not take them in time.
        """
        for output in outputs:
            self._produce(output)
        if self._producer.flush(_FLUSH_S):
            message = "Kafka did not take all records in time"
            raise BrokerError(message)
        if offsets and consumer is not None:
            consumer.commit(offsets=[*offsets], asynchronous=False)


class MeasuredPlainAlign(MeasuredAlign):
    """The stage with everything but its transactions."""

    def __init__(self, settings: Settings, slot: int, file: Path) -> None:
        super().__init__(settings, slot, file)
        self._transactions = PlainWrites(settings.kafka)


def run_peer(settings: Settings, slot: int, records: int, use: Callable[[Message], object]) -> Used:
    """Consume ``records`` records of the telemetry topics from their beginning.

    Args:
        settings: where Kafka is.
        slot: a number of its own for every run, so that its group is new.
        records: that the topics hold.
        use: what is done with each.

    Raises:
        BrokerError: one of them cannot be read.
    """
    began: list[Moment] = []

    def on_assign(consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.assign([TopicPartition(each.topic, each.partition, 0) for each in partitions])
        began.append(Moment.now())

    consumer = group_consumer(settings.kafka, f"bench{slot}", slot)
    consumer.subscribe([spec.name for spec in TELEMETRY.values()], on_assign=on_assign)
    collect_seldom()
    taken = 0
    while taken < records:
        messages = arrived(consumer, MOST_RECORDS, _WAIT_S)
        for message in messages:
            use(message)
        taken += len(messages)
    used = began[0].until_now()
    consumer.close()
    return used


def consume(message: Message) -> None:
    """The least that a loop must do with a record: ask whether it is one."""
    if (error := message.error()) is not None:
        text = f"cannot read: {error}"
        raise BrokerError(text)


def decode(message: Message) -> object:
    """What a stage in Python does first: offset, append time, and JSON to a typed message."""
    value, _, _ = message.value(), message.offset(), message.timestamp()
    return _MESSAGE.decode(value) if value else None


_MESSAGE: Final = msgspec.json.Decoder(Reading | RawBatch)
_STAGES: Final = {"align": MeasuredAlign, "plain": MeasuredPlainAlign}
_PEERS: Final = {"consume": consume, "decode": decode}


def main(role: str, slot: int, records: int, file: Path) -> None:
    """Play one role."""
    settings = load_settings()
    log_to_stderr(role)
    if role in _STAGES:
        _STAGES[role](settings, slot, file).run()
    else:
        used = run_peer(settings, slot, records, _PEERS[role])
        file.write_bytes(msgspec.json.encode(used))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
