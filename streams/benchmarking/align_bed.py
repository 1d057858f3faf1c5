"""A Kafka that holds one workload, and what is measured on it, each time from the beginning."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from statistics import median
from typing import Final

import msgspec

from deploy.processes import stop
from schemas.align_state import POSITION_KEY, AlignPosition, ReadingCounts
from schemas.clock import PipelineClock
from schemas.errors import StackError
from schemas.messages import Decoder
from schemas.settings import KafkaSettings, Settings
from schemas.topics import ALIGN_STATE
from streams.benchmarking.align_watch import LastWindows
from streams.benchmarking.align_worker import Used
from streams.benchmarking.align_workload import Workload
from streams.benchmarking.measured_process import TIMEOUT_S, MeasuredProcess, environment_of
from streams.benchmarking.memory import resident_memory_mb
from streams.kafka import producer, read_table
from streams.local_pipeline import LocalPipeline
from streams.replay.sending import Sender

_STOP_S: Final = 30.0
_ALIGN_SLOT: Final = 0
"""The same for every run: its group then hands the partitions over without a time-out."""

_POSITION: Final[Decoder[AlignPosition]] = Decoder(AlignPosition)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One measured pass over the workload.

    Attributes:
        readings_per_s: from getting the partitions to the last record or committed window.
        cpu_us: CPU time per reading, librdkafka's threads included [us].
        peak_mb: the process' peak resident memory [MB].
        steady_mb: the median of what was resident in the second half of the run [MB]; 0 where
            nobody looked.
    """

    readings_per_s: float
    cpu_us: float
    peak_mb: float
    steady_mb: float = 0.0


class Bed:
    """A running Kafka with a workload in it.

    Args:
        settings: with its address.
        workload: what it holds.
        records: how many records that are.
        folder: for logs and results of the measured processes.
        broker_pid: the Kafka's process.
    """

    def __init__(
        self,
        settings: Settings,
        workload: Workload,
        records: int,
        folder: Path,
        broker_pid: int | None,
    ) -> None:
        self.settings = settings
        self.workload = workload
        self.folder = folder
        self.broker_pid = broker_pid
        self._records = records
        self._slots = count(1)

    @property
    def kafka(self) -> KafkaSettings:
        """Where its Kafka is."""
        return self.settings.kafka

    def loop(self, role: str) -> Run:
        """One run of a bare loop, ``consume`` or ``decode``.

        Raises:
            StackError: it failed; says where its log is.
        """
        slot = next(self._slots)
        used = self._process(role).run(Used, role, str(slot), str(self._records))
        return self._run(used, used.ended_s - used.began_s)

    def align(self, role: str = "align") -> Run:
        """One run of the real stage, from an empty state to the last committed windows.

        Args:
            role: ``align``, or ``plain`` for the stage without its transactions.

        Raises:
            StackError: it failed, or did not window every reading exactly once.
        """
        self.forget_state()
        process = self._process(role)
        watch = self.last_windows()
        resident_mb: list[float] = []
        with process.running(role, str(_ALIGN_SLOT), str(self._records)) as child:
            deadline_s = time.monotonic() + TIMEOUT_S
            while not watch.complete():
                if child.poll() is not None or time.monotonic() > deadline_s:
                    raise process.failure()
                resident_mb += resident_memory_mb(child.pid)
            ended_s = time.monotonic()
            stop([child], _STOP_S)
        watch.close()
        self.check_counts()
        used = process.outcome(Used)
        steady_mb = median(resident_mb[len(resident_mb) // 2 :]) if resident_mb else 0.0
        run = self._run(used, ended_s - used.began_s)
        return msgspec.structs.replace(run, steady_mb=steady_mb)

    def last_windows(self) -> LastWindows:
        """Sees when the last window of every site is committed, from now on."""
        return LastWindows(self.settings.kafka, self.workload.last_start_ms, self.workload.sites)

    def _process(self, role: str) -> MeasuredProcess:
        environment = environment_of(self.settings, "align")
        return MeasuredProcess("align_worker", role, self.folder, environment)

    def _run(self, used: Used, seconds: float) -> Run:
        readings = self.workload.readings
        return Run(
            readings_per_s=readings / seconds,
            cpu_us=used.cpu_s / readings * 1e6,
            peak_mb=used.peak_mb,
        )

    def check_counts(self) -> None:
        """Make sure that nothing was fast by leaving something out.

        Raises:
            StackError: align did not window every reading exactly once.
        """
        counts = ReadingCounts()
        for partition in range(self.settings.kafka.partitions):
            table = read_table(self.settings.kafka, ALIGN_STATE.name, partition)
            with suppress(KeyError):  # a partition without a site
                counts += _POSITION.decode(table[POSITION_KEY]).counts
        if counts != ReadingCounts(windowed=self.workload.readings):
            message = f"align did not window {self.workload.readings} readings once: {counts}"
            raise StackError(message)

    def forget_state(self) -> None:
        """Empty align's state, so that it starts at offset 0: its state says where it stands."""
        client = producer(self.settings.kafka, "bench")
        for partition in range(self.settings.kafka.partitions):
            for key in read_table(self.settings.kafka, ALIGN_STATE.name, partition):
                client.produce(ALIGN_STATE.name, None, key, partition)
        client.flush()


@contextmanager
def laid_bed(
    settings: Settings, workload: Workload, folder: Path, report: Callable[[str], None]
) -> Iterator[Bed]:
    """A Kafka of its own on the data clock, the workload sent; stopped after the body.

    Args:
        settings: as configured.
        workload: to be sent.
        folder: of the Kafka, and for logs and results.
        report: told what takes time.
    """
    with LocalPipeline(settings, folder, report=report) as pipeline:
        pipeline.up(PipelineClock(speed=0.0), workload.models())
        records = workload.send(Sender(pipeline.settings.kafka))
        yield Bed(pipeline.settings, workload, records, folder, pipeline.kafka.pid)
