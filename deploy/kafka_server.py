"""The broker as a process in a folder: formatted, started, waited for, stopped."""

import base64
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from deploy.folder_lock import FolderLock
from deploy.kafka_health import answers
from deploy.kafka_settings import HOST, free_port, require_free, server_properties
from deploy.processes import Process, spawn, stop
from schemas.errors import StackError

_PROPERTIES: Final = "server.properties"
_POLL_S: Final = 0.05
_LOG_TAIL_LINES: Final = 15


class KafkaServer:
    """One KRaft node; see ``LocalKafka``, which knows where its jars come from.

    Below ``folder`` are ``data`` (formatted once, then used again), ``kafka.log``,
    ``server.properties`` and ``kafka.pid``.

    Args:
        folder: its own folder; made where it does not exist.
        port: where clients connect; by default one that is free at the first start.
    """

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self._port = port
        self._process: Process | None = None
        self._lock: FolderLock | None = None
        self._log_offset = 0

    @property
    def log_path(self) -> Path:
        """The broker's log, of all its starts in this folder."""
        return self.folder / "kafka.log"

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, ``127.0.0.1:<port>``.

        Raises:
            StackError: no port was given, and the broker has never been started.
        """
        if self._port is None:
            raise StackError("A local Kafka that was given no port has none before its start.")
        return f"{HOST}:{self._port}"

    @property
    def pid(self) -> int | None:
        """Process id of the broker, or None where it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def require_running(self) -> None:
        """Make sure that the broker has not ended since it was started.

        Raises:
            StackError: it has; ``problems`` are the last lines of its log.
        """
        if self.pid is None:
            raise self._failure("Kafka does not run.")

    def launch(
        self, java: Sequence[str], *, timeout_s: float, broker_options: Sequence[str] = ()
    ) -> None:
        """Format the folder where needed, run the broker, wait for it; undo all on failure.

        Args:
            java: the JVM, its options and the class path.
            timeout_s: for all of this together [s].
            broker_options: options for the broker's JVM alone.

        Raises:
            StackError: a broker already runs in the folder, the folder cannot be written, the
                port is in use, or the broker ends or does not answer in time.
        """
        lock = FolderLock(self.folder)
        self._lock = lock
        try:
            deadline_s = time.monotonic() + timeout_s
            self._log_offset = self.log_path.stat().st_size if self.log_path.exists() else 0
            port = self._write_properties()
            if not (self.folder / "data" / "meta.properties").exists():
                format_tool = self._run(lock, [*java, *_format_arguments()])
                self._wait_until(lambda: format_tool.poll() == 0, deadline_s)
            self._run(lock, [*java, *broker_options, "kafka.Kafka", _PROPERTIES])
            self._wait_until(lambda: answers(HOST, port), deadline_s)
        except BaseException:
            self.stop(timeout_s=0.0)
            raise

    def stop(self, timeout_s: float = 15.0) -> None:
        """Stop the broker in order, or kill it after ``timeout_s``; nothing if it is stopped."""
        process, self._process = self._process, None
        lock, self._lock = self._lock, None
        try:
            if process:
                stop([process], timeout_s)
        finally:
            if lock:
                lock.release()

    def _write_properties(self) -> int:
        """Choose the ports that are not given, write the settings, return the clients' port."""
        if self._port is None:
            self._port = free_port()
        require_free(self._port)
        text = server_properties(self._port, free_port(besides=self._port))
        (self.folder / _PROPERTIES).write_text(text, encoding="ascii")
        return self._port

    def _run(self, lock: FolderLock, argv: Sequence[str]) -> Process:
        process = spawn(argv, self.log_path, folder=self.folder, keep_fds=(lock.fd,))
        self._process = process
        lock.write_pid(process.pid)
        return process

    def _wait_until(self, is_done: Callable[[], bool], deadline_s: float) -> None:
        """Wait for ``is_done``, which is asked again and again, while the process runs."""
        while not is_done():
            if self.pid is None:
                raise self._failure("Kafka ended while it was being started.")
            if time.monotonic() > deadline_s:
                raise self._failure("Kafka did not start in time.")
            time.sleep(_POLL_S)

    def _failure(self, sentence: str) -> StackError:
        with self.log_path.open("rb") as log:
            log.seek(self._log_offset)
            lines = log.read().decode(errors="replace").splitlines()
        hint = f"Its whole log is {self.log_path}."
        return StackError(sentence, hint=hint, problems=lines[-_LOG_TAIL_LINES:])


def _format_arguments() -> list[str]:
    # A cluster id is 16 bytes in base 64; the first byte keeps it from starting with a dash.
    cluster_id = base64.urlsafe_b64encode(b"G" + os.urandom(15)).decode().rstrip("=")
    return ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", _PROPERTIES]
