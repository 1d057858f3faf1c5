"""The one image: locked packages, no root, nothing in it that is not needed to run."""

import re
import tomllib
from fnmatch import fnmatch

import pytest

from tests.support.compose import (
    ROOT,
    image_entrypoint,
    image_environment,
    instructions,
    last_instruction,
)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PACKAGES = PROJECT["tool"]["setuptools"]["packages"]["find"]["include"]
STAGES_OF_BUILD = [rest for name, rest in instructions() if name == "FROM"]
RUNS = [rest for name, rest in instructions() if name == "RUN"]
COPIED = [
    source
    for name, rest in instructions()
    if name == "COPY" and not rest.startswith("--from")
    for source in rest.split()[:-1]
]


def _ignored(path: str) -> bool:
    """Whether Docker leaves a path of the checkout out; the last rule that fits it counts."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines():
        if rule := line.removeprefix("!").strip():
            parts = path.split("/")
            prefixes = ["/".join(parts[: n + 1]) for n in range(len(parts))]
            if not rule.startswith("#") and any(fnmatch(each, rule) for each in prefixes):
                ignored = not line.startswith("!")
    return ignored


def test_it_starts_from_a_slim_python_of_a_known_version() -> None:
    """The image that has a compiler is left behind."""
    assert STAGES_OF_BUILD == ["python:3.11 AS build", "python:3.11-slim"]


def test_what_is_compiled_is_there() -> None:
    """Without a compiler the package would do without it, and nobody would notice."""
    (project,) = [run for run in RUNS if "--no-deps" in run]
    assert 'python -P -c "import processors.aligning._scan"' in project


def test_packages_are_the_locked_ones_and_none_is_compiled() -> None:
    (locked,) = [run for run in RUNS if "requirements/run.txt" in run]
    assert "--require-hashes" in locked
    assert "--only-binary :all:" in locked
    (project,) = [run for run in RUNS if "--no-deps" in run]
    assert "--no-build-isolation" in project


def test_no_tool_that_installs_is_left() -> None:
    assert any("pip uninstall --yes pip" in run for run in RUNS)
    assert "pip uninstall --yes --root-user-action=ignore pip setuptools wheel" in RUNS[-1]
    assert not any(re.search(r"apt-get|curl|wget", run) for run in RUNS)


def test_it_runs_as_a_user_with_a_fixed_number() -> None:
    assert last_instruction("USER") == "10001:10001"
    assert [name for name, _ in instructions()].index("USER") > len(COPIED)
    assert "useradd --uid 10001 --gid 10001" in RUNS[-1]


def test_it_runs_gridloom_and_keeps_its_files_in_a_volume() -> None:
    assert image_entrypoint() == ["gridloom"]
    folder = image_environment()["GRIDLOOM_FOLDER"]
    assert last_instruction("VOLUME") == folder == last_instruction("WORKDIR")
    assert "gridloom" in PROJECT["project"]["scripts"]
    assert image_environment()["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize("source", COPIED)
def test_what_is_copied_exists_and_is_sent_to_docker(source: str) -> None:
    assert (ROOT / source).exists()
    assert not _ignored(source)


@pytest.mark.parametrize("pattern", PACKAGES)
def test_every_package_of_the_project_is_in_it(pattern: str) -> None:
    assert pattern.removesuffix("*") in COPIED


@pytest.mark.parametrize(
    "path",
    [".git/config", ".env", ".venv/bin/python", "tests/conftest.py", "requirements/dev.txt"],
)
def test_what_the_image_does_not_need_is_not_sent_to_docker(path: str) -> None:
    assert _ignored(path)
