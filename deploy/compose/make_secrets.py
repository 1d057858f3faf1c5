"""``python3 -m deploy.compose.make_secrets FOLDER [SITE/DEVICE]...``: secrets for the containers.

It needs nothing but Python. What is there already stays, so that it can be run again. Only its
owner gets into the folder. The files in it are readable to all, because containers run as users
of their own, and Docker mounts a file with the rights that it has.

Each MQTT device that is named gets a password of its own, in ``devices/SITE/DEVICE``; a broker
that runs already learns of it with ``docker compose kill --signal HUP mosquitto``.
"""

import os
import re
import secrets
import sys
from pathlib import Path
from typing import Final

from deploy.mosquitto_users import password_file
from schemas.errors import ConfigurationError

TOKENS: Final = (
    "grafana_admin_password",
    "influxdb_admin_password",
    "influxdb_admin_token",
    "mosquitto_gateway_password",
)
"""Files that hold one random secret."""

MOSQUITTO_PASSWORDS: Final = "mosquitto_passwords"
"""Mosquitto's own file: the hashes of its users' passwords."""

MOSQUITTO_HEALTH: Final = "mosquitto_health"
"""Options of ``mosquitto_sub``: with them the health check tells nobody its password."""

NAMES: Final = frozenset({*TOKENS, MOSQUITTO_PASSWORDS, MOSQUITTO_HEALTH})
_BYTES: Final = 32
_DEVICE: Final = re.compile(r"[A-Za-z0-9][\w.-]{0,63}/[A-Za-z0-9][\w.-]{0,63}", re.ASCII)
"""Names as in a site model."""

EXIT_FAILED: Final = 1


def make_secrets(folder: Path) -> list[Path]:
    """Make what is missing; returns the files that are new.

    Mosquitto's files go together: where one is missing, both are made anew.

    Args:
        folder: made where it does not exist.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    texts = {name: secrets.token_urlsafe(_BYTES) for name in TOKENS if not (folder / name).exists()}
    made = [_write(folder / name, text) for name, text in texts.items()]
    if all((folder / name).exists() for name in (MOSQUITTO_PASSWORDS, MOSQUITTO_HEALTH)):
        return made
    health = secrets.token_urlsafe(_BYTES)
    gateway = (folder / "mosquitto_gateway_password").read_text(encoding="ascii")
    users = {"health": health, "gateway": gateway}
    return [
        *made,
        _write(folder / MOSQUITTO_PASSWORDS, password_file(users)),
        _write(folder / MOSQUITTO_HEALTH, f"-u health\n-P {health}\n"),
    ]


def add_device(folder: Path, name: str) -> list[Path]:
    """Give an MQTT device a password, unless it has one; returns its file if it is new.

    Args:
        folder: where ``make_secrets`` was.
        name: ``<site>/<device>``.

    Raises:
        OSError: the folder cannot be written.
        ConfigurationError: the name is no site and device.
    """
    if not _DEVICE.fullmatch(name):
        message = f"{name!r} is no SITE/DEVICE"
        raise ConfigurationError(message)
    path = folder / "devices" / name
    if path.exists():
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    password = secrets.token_urlsafe(_BYTES)
    # Added to the file, not to a new one in its place: a container has this very file mounted.
    with (folder / MOSQUITTO_PASSWORDS).open("a", encoding="ascii") as file:
        file.write(password_file({name: password}))
    return [_write(path, password)]


def _write(path: Path, text: str) -> Path:
    """Write a file in one step; it ends without a line feed where it is one secret."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.write_text(text, encoding="ascii")
    scratch.chmod(0o644)
    return scratch.replace(path)


def main(arguments: list[str]) -> int:
    """Make the secrets and say which are new."""
    if not arguments:
        sys.stderr.write("usage: python3 -m deploy.compose.make_secrets FOLDER [SITE/DEVICE]...\n")
        return EXIT_FAILED
    folder = Path(arguments[0]).expanduser()
    try:
        made = make_secrets(folder)
        for device in arguments[1:]:
            made += add_device(folder, device)
    except (OSError, ConfigurationError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_FAILED
    sys.stdout.write("".join(f"{path}\n" for path in made) or "all secrets are there already\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
