"""The audit of dependencies: what it finds, and that silence of the service is no success."""

import json
import stat
from pathlib import Path

import pytest

from deploy import dependency_audit
from deploy.dependency_audit import EXIT_UNKNOWN, EXIT_VULNERABLE, known_vulnerabilities, main
from schemas.errors import StackError

FOUND = {"id": "PYSEC-1", "fix_versions": ["2.0", "1.9.1"], "aliases": [], "description": ""}
ANSWER = {
    "dependencies": [
        {"name": "good", "version": "1.0", "vulns": []},
        {"name": "bad", "version": "1.9", "vulns": [FOUND, {"id": "PYSEC-2", "fix_versions": []}]},
    ]
}


def python_that_says(folder: Path, answer: str, complaint: str = "") -> Path:
    """A program in the place of a Python that has ``pip-audit``."""
    (folder / "answer").write_text(answer, encoding="utf-8")
    (folder / "complaint").write_text(complaint, encoding="utf-8")
    program = folder / "python"
    program.write_text(f"#!/bin/sh\ncat {folder}/answer\ncat {folder}/complaint >&2\nexit 1\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_vulnerabilities_are_told_with_their_remedy(tmp_path: Path) -> None:
    found = known_vulnerabilities(python_that_says(tmp_path, json.dumps(ANSWER)), Path("x.txt"))
    assert [str(each) for each in found] == [
        "bad 1.9: PYSEC-1, fixed in 2.0, 1.9.1",
        "bad 1.9: PYSEC-2, not fixed yet",
    ]


@pytest.mark.parametrize(
    "answer",
    ["", "null", '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'],
    ids=["silence", "nonsense", "a package passed over"],
)
def test_a_service_that_cannot_be_asked_is_no_success(tmp_path: Path, answer: str) -> None:
    python = python_that_says(tmp_path, answer, "ConnectionError: no such host\n")
    with pytest.raises(StackError, match="Nothing is known") as caught:
        known_vulnerabilities(python, Path("x.txt"))
    assert caught.value.problems == ("ConnectionError: no such host",)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ('{"dependencies": []}', 0),
        (json.dumps(ANSWER), EXIT_VULNERABLE),
        ("", EXIT_UNKNOWN),
    ],
)
def test_the_exit_status_says_what_was_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, status: int
) -> None:
    program = python_that_says(tmp_path, answer)
    monkeypatch.setattr(dependency_audit, "python_with", lambda *_: program)
    assert main() == status
