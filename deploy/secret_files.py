"""Files that only their owner may read."""

import os
import secrets
from pathlib import Path

from schemas.errors import StackError


def write_secret(path: Path, secret: str) -> None:
    """Write a secret in one step: a reader finds the old one or the new one, whole.

    Raises:
        StackError: the file cannot be written.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.unlink(missing_ok=True)
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secret)
        scratch.replace(path)
    except OSError as error:
        raise StackError(f"{path} cannot be written.", problems=[str(error)]) from error


def secret_in(path: Path) -> str:
    """The secret in a file; it is made at its first use.

    Raises:
        StackError: the file cannot be written.
    """
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii")
