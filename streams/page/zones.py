"""Whose midnight it is: the time zone of the page."""

import os
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.errors import ConfigurationError

_LOCALTIME: Final = Path("/etc/localtime")


def zone_named(name: str) -> ZoneInfo:
    """The IANA time zone ``name``.

    Raises:
        ConfigurationError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        message = f"{name!r} is not a time zone"
        hint = "name one as the IANA does, such as Europe/Berlin, or UTC"
        raise ConfigurationError(message, hint=hint) from error


def machine_zone() -> str:
    """Name of this machine's time zone; UTC where it cannot be told."""
    _, found, name = str(_LOCALTIME.resolve()).partition("/zoneinfo/")
    for candidate in (os.environ.get("TZ", "").lstrip(":"), name if found else ""):
        try:
            return zone_named(candidate).key
        except ConfigurationError:
            continue
    return "UTC"
