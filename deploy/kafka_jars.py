"""The broker's jars: fetched once from Maven Central, verified, and kept for good.

They live in ``$XDG_CACHE_HOME/gridloom/kafka-<version>`` (``~/.cache`` by default).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from deploy.cache import cache_folder
from deploy.jars import fetched_jars
from deploy.kafka_lock import KAFKA_VERSION, locked_jars

_DOWNLOAD_MB: Final = 44


def kafka_folder() -> Path:
    """Where the jars of this Kafka version, and what speeds up its start, are kept."""
    return cache_folder(f"kafka-{KAFKA_VERSION}")


def kafka_classpath(report: Callable[[str], None]) -> str:
    """The broker's class path; the first call on a machine downloads 44 MB.

    Args:
        report: told, in one sentence each, what takes time.

    Raises:
        StackError: Maven Central cannot be reached, or sends something else than was pinned.
    """
    title, folder = f"Kafka {KAFKA_VERSION}", kafka_folder() / "jars"
    jars = fetched_jars(folder, locked_jars(), title, _DOWNLOAD_MB, report)
    # A fixed order, which a wildcard would not have: the start-up cache depends on it.
    return os.pathsep.join(map(str, jars))
