"""Several align processes that share the partitions of one workload."""

import time
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from confluent_kafka import ConsumerGroupState

from deploy.processes import Process, stop
from streams.benchmarking.align_bed import Bed
from streams.benchmarking.cpu_time import cpu_seconds
from streams.benchmarking.measured_process import TIMEOUT_S, MeasuredProcess, environment_of
from streams.benchmarking.scale_worker import Share
from streams.kafka import admin

_GROUP: Final = "gridloom.align"
_STOP_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Together:
    """What so many processes did together.

    Attributes:
        shares: of each, by slot.
        readings_per_s: from the common start to the last committed window.
        broker_cpu_us: the broker's CPU time per reading [us]; 0 where nobody can say.
    """

    shares: tuple[Share, ...]
    readings_per_s: float
    broker_cpu_us: float

    @property
    def cpu_us(self) -> float:
        """CPU time per reading of all of them [us]."""
        return sum(s.cpu_s for s in self.shares) / sum(s.readings for s in self.shares) * 1e6


def align_together(bed: Bed, processes: int) -> Together:
    """One run of so many processes, from an empty state to the last committed windows.

    Raises:
        StackError: one failed, or together they did not window every reading exactly once.
    """
    bed.forget_state()
    watch = bed.last_windows()
    go = bed.folder / "go"
    go.unlink(missing_ok=True)
    environment = environment_of(bed.settings, "align")
    workers = [
        MeasuredProcess("scale_worker", f"slot-{slot}", bed.folder, environment)
        for slot in range(processes)
    ]
    with ExitStack() as stack:
        children = [
            stack.enter_context(worker.running(str(slot), str(go)))
            for slot, worker in enumerate(workers)
        ]
        deadline_s = time.monotonic() + TIMEOUT_S
        while not _each_has_partitions(bed, processes):
            _require(workers, children, deadline_s)
            time.sleep(_LOOK_EVERY_S)
        broker_s = cpu_seconds(bed.broker_pid)
        go.touch()
        began_s = time.monotonic()
        while not watch.complete():
            _require(workers, children, deadline_s)
        seconds = time.monotonic() - began_s
        broker_s = cpu_seconds(bed.broker_pid) - broker_s
        stop(children, _STOP_S)
    watch.close()
    bed.check_counts()
    readings = bed.workload.readings
    return Together(
        shares=tuple(worker.outcome(Share) for worker in workers),
        readings_per_s=readings / seconds,
        broker_cpu_us=broker_s / readings * 1e6,
    )


def _require(workers: list[MeasuredProcess], children: list[Process], deadline_s: float) -> None:
    """Make sure that all run, and that there is still time."""
    for worker, child in zip(workers, children, strict=True):
        if child.poll() is not None or time.monotonic() > deadline_s:
            raise worker.failure()


def _each_has_partitions(bed: Bed, processes: int) -> bool:
    """Whether the group has so many members, each with a share; earlier ones have left it."""
    client = admin(bed.settings.kafka)
    group = client.describe_consumer_groups([_GROUP], request_timeout=10)[_GROUP].result()
    sharing = [each for each in group.members if each.assignment.topic_partitions]
    is_stable = group.state == ConsumerGroupState.STABLE
    return is_stable and len(sharing) == len(group.members) == processes
