"""What is installed: locked by content, from nowhere in particular, and needed."""

import ast
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from deploy.dependency_audit import PATTERNS

ROOT = Path(__file__).resolve().parents[2]
LOCKS = [lock for pattern in PATTERNS for lock in sorted(ROOT.glob(pattern))]
PACKAGES = ("schemas", "processors", "streams", "hardware", "dashboards", "deploy")
REQUIREMENT = re.compile(r"(?P<name>[a-z0-9][a-z0-9._-]*)(\[[a-z,]+\])?==(?P<version>[^ ;\\]+)")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
NOT_IMPORTED = {"cramjam"}
"""aiokafka, under Faust, imports it where it is there."""


def entries(lock: Path) -> Iterator[str]:
    """Every requirement of a lock file, each in one line, without remarks."""
    text = re.sub(r"\s*#.*", "", lock.read_text(encoding="utf-8")).replace("\\\n", " ")
    yield from (line.strip() for line in text.splitlines() if line.strip())


def versions(lock: Path) -> dict[str, str]:
    found = [REQUIREMENT.match(entry) for entry in entries(lock)]
    return {each["name"]: each["version"] for each in found if each}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.name))
def test_every_locked_package_is_pinned_by_version_and_content(lock: Path) -> None:
    """And names no place to fetch it from: that is for the machine's own settings to say."""
    found = list(entries(lock))
    assert found
    for entry in found:
        assert REQUIREMENT.match(entry), entry
        assert HASH.search(entry), entry
        assert "://" not in entry
        assert not re.search(r" @ |--(index|extra|find|trusted)", entry), entry


def test_tests_run_with_the_versions_that_users_get() -> None:
    run, dev = (versions(ROOT / "requirements" / name) for name in ("run.txt", "dev.txt"))
    assert dev.items() >= run.items()


def test_every_direct_dependency_is_imported() -> None:
    """What is not needed is not installed, and cannot be attacked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    direct = {normal(re.split(r"[<>=!\[; ]", text)[0]) for text in project["dependencies"]}
    imported = set(imported_modules())
    used = {
        normal(distribution)
        for module, distributions in packages_distributions().items()
        if module in imported
        for distribution in distributions
    }
    assert direct - used == NOT_IMPORTED


def normal(name: str) -> str:
    """A distribution's name as all spell it."""
    return re.sub("[-_.]+", "-", name).lower()


def imported_modules() -> Iterator[str]:
    """The outermost name of everything that our packages import."""
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    yield from (alias.name.partition(".")[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    yield node.module.partition(".")[0]
