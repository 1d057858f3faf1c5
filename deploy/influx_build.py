"""InfluxDB 2, built once from its Go module and kept for good."""

import os
from pathlib import Path
from typing import Final

INFLUXD_VERSION: Final = "2.7.12"
"""Version of InfluxDB that the local stack runs."""


def influxd_folder() -> Path:
    """Where the program is kept."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "gridloom" / f"influxd-{INFLUXD_VERSION}"


def cached_influxd() -> Path | None:
    """The program, or None where it was never built on this machine."""
    program = influxd_folder() / "influxd"
    return program if os.access(program, os.X_OK) else None
