"""Finds what `up` and `demo` left or run on this machine, so that no command need be told.

Both keep everything of one run in a folder below ``settings.home``. A Kafka that runs there
holds its pid file locked (see ``deploy.folder_lock``), and its properties name the port.
"""

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from schemas.settings import Settings

_FOLDERS: Final = ("local", "demo-*")
"""Patterns of the folders below ``settings.home``: of ``gridloom up``, and of every demo."""

_LISTENER: Final = "advertised.listeners=PLAINTEXT://"


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A local Kafka that runs now, and the folder that its stages keep their files in."""

    folder: Path
    bootstrap_servers: str

    def settings(self, configured: Settings) -> Settings:
        """What is configured, with this Kafka and this folder in its place."""
        kafka = configured.kafka.model_copy(update={"bootstrap_servers": self.bootstrap_servers})
        return configured.model_copy(update={"folder": self.folder, "kafka": kafka})


def running_local_stack(settings: Settings) -> LocalStack | None:
    """The Kafka that ``up``, or else the newest ``demo``, runs on this machine now, if any."""
    for folder in local_folders(settings.home):
        address = _address(folder / "kafka")
        if address is not None:
            return LocalStack(folder, address)
    return None


def running_local_kafka(settings: Settings) -> str | None:
    """Address of the local Kafka that runs on this machine now; None without any."""
    stack = running_local_stack(settings)
    return None if stack is None else stack.bootstrap_servers


def historian_paths(settings: Settings) -> list[Path]:
    """Historians that exist: the configured one, then those of the local stacks."""
    local = [folder / settings.historian.path for folder in local_folders(settings.home)]
    paths = dict.fromkeys([settings.historian_path, *local])
    return [path for path in paths if path.exists()]


def local_folders(home: Path) -> list[Path]:
    """Where a local stack may run, or may have run: that of ``up`` first, newest demo next."""
    found = [sorted(home.glob(pattern), key=_changed_s, reverse=True) for pattern in _FOLDERS]
    return [folder for folders in found for folder in folders]


def _changed_s(path: Path) -> float:
    """When a folder last changed [s]; a demo may take its folder away at any time."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _address(folder: Path) -> str | None:
    """``host:port`` of the broker that runs in ``folder``."""
    if not _is_locked(folder / "kafka.pid"):
        return None
    try:
        lines = (folder / "server.properties").read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    named = (line.removeprefix(_LISTENER) for line in lines if line.startswith(_LISTENER))
    return next(named, None)


def _is_locked(path: Path) -> bool:
    """Whether a process holds a lock on the file."""
    try:
        with path.open("rb") as file:
            # Shared, so that two who look at the same time do not take each other for a broker.
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
