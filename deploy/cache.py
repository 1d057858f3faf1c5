"""Where what was fetched or built once is kept."""

import os
from pathlib import Path


def cache_folder(name: str) -> Path:
    """``$XDG_CACHE_HOME/gridloom/<name>``; ``~/.cache`` is the default."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    return cache / "gridloom" / name
