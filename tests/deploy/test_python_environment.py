"""Environments apart from our own, from packages that lie here: no network is needed."""

import hashlib
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from deploy.python_environment import environment_folder, python_with
from schemas.errors import StackError

TINY = "tiny-1.0-py3-none-any.whl"
METADATA = "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A package of one module."""
    path = tmp_path / TINY
    with ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", "answer = 42\n")
        archive.writestr("tiny-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("tiny-1.0.dist-info/RECORD", "")
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that nothing was installed into."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gridloom" / "python"


def lock(wheel: Path, sha256: str) -> Path:
    """Requirements that name the wheel and what it must contain."""
    path = wheel.with_name("tiny.txt")
    path.write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{sha256}\n")
    return path


def test_an_environment_holds_what_is_locked_and_is_made_once(wheel: Path, cache: Path) -> None:
    requirements = lock(wheel, hashlib.sha256(wheel.read_bytes()).hexdigest())
    said: list[str] = []
    python = python_with(requirements, "Tiny", said.append)
    code = "import sys, tiny; print(tiny.answer, sys.prefix)"
    printed = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True)
    assert printed.stdout.split() == ["42", str(environment_folder(requirements))]
    wheel.unlink()
    assert python_with(requirements, "Tiny", said.append) == python
    assert len(said) == 2
    assert list(cache.iterdir()) == [environment_folder(requirements)]


def test_a_package_other_than_the_locked_one_is_refused(wheel: Path, cache: Path) -> None:
    with pytest.raises(StackError, match="Tiny could not be installed") as caught:
        python_with(lock(wheel, "0" * 64), "Tiny", lambda _: None)
    assert any("0" * 64 in line for line in caught.value.problems)
    assert list(cache.iterdir()) == []


def test_another_lock_is_another_environment(wheel: Path) -> None:
    first = environment_folder(lock(wheel, "0" * 64))
    assert environment_folder(lock(wheel, "1" * 64)) != first
