"""``python -m deploy.dependency_audit``: whether locked packages have known vulnerabilities.

It asks the service of OSV (https://osv.dev) by ``pip-audit``, from an environment of its own. Where
the service does not answer nothing is known, and that is no success.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.python_environment import python_with
from schemas.errors import StackError

PATTERNS: Final = ("requirements/*.txt", "streams/benchmarking/peers/programs/*.txt")
"""The lock files of everything that is installed somewhere."""

EXIT_VULNERABLE: Final = 1
EXIT_UNKNOWN: Final = 2

_TIMEOUT_S: Final = 600.0
_LINES_SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Vulnerability:
    """One that is known of a locked package; ``fixed_in``: versions without it, if any."""

    package: str
    version: str
    name: str
    fixed_in: tuple[str, ...]

    def __str__(self) -> str:
        remedy = f"fixed in {', '.join(self.fixed_in)}" if self.fixed_in else "not fixed yet"
        return f"{self.package} {self.version}: {self.name}, {remedy}"


def known_vulnerabilities(python: Path, lock: Path) -> list[Vulnerability]:
    """Vulnerabilities of what a lock file names.

    Args:
        python: interpreter that has ``pip-audit``.
        lock: requirements with hashes.

    Raises:
        StackError: the service cannot be asked, or answers nonsense.
    """
    command = [str(python), "-m", "pip_audit", "--requirement", str(lock), "--require-hashes"]
    options = ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    service = ["--vulnerability-service", "osv"]
    try:
        done = subprocess.run(
            [*command, *options, *service],
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _unknown(lock, [str(error)]) from error
    try:
        return list(_read(json.loads(done.stdout)["dependencies"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _unknown(lock, done.stderr.splitlines()[-_LINES_SHOWN:]) from error


def _read(dependencies: Sequence[dict[str, object]]) -> Iterator[Vulnerability]:
    """What ``pip-audit`` tells of each package.

    Raises:
        ValueError: it passed one over.
    """
    for each in dependencies:
        if "skip_reason" in each:
            message = f"{each['name']} was passed over: {each['skip_reason']}"
            raise ValueError(message)
        found = each["vulns"]
        for one in found if isinstance(found, list) else ():
            fixes = tuple(map(str, one["fix_versions"]))
            yield Vulnerability(str(each["name"]), str(each["version"]), str(one["id"]), fixes)


def _unknown(lock: Path, problems: Sequence[str]) -> StackError:
    return StackError(
        f"Nothing is known about {lock}: the vulnerability service could not be asked.",
        hint="It takes a network that reaches the service; the check is not passed without it.",
        problems=problems,
    )


def main() -> int:
    """Audit every lock file; the exit status says what was found."""
    try:
        python = python_with(Path("requirements/audit.txt"), "pip-audit", _say)
        locks = [lock for pattern in PATTERNS for lock in sorted(Path().glob(pattern))]
        found = {each: None for lock in locks for each in known_vulnerabilities(python, lock)}
    except StackError as error:
        _say(f"error: {error}")
        _say(f"hint: {error.hint}")
        return EXIT_UNKNOWN
    for each in found:
        _say(str(each))
    _say(f"{len(found)} known vulnerabilities in {len(locks)} lock files")
    return EXIT_VULNERABLE if found else 0


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


if __name__ == "__main__":
    sys.exit(main())
