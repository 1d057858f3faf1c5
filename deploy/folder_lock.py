"""One broker per folder: whoever runs there holds the folder's pid file locked."""

import fcntl
import time
from io import TextIOWrapper
from pathlib import Path
from typing import Final

from schemas.errors import StackError

_POLL_S: Final = 0.05
_TIMEOUT_S: Final = 2.0


class FolderLock:
    """A lock on ``folder``, held by this process *and* by the broker that inherits ``fd``.

    The kernel drops it when both are gone, however they went: there is no stale lock, and a
    broker that somehow outlived its parent still holds it. The folder is made where it does not
    exist.

    Raises:
        StackError: another broker runs in the folder, or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / "kafka.pid").open("a+", encoding="ascii")
        except OSError as error:
            raise StackError(
                f"Kafka cannot keep its data in {folder}.", problems=[str(error)]
            ) from error
        try:
            self._acquire(folder)
        except BaseException:
            self._file.close()
            raise

    @property
    def fd(self) -> int:
        """The file descriptor that the broker has to inherit."""
        return self._file.fileno()

    def write_pid(self, pid: int) -> None:
        """Note which process the broker is."""
        self._file.truncate(0)
        self._file.write(f"{pid}\n")
        self._file.flush()

    def release(self) -> None:
        """Let go of the folder; the file stays, empty, since removing it would race."""
        self._file.truncate(0)
        self._file.close()

    def _acquire(self, folder: Path) -> None:
        # A broker whose parent was killed takes a moment to go.
        deadline_s = time.monotonic() + _TIMEOUT_S
        while not _try_lock(self._file):
            if time.monotonic() > deadline_s:
                self._file.seek(0)
                pid = self._file.read().strip() or "not known yet"
                raise StackError(
                    f"A Kafka already runs in {folder} (process {pid}).",
                    hint="Stop it first, or use another folder.",
                )
            time.sleep(_POLL_S)


def _try_lock(file: TextIOWrapper) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
