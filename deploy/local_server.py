"""What every server has in common that we run on this machine: a folder, a port, a clean end."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from deploy.ports import HOST, free_port, require_free
from deploy.server_process import ServerProcess
from schemas.errors import StackError


class LocalServer(ABC):
    """A server that keeps its data in a folder, and lives no longer than this process.

    As a context manager it starts and stops. It can be started again after a stop, on the same
    port; its data stay.

    Args:
        folder: its own folder; made where it does not exist.
        port: where clients connect; by default one that is free at the first start.
    """

    name: ClassVar[str]
    """What people call it."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder.resolve()
        self._port = port
        self._server: ServerProcess | None = None

    @property
    def host(self) -> str:
        """Where it listens: this machine alone."""
        return HOST

    @property
    def port(self) -> int:
        """Where clients connect.

        Raises:
            StackError: no port was given, and the server has never been started.
        """
        if self._port is None:
            message = f"A local {self.name} that was given no port has none before its start."
            raise StackError(message)
        return self._port

    @property
    def pid(self) -> int | None:
        """Process id of the server, or None where it does not run."""
        return self._server.pid if self._server else None

    def require_running(self) -> None:
        """Make sure that the server has not ended since it was started.

        Raises:
            StackError: it has; ``problems`` are the last lines of its log.
        """
        if self._server is None:
            raise StackError(f"{self.name} does not run.")
        self._server.require_running()

    @abstractmethod
    def start(self) -> None:
        """Start the server and wait until it serves."""

    def stop(self, timeout_s: float = 15.0) -> None:
        """Stop the server in order, or kill it after ``timeout_s``; nothing if it is stopped."""
        server, self._server = self._server, None
        if server:
            server.stop(timeout_s)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _bring_up(self, launch: Callable[[ServerProcess], None]) -> None:
        """Take folder and port, then ``launch``; undo all of it on failure.

        Raises:
            StackError: one already runs in the folder, the folder cannot be written, or the port
                is in use.
        """
        server = ServerProcess(self.name, self.folder)
        self._server = server
        try:
            if self._port is None:
                self._port = free_port()
            require_free(self._port, self.name)
            launch(server)
        except BaseException:
            self.stop(timeout_s=0.0)
            raise
