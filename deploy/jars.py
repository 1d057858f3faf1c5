"""Java archives from Maven Central: locked by content, fetched once, kept for good.

A lock file maps a Maven coordinate, ``group:artifact:version``, to the SHA-256 of its jar. A
folder of jars appears at once and complete, so an interrupted download leaves nothing half done
behind, and once it is there no network is needed.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Final

from schemas.errors import StackError

_PARALLEL_DOWNLOADS: Final = 6
_REQUEST_TIMEOUT_S: Final = 20
_RETRY_PAUSES_S: Final = (0.5, 1.5)


def read_lock(path: Path) -> dict[str, str]:
    """Every jar of a lock file: ``group:artifact:version`` to SHA-256 in hexadecimal."""
    jars: dict[str, str] = json.loads(path.read_bytes())
    return jars


def write_lock(path: Path, endpoint: str, besides: Mapping[str, str] | None = None) -> None:
    """Resolve an endpoint against Maven Central and lock what it needs.

    Args:
        path: the lock file.
        endpoint: coordinates joined by ``+``, as jgo names them.
        besides: locked elsewhere, and left out.
    """
    import jgo

    found = {f"{jar.groupId}:{jar.artifactId}:{jar.version}": jar for jar in jgo.resolve(endpoint)}
    jars = {
        coordinate: hashlib.sha256(jar.resolve().read_bytes()).hexdigest()
        for coordinate, jar in found.items()
        if coordinate not in (besides or {})
    }
    path.write_text(json.dumps(jars, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def fetched_jars(
    folder: Path, locked: Mapping[str, str], title: str, size_mb: int, report: Callable[[str], None]
) -> list[Path]:
    """The jars in ``folder``, in a fixed order; the first call on a machine downloads them.

    Args:
        folder: of these jars alone.
        locked: coordinates and their SHA-256.
        title: what they are, for people.
        size_mb: of the download [MB].
        report: told, in one sentence each, what takes time.

    Raises:
        StackError: Maven Central cannot be reached, or sends something else than was pinned.
    """
    if not folder.is_dir():
        started_s = time.monotonic()
        report(f"Fetching {title} from Maven Central, once ({size_mb} MB) ...")
        try:
            _install(folder, locked)
        except (OSError, RuntimeError) as error:
            raise StackError(
                f"{title} could not be fetched from Maven Central.",
                hint=f"Check the network, or copy {folder} from a machine that has it.",
                problems=[str(error)],
            ) from error
        report(f"Fetched {title} in {time.monotonic() - started_s:.0f} s.")
    return sorted(folder.glob("*.jar"))


def _install(folder: Path, locked: Mapping[str, str]) -> None:
    """Download every jar beside ``folder``, then move them there in one step."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            fetched = list(pool.map(lambda jar: _fetch(scratch, *jar), locked.items()))
        complete = Path(scratch, "jars")
        complete.mkdir()
        for jar in fetched:
            jar.rename(complete / jar.name)
        try:
            complete.rename(folder)
        except OSError:
            if not folder.is_dir():  # where it is one, another process was faster
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
