"""The broker's jars: fetched once from Maven Central, verified, and kept for good.

They live in ``$XDG_CACHE_HOME/gridloom/kafka-<version>`` (``~/.cache`` by default). The folder
appears at once and complete, so an interrupted download leaves nothing half done behind, and
once it is there no network is needed.
"""

import hashlib
import logging
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final

from deploy.cache import cache_folder
from deploy.kafka_lock import KAFKA_VERSION, locked_jars
from schemas.errors import StackError

_PARALLEL_DOWNLOADS: Final = 6
_REQUEST_TIMEOUT_S: Final = 20
_RETRY_PAUSES_S: Final = (0.5, 1.5)


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
    jars = kafka_folder() / "jars"
    if not jars.is_dir():
        started_s = time.monotonic()
        report(f"Fetching Kafka {KAFKA_VERSION} from Maven Central, once (44 MB) ...")
        try:
            _install(jars)
        except (OSError, RuntimeError) as error:
            raise StackError(
                "Kafka could not be fetched from Maven Central.",
                hint=f"Check the network, or copy {jars} from a machine that has it.",
                problems=[str(error)],
            ) from error
        report(f"Fetched Kafka {KAFKA_VERSION} in {time.monotonic() - started_s:.0f} s.")
    # A fixed order, which a wildcard would not have: the start-up cache depends on it.
    return os.pathsep.join(str(jar) for jar in sorted(jars.glob("*.jar")))


def _install(jars: Path) -> None:
    """Download every jar beside ``jars``, then move them there in one step."""
    jars.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=jars.parent, prefix="fetching-") as scratch:
        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            fetched = list(pool.map(lambda jar: _fetch(scratch, *jar), locked_jars().items()))
        complete = Path(scratch, "jars")
        complete.mkdir()
        for jar in fetched:
            jar.rename(complete / jar.name)
        try:
            complete.rename(jars)
        except OSError:
            if not jars.is_dir():  # where it is one, another process was faster
                raise


def _fetch(scratch: str, coordinate: str, sha256: str) -> Path:
    """One jar, downloaded into ``scratch`` and verified; a passing fault is tried again."""
    for pause_s in _RETRY_PAUSES_S:
        try:
            jar = _download(coordinate, scratch)
            break
        except (OSError, RuntimeError):
            time.sleep(pause_s)
    else:
        jar = _download(coordinate, scratch)
    if hashlib.sha256(jar.read_bytes()).hexdigest() != sha256:
        raise StackError(
            f"Maven Central sent a {jar.name} that is not the one pinned.",
            hint="Try again; if it stays so, a proxy on the way changes what is downloaded.",
        )
    return jar


def _download(coordinate: str, scratch: str) -> Path:
    """One jar, in a Maven repository of its own: what a broken try left is in no one's way."""
    from jgo.maven import MavenContext

    # Contents are verified here, so jgo's own remarks would only spoil the terminal.
    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    group, artifact, version = coordinate.split(":")
    context = MavenContext(repo_cache=Path(mkdtemp(dir=scratch)), timeout=_REQUEST_TIMEOUT_S)
    return context.project(group, artifact).at_version(version).artifact().resolve()
