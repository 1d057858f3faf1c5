"""What others on a machine could see of a program: command lines, environments, logs."""

import threading
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

_EVERY_S = 0.05


class CommandLines:
    """Every command line on this machine while the context lasts, short-lived ones included."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.is_set():
            self.seen.update(each for _, each in _of_processes("cmdline"))
            time.sleep(_EVERY_S)


def environments_with(text: str) -> dict[int, bytes]:
    """Environments, by process id, that hold a text and can be read by this user."""
    wanted = text.encode()
    return {pid: found for pid, found in _of_processes("environ") if wanted in found}


def files_with(secrets: Iterable[str], paths: Iterable[Path]) -> list[Path]:
    """Those of the files that hold one of the secrets."""
    wanted = [secret.encode() for secret in secrets]
    return [path for path in paths if any(secret in path.read_bytes() for secret in wanted)]


def _of_processes(name: str) -> Iterable[tuple[int, bytes]]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield int(folder.name), (folder / name).read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
