"""TOML files that people write."""

import tomllib
from pathlib import Path
from typing import Any

from schemas.errors import ConfigurationError


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """What a TOML file holds; ``what`` it is, for the error.

    Raises:
        ConfigurationError: it cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        message = f"{what} {path} cannot be read: {error}"
        raise ConfigurationError(message) from error
