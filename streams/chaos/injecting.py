"""Does to real processes what the plan says, and undoes it."""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from types import TracebackType
from typing import Final, Self

from deploy.local_cluster import LocalCluster
from deploy.supervisor import Event, Finished
from schemas.identity import partition_of
from schemas.topics import telemetry_topic
from schemas.units import TelemetryKind
from streams.chaos.plan import BROKER, HISTORIAN, Fault, FaultKind
from streams.kafka import admin
from streams.local_pipeline import LocalPipeline, StageProcesses

_SERVERS: Final = frozenset({BROKER, HISTORIAN})
_LOCK_TIMEOUT_S: Final = 10.0
_LEADER_TIMEOUT_S: Final = 10.0

Act = Callable[[str], AbstractContextManager[None]]
"""Does something to a target on entering, and undoes it on leaving."""


class Injector:
    """Faults in a running pipeline; leaving the context undoes those that still last.

    Args:
        pipeline: the pipeline.
        site: whose readings come from the broker that is killed, where there are several.
    """

    def __init__(self, pipeline: LocalPipeline, site: str) -> None:
        self._pipeline = pipeline
        self._site = site
        self._lasting: dict[Fault, AbstractContextManager[None]] = {}
        self._others: list[StageProcesses] = []
        self._asked_to_end: set[str] = set()
        self._acts: Mapping[FaultKind, Act] = {
            FaultKind.KILL: self._kill,
            FaultKind.TERMINATE: self._terminate,
            FaultKind.PAUSE: self._pause,
            FaultKind.ZOMBIE: self._replace,
            FaultKind.TWIN: self._double,
            FaultKind.SECOND_SLOT: self._add_slot,
            FaultKind.BROKER: self._kill_broker,
            FaultKind.HISTORIAN: self._take_historian_away,
        }

    def can_begin(self, fault: Fault) -> bool:
        """Whether the target is there; a stage may be on its way back from the last fault."""
        return fault.target in _SERVERS or fault.target in self._pipeline.stages.pids

    def begin(self, fault: Fault) -> None:
        """Do it."""
        act = self._acts[fault.kind](fault.target)
        act.__enter__()
        self._lasting[fault] = act

    def end(self, fault: Fault) -> None:
        """Undo what lasts."""
        self._lasting.pop(fault).__exit__(None, None, None)

    @property
    def spares_servers(self) -> bool:
        """Whether Kafka and InfluxDB are to run now."""
        return not any(fault.target in _SERVERS for fault in self._lasting)

    def look_after(self, events: list[Event]) -> None:
        """Start again what ended because it was asked to."""
        for event in events:
            if isinstance(event, Finished) and event.name in self._asked_to_end:
                self._asked_to_end.remove(event.name)
                self._pipeline.stages.start([event.name])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for fault in list(self._lasting):
            self.end(fault)
        for other in self._others:
            other.stop()

    @contextmanager
    def _kill(self, stage: str) -> Iterator[None]:
        self._pipeline.stages.kill(stage)
        yield

    @contextmanager
    def _terminate(self, stage: str) -> Iterator[None]:
        """Whether it ends in order, or must be called a crash, the supervisor will see."""
        self._asked_to_end.add(stage)
        os.kill(self._pipeline.stages.pids[stage], signal.SIGTERM)
        yield

    @contextmanager
    def _pause(self, stage: str) -> Iterator[None]:
        pid = self._pipeline.stages.pids[stage]
        os.kill(pid, signal.SIGSTOP)
        yield
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    @contextmanager
    def _replace(self, stage: str) -> Iterator[None]:
        """The old one wakes up fenced; started again, it fences the one that replaced it."""
        with self._pause(stage):
            self._start_another(stage, slot=0)
            yield

    @contextmanager
    def _double(self, stage: str) -> Iterator[None]:
        """The one that is fenced ends; where it is the supervised one, it is started again."""
        self._start_another(stage, slot=0)
        yield

    @contextmanager
    def _add_slot(self, stage: str) -> Iterator[None]:
        other = self._start_another(stage, slot=1)
        yield
        other.stop()

    @contextmanager
    def _kill_broker(self, _target: str) -> Iterator[None]:
        """The only one; of several the one that leads a partition of meters' readings."""
        kafka = self._pipeline.kafka
        broker = kafka.brokers[self._leader()] if isinstance(kafka, LocalCluster) else kafka
        if broker.pid is not None:
            os.kill(broker.pid, signal.SIGKILL)
        yield
        broker.stop()
        broker.start()

    def _leader(self) -> int:
        """The broker that leads the partition of the demo's meters."""
        settings = self._pipeline.settings.kafka
        topic = telemetry_topic(TelemetryKind.METER)
        partitions = admin(settings).list_topics(topic, _LEADER_TIMEOUT_S).topics[topic].partitions
        return int(partitions[partition_of(self._site, settings.partitions)].leader)

    @contextmanager
    def _take_historian_away(self, _target: str) -> Iterator[None]:
        influx = self._pipeline.influx
        if influx is None:
            with self._locked_file():
                yield
            return
        if influx.pid is not None:
            os.kill(influx.pid, signal.SIGKILL)
        yield
        influx.stop()
        influx.start()

    @contextmanager
    def _locked_file(self) -> Iterator[None]:
        """Nobody else can write to the SQLite file."""
        path = self._pipeline.settings.historian_path
        connection = sqlite3.connect(path, timeout=_LOCK_TIMEOUT_S, isolation_level=None)
        with closing(connection):
            connection.execute("BEGIN EXCLUSIVE")
            yield
            connection.execute("ROLLBACK")

    def _start_another(self, stage: str, slot: int) -> StageProcesses:
        """A process that nobody starts again."""
        folder = self._pipeline.folder / "logs" / f"other-{len(self._others)}"
        other = StageProcesses(self._pipeline.settings, folder, slot)
        self._others.append(other)
        other.start([stage])
        return other
