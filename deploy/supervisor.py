"""Runs the stages of the pipeline as child processes, and restarts those that crash."""

import shutil
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.backoff import Backoff
from deploy.processes import Process, kill, spawn, stop
from schemas.errors import StackError

# What a killed child printed last is in its log, not in a buffer.
_ENVIRONMENT: Final = {"PYTHONUNBUFFERED": "1"}


LATELY_S: Final = 120.0
"""Crashes are counted over so long [s]."""

TOO_OFTEN: Final = 3
"""A child that crashes so often within ``LATELY_S`` keeps crashing."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A child ended with exit code 0; it is not started again."""

    name: str


@dataclass(frozen=True, slots=True)
class Crashed:
    """A child ended otherwise.

    Attributes:
        name: of the child.
        exit_code: its exit code; minus the signal's number where a signal ended it.
        restart_in_s: when it is started again, counted from now [s].
        lately: how often it crashed within ``LATELY_S``, this time included.
    """

    name: str
    exit_code: int
    restart_in_s: float
    lately: int

    @property
    def keeps_crashing(self) -> bool:
        """Whether starting it again does not help: somebody has to look."""
        return self.lately >= TOO_OFTEN


@dataclass(frozen=True, slots=True)
class Restarted:
    """A crashed child runs again, as process ``pid``."""

    name: str
    pid: int


Event = Finished | Crashed | Restarted
"""What ``Supervisor.poll`` notices."""


@dataclass(slots=True)
class _Child:
    argv: tuple[str, ...]
    env: dict[str, str]
    process: Process
    backoff: Backoff = field(default_factory=Backoff)
    since_s: float | None = None
    restart_at_s: float | None = None
    crashes_s: deque[float] = field(default_factory=deque)

    def crashes_lately(self, now_s: float) -> int:
        """How often it crashed lately."""
        while self.crashes_s and self.crashes_s[0] < now_s - LATELY_S:
            self.crashes_s.popleft()
        return len(self.crashes_s)


class Supervisor:
    """Keeps children running; none of them outlives this process.

    A child's output and errors go to ``<log_folder>/<name>.log``. As a context manager it stops
    its children at the end.

    Args:
        log_folder: made where it does not exist.
    """

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._children: dict[str, _Child] = {}

    def log_path(self, name: str) -> Path:
        """The log of a child, over all its restarts."""
        return self._log_folder / f"{name}.log"

    @property
    def pids(self) -> dict[str, int]:
        """Process ids of the children that run now."""
        return {
            name: child.process.pid
            for name, child in self._children.items()
            if child.process.poll() is None
        }

    def start(self, name: str, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start a child, and keep it running from now on.

        Args:
            name: of the child and of its log.
            argv: its program and arguments.
            env: environment variables set besides those of this process.

        Raises:
            StackError: there is no such program, or a child of this name already runs.
        """
        if name in self._children:
            raise StackError(f"A process named {name} is supervised already.")
        if not argv or shutil.which(argv[0]) is None:
            raise StackError(
                f"{name} cannot be started: no such program as {' '.join(argv[:1])!r}."
            )
        process = self._spawn(name, argv, env or {})
        self._children[name] = _Child(tuple(argv), dict(env or {}), process)

    def poll(self, now_s: float) -> list[Event]:
        """Notice which children ended, and start those again whose time has come.

        Args:
            now_s: a clock that never runs backwards, such as ``time.monotonic()`` [s].

        Raises:
            StackError: a child cannot be started again.
        """
        polled = [self._poll_child(name, now_s) for name in tuple(self._children)]
        return [event for event in polled if event]

    def crashes_lately(self, now_s: float) -> dict[str, int]:
        """How often each child crashed within ``LATELY_S``; ``now_s`` as for :meth:`poll` [s]."""
        return {name: child.crashes_lately(now_s) for name, child in self._children.items()}

    def finish(self, name: str, timeout_s: float = 10.0) -> bool:
        """Ask one child to end with SIGTERM, and start it no more once it has.

        Returns:
            Whether it ended within ``timeout_s``; where not, it runs on and stays supervised.

        Raises:
            StackError: no child of this name is supervised.
        """
        process = self._child(name).process
        process.terminate()
        try:
            process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        kill(process)  # what it may have left in its process group
        del self._children[name]
        return True

    def kill(self, name: str) -> None:
        """SIGKILL a child and what it started, as a crash would; ``poll`` then notices it.

        Raises:
            StackError: no child of this name is supervised.
        """
        process = self._child(name).process
        if process.poll() is None:
            kill(process)

    def stop(self, timeout_s: float = 10.0) -> list[str]:
        """Stop all children with SIGTERM; SIGKILL those that still run after ``timeout_s``.

        Returns:
            The names of those that had to be killed.
        """
        children, self._children = self._children, {}
        killed = stop([child.process for child in children.values()], timeout_s)
        return [name for name, child in children.items() if child.process in killed]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _child(self, name: str) -> _Child:
        if name not in self._children:
            raise StackError(f"No process named {name} is supervised.")
        return self._children[name]

    def _poll_child(self, name: str, now_s: float) -> Event | None:
        child = self._children[name]
        if child.restart_at_s is not None:
            return self._restart(name, child, now_s) if now_s >= child.restart_at_s else None
        child.since_s = now_s if child.since_s is None else child.since_s
        exit_code = child.process.poll()
        if exit_code is None:
            return None
        kill(child.process)  # what it may have left in its process group
        if exit_code == 0:
            del self._children[name]
            return Finished(name)
        delay_s = child.backoff.delay_after(now_s - child.since_s)
        child.restart_at_s = now_s + delay_s
        child.crashes_s.append(now_s)
        return Crashed(name, exit_code, delay_s, child.crashes_lately(now_s))

    def _restart(self, name: str, child: _Child, now_s: float) -> Restarted:
        child.process = self._spawn(name, child.argv, child.env)
        child.since_s, child.restart_at_s = now_s, None
        return Restarted(name, child.process.pid)

    def _spawn(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> Process:
        try:
            self._log_folder.mkdir(parents=True, exist_ok=True)
            return spawn(argv, self.log_path(name), env={**_ENVIRONMENT, **env})
        except OSError as error:
            raise StackError(f"{name} cannot be started.", problems=[str(error)]) from error
