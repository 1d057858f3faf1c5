"""A line of the log, for programs and for people."""

import json
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.logs.lines import FIELDS, JsonLines, TextLines, about

NOON_S = 1_700_000_000.0625


def record(text: str, fields: dict[str, str | int] | None = None) -> logging.LogRecord:
    made = logging.LogRecord("streams.gate", logging.WARNING, "gate.py", 1, text, (), None)
    made.created = NOON_S
    made.__dict__.update(fields or {})
    return made


def test_a_json_line_says_when_who_what_and_what_about() -> None:
    """Issue 5, build 5: structured logs with decision ids."""
    fields = about(decision_id="plant.7.abc", site="plant", seq=112, device=None)
    assert json.loads(JsonLines("gate", 1).format(record("rejected: stale", fields))) == {
        "time": "2023-11-14T22:13:20.062Z",
        "level": "WARNING",
        "stage": "gate",
        "slot": 1,
        "event": "rejected: stale",
        "decision_id": "plant.7.abc",
        "site": "plant",
        "seq": 112,
        "logger": "streams.gate",
    }


def test_a_text_line_says_the_same() -> None:
    line = TextLines("gate", 0).format(record("rejected", about(site="plant", seq=112)))
    assert line == "2023-11-14T22:13:20.062Z WARNING gate: rejected site=plant seq=112"


@given(st.text(), st.text())
def test_no_text_forges_a_line(text: str, site: str) -> None:
    made = record(text.replace("%", ""), about(site=site))
    for form in (JsonLines("gate", 0), TextLines("gate", 0)):
        assert len(form.format(made).splitlines()) == 1


def test_an_error_comes_with_its_traceback() -> None:
    try:
        raise KeyError("board-9")  # noqa: TRY301  a traceback is what is wanted
    except KeyError as error:
        made = record("a defect")
        made.exc_info = (KeyError, error, error.__traceback__)
    assert "KeyError: 'board-9'" in json.loads(JsonLines("gate", 0).format(made))["error"]
    assert TextLines("gate", 0).format(made).splitlines()[-1] == "KeyError: 'board-9'"


def test_a_field_that_no_line_shows_is_refused() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        about(nonsense=1)


def test_no_field_hides_what_python_logs_itself() -> None:
    assert not set(FIELDS) & record("x").__dict__.keys()


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({}, ["info", "warning"]),
        ({"GRIDLOOM_LOGGING__LEVEL": "debug"}, ["debug", "info", "warning"]),
        ({"GRIDLOOM_LOGGING__LEVEL": "warning", "GRIDLOOM_LOGGING__FORMAT": "text"}, ["warning"]),
    ],
)
def test_settings_choose_level_and_form(environment: dict[str, str], shown: list[str]) -> None:
    program = (
        "import logging\n"
        "from schemas.settings import load_settings\n"
        "from streams.logs import log_to_stderr\n"
        "log_to_stderr('gate', 0)\n"
        "log_to_stderr('gate', 0, load_settings().logging)\n"
        "for level in ('debug', 'info', 'warning'): getattr(logging, level)('it is %s', level)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    lines = done.stderr.splitlines()
    if "GRIDLOOM_LOGGING__FORMAT" in environment:
        assert [line.rsplit(" ", 1)[1] for line in lines] == shown
    else:
        assert [json.loads(line)["event"] for line in lines] == [f"it is {one}" for one in shown]
