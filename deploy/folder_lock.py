"""One server per folder: whoever runs there holds the folder's pid file locked."""

import fcntl
import time
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from schemas.errors import StackError

_POLL_S: Final = 0.05
_TIMEOUT_S: Final = 2.0


class FolderLock:
    """A lock on ``folder``, held by this process *and* by the server that inherits ``fd``.

    The kernel drops it when both are gone, however they went: there is no stale lock, and a
    server that somehow outlived its parent still holds it. The folder is made where it does not
    exist.

    Args:
        folder: the server's own folder.
        server: its name; the pid file is called after it.

    Raises:
        StackError: another one runs in the folder, or the folder cannot be written.
    """

    def __init__(self, folder: Path, server: str = "Kafka") -> None:
        self._server = server
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / f"{server.lower()}.pid").open("a+", encoding="ascii")
        except OSError as error:
            raise StackError(
                f"{server} cannot keep its data in {folder}.", problems=[str(error)]
            ) from error
        try:
            self._acquire(folder)
        except BaseException:
            self._file.close()
            raise

    @property
    def fd(self) -> int:
        """The file descriptor that the server has to inherit."""
        return self._file.fileno()

    def write_pid(self, pid: int) -> None:
        """Note which process the server is."""
        self._file.truncate(0)
        self._file.write(f"{pid}\n")
        self._file.flush()

    def release(self) -> None:
        """Let go of the folder; the file stays, empty, since removing it would race."""
        self._file.truncate(0)
        self._file.close()

    def _acquire(self, folder: Path) -> None:
        # A server whose parent was killed takes a moment to go.
        deadline_s = time.monotonic() + _TIMEOUT_S
        while not _try_lock(self._file):
            if time.monotonic() > deadline_s:
                self._file.seek(0)
                pid = self._file.read().strip() or "not known yet"
                raise StackError(
                    f"{self._server} already runs in {folder} (process {pid}).",
                    hint="Stop it first, or use another folder.",
                )
            time.sleep(_POLL_S)


def _try_lock(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
