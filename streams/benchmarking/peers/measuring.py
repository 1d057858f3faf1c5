"""A peer measured on the broker that align was measured on, with the records that it was given."""

import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

from confluent_kafka.cimpl import NewTopic

from deploy.processes import Process, kill, spawn
from schemas.errors import StackError
from schemas.settings import KafkaSettings
from schemas.topics import telemetry_topic
from schemas.units import TelemetryKind
from streams.benchmarking.align_workload import Workload
from streams.benchmarking.peers.engines import Engine
from streams.benchmarking.peers.means import Means
from streams.benchmarking.peers.output import Output
from streams.kafka import create_topics
from streams.replay.sending import Sender

COMMIT_MS: Final = 1_000
"""Between a peer's commits [ms]: ten times as long as align's, and faster for all of them."""

TIMEOUT_S: Final = 240.0
_LINES_SHOWN: Final = 5
_INPUT: Final = telemetry_topic(TelemetryKind.METER)
# Records of long ago, as the broker deletes by record time, would vanish under CreateTime.
_APPEND_TIME: Final = {"message.timestamp.type": "LogAppendTime"}


class PeerBed:
    """Where one peer runs, each time from the beginning.

    Args:
        settings: of the broker that holds the workload.
        engine: the peer.
        command: what starts its program.
        workload: what it is given: all that the broker holds, or the first of it.
        is_all: whether it is all.
        folder: for logs and files of the runs.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        engine: Engine,
        command: Sequence[str],
        workload: Workload,
        folder: Path,
        *,
        is_all: bool,
    ) -> None:
        self.engine = engine
        self.readings = workload.readings
        self.end_ms = workload.end_ms
        self._settings = settings
        self._command = command
        self._folder = folder
        self._runs = count(1)
        self._input = _INPUT if is_all else f"bench.{engine.key}.readings"
        if not is_all:
            self._send_again(workload)

    def run(self) -> tuple[float, Means]:
        """One run: readings/s from its first record to its last committed window, and all windows.

        Raises:
            StackError: it ended by itself, or did not write every window in time.
        """
        name = f"bench.{self.engine.key}.{next(self._runs)}"
        folder = self._folder / name
        folder.mkdir(parents=True)
        self._create(name)
        output = Output(self._settings, name, self.readings)
        process = self._start(name, folder)
        try:
            deadline_s = time.monotonic() + TIMEOUT_S
            while not output.complete():
                if process.poll() is not None or time.monotonic() > deadline_s:
                    raise self._failure(folder)
        finally:
            kill(process)
            output.close()
        began_s = float((folder / "began").read_text("ascii"))
        return self.readings / (output.completed_s - began_s), output.means

    def _start(self, name: str, folder: Path) -> Process:
        kafka = self._settings
        arguments = [kafka.bootstrap_servers, self._input, name, f"{name}.group"]
        numbers = [str(kafka.partitions), str(COMMIT_MS)]
        argv = [*self._command, *arguments, *numbers, str(folder)]
        return spawn(argv, folder / "log", folder=folder)

    def _failure(self, folder: Path) -> StackError:
        lines = (folder / "log").read_text(errors="replace").splitlines()
        message = f"{self.engine.title} did not write all windows, see {folder / 'log'}"
        return StackError(message, problems=lines[-_LINES_SHOWN:])

    def _create(self, topic: str) -> None:
        new = NewTopic(topic, self._settings.partitions, 1, config=_APPEND_TIME)
        create_topics(self._settings, [new])

    def _send_again(self, workload: Workload) -> None:
        """The first of the records into a topic of their own: an end for who never gets to all."""
        self._create(self._input)
        sender = Sender(self._settings)
        for record in workload.records():
            if record.topic == _INPUT:
                sender.send(
                    self._input,
                    record.value,
                    key=record.key,
                    partition=record.partition,
                    headers=record.headers,
                )
        sender.flush()
