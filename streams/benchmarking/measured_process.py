"""Children whose figures come back in a file."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from deploy.processes import Process, kill, spawn
from schemas.errors import StackError
from schemas.settings import PREFIX, Settings
from streams.stage_environment import stage_environment

T = TypeVar("T")

TIMEOUT_S: Final = 600.0
_LINES_SHOWN: Final = 3


class MeasuredProcess:
    """A module of this package as a process of its own; ``python -m MODULE ... FILE``.

    Args:
        module: name within this package.
        name: of its log and of the file that it writes.
        folder: for both.
        environment: variables set besides those of this process.
    """

    def __init__(
        self, module: str, name: str, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._module = f"streams.benchmarking.{module}"
        self._name = name
        self._environment = environment
        self._log = folder / f"{name}.log"
        self._file = folder / f"{name}.json"
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[Process]:
        """The process, for as long as the body takes and no longer."""
        self._file.unlink(missing_ok=True)
        argv = [sys.executable, "-m", self._module, *arguments, str(self._file)]
        process = spawn(argv, self._log, env=self._environment)
        try:
            yield process
        finally:
            kill(process)

    def run(self, kind: type[T], *arguments: str) -> T:
        """Run it to its end; what it wrote.

        Raises:
            StackError: it failed; shows the end of its log.
        """
        with self.running(*arguments) as process:
            if process.wait(TIMEOUT_S) != 0:
                raise self.failure()
        return self.outcome(kind)

    def outcome(self, kind: type[T]) -> T:
        """What it wrote.

        Raises:
            StackError: nothing; shows the end of its log.
        """
        if not self._file.exists():
            raise self.failure()
        return msgspec.json.decode(self._file.read_bytes(), type=kind)

    def failure(self) -> StackError:
        """The error that it failed."""
        lines = self._log.read_text(errors="replace").splitlines() if self._log.exists() else []
        message = f"the measured process {self._name} failed, see {self._log}"
        return StackError(message, problems=lines[-_LINES_SHOWN:])


def environment_of(settings: Settings, stage: str) -> dict[str, str]:
    """What a process that plays a stage must be told of a benchmark's own pipeline."""
    partitions = str(settings.kafka.partitions)
    return {**stage_environment(settings, stage), f"{PREFIX}KAFKA__PARTITIONS": partitions}
