"""A real Mosquitto on this machine, with the configuration that the container has."""

import os
import pwd
import shutil
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local_server import LocalServer
from deploy.mosquitto_users import password_file
from deploy.ports import HOST
from deploy.server_process import ServerProcess
from schemas.errors import StackError

NAME: Final = "Mosquitto"
CONFIGURATION: Final = Path(__file__).parent / "mosquitto"
"""Holds ``mosquitto.conf`` and ``access.conf``."""

_DATA: Final = "data"
_PASSWORDS: Final = "passwords"
_SYSTEM_FOLDERS: Final = "/usr/sbin:/usr/local/sbin"
"""Debian keeps servers where the path of an ordinary user does not lead."""

_CONNECT_TIMEOUT_S: Final = 0.5


class LocalMosquitto(LocalServer):
    """A broker that keeps its data in a folder, and lives no longer than this process.

    As a context manager it starts and stops. It can be started again after a stop, on the same
    port; retained messages stay.

    Args:
        folder: its own folder; made where it does not exist.
        users: passwords by user name: ``gateway``, ``health``, ``<site>/<device>``.
        port: where clients connect; by default one that is free at the first start.
    """

    name = NAME

    def __init__(self, folder: Path, users: Mapping[str, str], *, port: int | None = None) -> None:
        super().__init__(folder, port=port)
        self._users = dict(users)

    def start(self, timeout_s: float = 20.0) -> None:
        """Start the broker and wait until it takes connections.

        Args:
            timeout_s: for the start [s].

        Raises:
            StackError: Mosquitto is not installed, one already runs in the folder, the port is
                in use, or the broker ends or does not listen in time.
            ConfigurationError: a user name cannot be used.
        """
        program = mosquitto_program()
        deadline_s = time.monotonic() + timeout_s

        def run(server: ServerProcess) -> None:
            self._write_files()
            server.run([program, "-c", "mosquitto.conf"])
            server.wait_until(self._listens, deadline_s)

        self._bring_up(run)

    def _write_files(self) -> None:
        (self.folder / _DATA).mkdir(exist_ok=True)
        text = (CONFIGURATION / "mosquitto.conf").read_text(encoding="utf-8")
        configuration = local_configuration(text, self.folder, self.port)
        (self.folder / "mosquitto.conf").write_text(configuration, encoding="utf-8")
        passwords = self.folder / _PASSWORDS
        passwords.touch(mode=0o600)
        passwords.write_text(password_file(self._users), encoding="utf-8")

    def _listens(self) -> bool:
        try:
            socket.create_connection((self.host, self.port), _CONNECT_TIMEOUT_S).close()
        except OSError:
            return False
        return True


def mosquitto_program() -> str:
    """The broker's program.

    Raises:
        StackError: it is not installed.
    """
    path = f"{os.environ.get('PATH', '')}{os.pathsep}{_SYSTEM_FOLDERS}"
    program = shutil.which("mosquitto", path=path)
    if program is None:
        hint = "apt install mosquitto mosquitto-clients"
        raise StackError(f"There is no {NAME} on this machine.", hint=hint)
    return program


def local_configuration(text: str, folder: Path, port: int) -> str:
    """The container's configuration with a folder and a port of this machine.

    Raises:
        ValueError: the container's configuration does not say what is replaced.
    """
    here = {
        "listener 1883": f"listener {port} {HOST}",
        "password_file /run/secrets/mosquitto_passwords": f"password_file {folder / _PASSWORDS}",
        "acl_file /mosquitto/config/access.conf": f"acl_file {CONFIGURATION / 'access.conf'}",
        "persistence_location /mosquitto/data/": f"persistence_location {folder / _DATA}/",
    }
    lines = text.splitlines()
    if absent := here.keys() - set(lines):
        message = f"mosquitto.conf lacks {', '.join(sorted(absent))}"
        raise ValueError(message)
    # A broker that root starts becomes another user, who could not write into the folder.
    owner = f"user {pwd.getpwuid(os.geteuid()).pw_name}"
    return "\n".join([*(here.get(line, line) for line in lines), owner, ""])
