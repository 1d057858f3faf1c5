"""A Python environment apart from our own, made once from locked requirements and kept.

It lives in ``$XDG_CACHE_HOME/gridloom/python`` (``~/.cache`` by default), appears at once and
complete, and is named after what is locked: another lock is another environment.
"""

import hashlib
import shutil
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Final

from deploy.cache import cache_folder
from schemas.errors import StackError

_TIMEOUT_S: Final = 600.0
_LINES_SHOWN: Final = 5
_DIGITS: Final = 12


def environment_folder(requirements: Path) -> Path:
    """Where the environment of a lock file is kept, for this version of Python."""
    version = "{}.{}".format(*sys.version_info)
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:_DIGITS]
    return cache_folder("python") / f"{requirements.stem}-{version}-{digest}"


def python_with(requirements: Path, title: str, report: Callable[[str], None]) -> Path:
    """The interpreter of an environment that holds what is locked, and nothing else.

    Args:
        requirements: a lock file with the hash of every package.
        title: what it is for, for people.
        report: told, in one sentence each, what takes time.

    Raises:
        StackError: a package cannot be fetched, or is not the one that was locked.
    """
    folder = environment_folder(requirements)
    if not folder.is_dir():
        started_s = time.monotonic()
        report(f"Installing {title} into an environment of its own, once ...")
        try:
            _install(folder, requirements)
        except (OSError, subprocess.SubprocessError) as error:
            raise StackError(
                f"{title} could not be installed.",
                hint="Check the network; pip's own settings say which index it asks.",
                problems=_last_lines(error),
            ) from error
        report(f"Installed {title} in {time.monotonic() - started_s:.0f} s.")
    return folder / "bin" / "python"


def _install(folder: Path, requirements: Path) -> None:
    """Install beside ``folder``, then move it there in one step: only its programs mind."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(mkdtemp(dir=folder.parent, prefix="installing-"))
    try:
        venv.create(scratch, with_pip=True, symlinks=True)
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes"]
        pip = [str(scratch / "bin" / "python"), "-I", "-m", "pip", "install", *options]
        argv = [*pip, "--requirement", str(requirements)]
        subprocess.run(argv, check=True, capture_output=True, text=True, timeout=_TIMEOUT_S)
        try:
            scratch.rename(folder)
        except OSError:
            if not folder.is_dir():  # where it is one, another process was faster
                raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _last_lines(error: Exception) -> list[str]:
    """What pip said last, or else the error itself."""
    said = error.stderr if isinstance(error, subprocess.CalledProcessError) else None
    return str(said or error).splitlines()[-_LINES_SHOWN:]
