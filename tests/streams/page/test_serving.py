"""`gridloom page`: what it refuses before it serves, and how it is told what to show."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from schemas.errors import ConfigurationError, GridloomError, StackError
from streams.cli.main import app
from streams.page.serving import PageOptions, require_free
from streams.page.zones import machine_zone, zone_named

RUNNER = CliRunner()


def refused(*arguments: str) -> GridloomError:
    """The error with which `gridloom page` ends."""
    error = RUNNER.invoke(app, ["page", *arguments]).exception
    assert isinstance(error, GridloomError)
    return error


def test_a_port_that_is_taken_is_told_before_anything_is_served() -> None:
    """Bad input: a sentence and a hint."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        error = refused("--port", str(port))
    assert isinstance(error, StackError)
    assert f"127.0.0.1:{port}" in error.message
    assert "--port" in error.hint


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(StackError, match=r"192\.0\.2\.1"):
        require_free("192.0.2.1", 8501)


def test_a_time_zone_that_does_not_exist_is_told() -> None:
    error = refused("--timezone", "Europe/Atlantis")
    assert isinstance(error, ConfigurationError)
    assert "Europe/Atlantis" in error.message
    assert "Europe/Berlin" in error.hint


@pytest.mark.parametrize("name", ["", "../etc/passwd", "/etc/localtime", "Europe"])
def test_what_is_no_name_of_a_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError):
        zone_named(name)


def test_wrong_settings_are_told_before_anything_is_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "gridloom.toml"
    wrong.write_text("[historian]\nkind = 'paper'\n", "utf-8")
    monkeypatch.setenv("GRIDLOOM_CONFIG", str(wrong))
    assert "historian.kind" in " ".join(refused().problems)


def test_the_machines_own_zone_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Europe/Berlin")
    assert machine_zone() == "Europe/Berlin"
    monkeypatch.setenv("TZ", ":America/New_York")
    assert machine_zone() == "America/New_York"
    monkeypatch.setenv("TZ", "nonsense")
    assert zone_named(machine_zone()).key == machine_zone()


def test_options_survive_the_command_line() -> None:
    options = PageOptions(timezone="Europe/Berlin", offline_after_s=2.5)
    assert PageOptions.from_arguments(options.arguments()) == options
