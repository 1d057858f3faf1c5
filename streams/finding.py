"""Finds what `up` and `demo` left or run on this machine, so that no command need be told.

Both keep everything of one run in a folder below ``settings.home``. A server that runs there
holds its pid file locked (see ``deploy.folder_lock``); Kafka's properties name its port, and
a file beside InfluxDB's tokens its address.
"""

import fcntl
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from deploy.influx_files import ADDRESS_FILE, READER_TOKEN_FILE, STORE_TOKEN_FILE
from deploy.kafka_users import KafkaUsers
from schemas.errors import HistorianError
from schemas.roles import READER, user_of
from schemas.settings import InfluxSettings, Settings
from streams.historians.opening import InfluxPlace, Place, SqlitePlace
from streams.historians.protocol import HistorianReader

_FOLDERS: Final = ("local", "demo-*")
"""Patterns of the folders below ``settings.home``: of ``gridloom up``, and of every demo."""

_LISTENER: Final = "advertised.listeners=CLIENT://"

_INFLUX_TOKENS: Final = {"token_file": STORE_TOKEN_FILE, "read_token_file": READER_TOKEN_FILE}


@dataclass(frozen=True, slots=True)
class LocalStack:
    """A local Kafka that runs now, and the folder that its stages keep their files in."""

    folder: Path
    bootstrap_servers: str

    @property
    def users(self) -> KafkaUsers | None:
        """Users of its Kafka; None where everybody may do everything."""
        users = KafkaUsers(self.folder / "kafka")
        return users if users.folder.exists() else None

    def settings(self, configured: Settings, role: str = READER) -> Settings:
        """What is configured, with this stack's Kafka, InfluxDB and folder in its place.

        Args:
            configured: where all else comes from.
            role: who the caller is to a Kafka that has users.
        """
        kafka = configured.kafka.in_plain_text(self.bootstrap_servers)
        if self.users is not None:
            kafka = self.users.as_user(kafka, user_of(role))
        update = {"folder": self.folder, "kafka": kafka}
        influxdb = running_local_influx(self.folder, configured.influxdb)
        if influxdb is not None:
            update["influxdb"] = influxdb
        return configured.model_copy(update=update)


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


def running_local_influx(
    stack: Path, configured: InfluxSettings | None = None
) -> InfluxSettings | None:
    """The InfluxDB that runs now in the folder of a local stack, if any.

    Args:
        stack: the stack's folder.
        configured: where all else of the section comes from.
    """
    folder = stack / "influxdb"
    if not _is_locked(folder / "influxdb.pid"):
        return None
    tokens = {key: folder / name for key, name in _INFLUX_TOKENS.items()}
    others = (configured or InfluxSettings()).model_dump(include={"timeout_s"})
    try:
        address = json.loads((folder / ADDRESS_FILE).read_text(encoding="utf-8"))
        return InfluxSettings.model_validate({**others, **address, **tokens})
    except (OSError, ValueError, TypeError, ValidationError):
        return None  # it is only just being set up


def historian_places(settings: Settings) -> list[Place]:
    """Historians that exist: the configured one, then those of the local stacks.

    Of InfluxDB servers those count that are configured, or run in a local stack.
    """
    places: list[Place] = []
    if settings.uses_influxdb and settings.influxdb.url:
        places.append(InfluxPlace(settings.influxdb))
    for folder in local_folders(settings.home):
        influxdb = running_local_influx(folder, settings.influxdb)
        if influxdb is not None:
            places.append(InfluxPlace(influxdb))
    files: list[Place] = [SqlitePlace(path) for path in historian_paths(settings)]
    if files and files[0] == SqlitePlace(settings.historian_path) and not settings.uses_influxdb:
        places, files = [files[0], *places], files[1:]
    return list(dict.fromkeys([*places, *files]))


def open_historians(settings: Settings) -> Iterator[HistorianReader]:
    """Every historian that can be read, one after the other, each open until the next is asked for.

    Raises:
        HistorianError: what the first one said that cannot be read, after all others.
    """
    failed: list[HistorianError] = []
    for place in historian_places(settings):
        try:
            reader = place.open()
        except HistorianError as error:
            failed.append(error)
            continue
        with reader:
            yield reader
    if failed:
        raise failed[0]


def historian_paths(settings: Settings) -> list[Path]:
    """SQLite historians that exist: the configured file, then those of the local stacks."""
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
