"""Mosquitto's password file, written without Mosquitto: its tools may be in a container only."""

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Final

from schemas.errors import ConfigurationError

_KIND: Final = 7
"""Mosquitto's number for PBKDF2 with SHA-512."""

_ITERATIONS: Final = 101
"""As ``mosquitto_passwd`` takes them: the passwords are random, and boards reconnect at once."""

_SALT_BYTES: Final = 12
_UNUSABLE: Final = frozenset(":+#\r\n\0")
"""What a user name may not hold: it ends the name in the file, or is a wildcard in a topic."""


def password_file(users: Mapping[str, str]) -> str:
    """The file's text: one line for every user.

    Args:
        users: passwords by user name; a device's name is ``<site>/<device>``.

    Raises:
        ConfigurationError: a name is empty or holds what none may hold; names all of them.
    """
    wrong = [name for name in users if not name or _UNUSABLE & set(name)]
    if wrong:
        problems = [repr(name) for name in wrong]
        raise ConfigurationError("these MQTT user names cannot be used", problems=problems)
    return "".join(f"{name}:{_hashed(password)}\n" for name, password in users.items())


def _hashed(password: str) -> str:
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    salt_text, digest_text = (base64.b64encode(part).decode() for part in (salt, digest))
    return f"${_KIND}${_ITERATIONS}${salt_text}${digest_text}"
