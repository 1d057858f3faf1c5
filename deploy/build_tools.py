"""Which programs a build of InfluxDB needs, and how to get those that are missing."""

import re
import shutil
import subprocess
from typing import Final

from msgspec import Struct

from schemas.errors import StackError

Version = tuple[int, int]
_TIMEOUT_S: Final = 60.0


class _Tool(Struct, frozen=True):
    """A program, the Debian package that brings it, and the oldest version that does."""

    program: str
    package: str
    version_arguments: tuple[str, ...] = ()
    oldest: Version = (0, 0)


_TOOLS: Final = (
    # From 1.21 on, go fetches by itself the newer version that a module asks for.
    _Tool("go", "golang-go", ("version",), (1, 21)),
    _Tool("cargo", "cargo, or rustup", ("--version",), (1, 72)),
    _Tool("clang", "clang"),
    _Tool("cc", "gcc"),
    _Tool("pkg-config", "pkg-config"),
)


def require_build_tools() -> None:
    """Make sure that everything is there before minutes are spent.

    Raises:
        StackError: ``problems`` names every program that is missing or too old, and its package.
    """
    if problems := [problem for tool in _TOOLS if (problem := _problem(tool))]:
        raise StackError(
            "InfluxDB cannot be built here: tools are missing.",
            hint="Install them (apt-get install PACKAGE), then run `make influxd` again.",
            problems=problems,
        )


def _problem(tool: _Tool) -> str | None:
    """What is wrong with a tool, or None."""
    package = f"Debian package {tool.package}"
    if shutil.which(tool.program) is None:
        return f"{tool.program}: not found ({package})"
    if not tool.version_arguments:
        return None
    found = _version(tool)
    needed = "{}.{} or newer".format(*tool.oldest)
    if found is None:
        return f"{tool.program}: does not run ({package}, {needed})"
    if found < tool.oldest:
        return f"{tool.program}: {found[0]}.{found[1]} is too old ({package}, {needed})"
    return None


def _version(tool: _Tool) -> Version | None:
    """The version that a tool says it has, or None where it says none."""
    argv = [tool.program, *tool.version_arguments]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    number = re.search(r"(\d+)\.(\d+)", done.stdout) if done.returncode == 0 else None
    return (int(number[1]), int(number[2])) if number else None
