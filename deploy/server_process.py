"""A server as a process in a folder of its own: started, waited for, stopped, explained."""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.folder_lock import FolderLock
from deploy.processes import Process, spawn, stop
from schemas.errors import StackError

_POLL_S: Final = 0.02
_LOG_TAIL_LINES: Final = 15


class ServerProcess:
    """One server that lives no longer than this process, and is alone in its folder.

    Args:
        name: what people call it; its log and its pid file are named so in small letters.
        folder: its own folder; made where it does not exist.

    Raises:
        StackError: one already runs in the folder, or the folder cannot be written.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.folder = folder
        self.log_path = folder / f"{name.lower()}.log"
        self._lock = FolderLock(folder, name)
        self._log_offset = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._process: Process | None = None

    @property
    def pid(self) -> int | None:
        """Process id of the server, or None where it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def exit_status(self) -> int | None:
        """Exit status of the process that has ended, or None."""
        return self._process.poll() if self._process else None

    def require_running(self) -> None:
        """Make sure that the server has not ended since it was started.

        Raises:
            StackError: it has; ``problems`` are the last lines of its log.
        """
        if self.pid is None:
            raise self.failure(f"{self.name} does not run.")

    def run(self, argv: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start the program in the folder.

        Args:
            argv: the program and its arguments.
            env: environment variables set besides those of this process.
        """
        keep = (self._lock.fd,)
        self._process = spawn(argv, self.log_path, env=env, folder=self.folder, keep_fds=keep)
        self._lock.write_pid(self._process.pid)

    def wait_until(self, is_done: Callable[[], bool], deadline_s: float) -> None:
        """Wait for ``is_done``, which is asked again and again, while the process runs.

        Raises:
            StackError: the process ended, or the monotonic clock [s] passed ``deadline_s``.
        """
        while not is_done():
            if self.pid is None:
                raise self.failure(f"{self.name} ended while it was being started.")
            if time.monotonic() > deadline_s:
                raise self.failure(f"{self.name} did not start in time.")
            time.sleep(_POLL_S)

    def failure(self, sentence: str) -> StackError:
        """An error whose ``problems`` are the last lines that the server logged since its start."""
        with self.log_path.open("rb") as log:
            log.seek(self._log_offset)
            lines = log.read().decode(errors="replace").splitlines()
        hint = f"Its whole log is {self.log_path}."
        return StackError(sentence, hint=hint, problems=lines[-_LOG_TAIL_LINES:])

    def stop(self, timeout_s: float) -> None:
        """Stop it in order, or kill it after ``timeout_s``, and let go of the folder."""
        process, self._process = self._process, None
        try:
            if process:
                stop([process], timeout_s)
        finally:
            self._lock.release()
