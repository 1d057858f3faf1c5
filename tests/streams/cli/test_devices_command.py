"""`gridloom devices` against the real device view."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.ports import free_port
from schemas.settings import DevicesSettings, Settings
from streams.local_pipeline import StageProcesses
from tests.streams.cli.conftest import Gridloom

PATIENCE_S = 60.0


@pytest.fixture
def view_port(
    stack_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[int]:
    """The port of a device view that reads the local stack."""
    port = free_port()
    monkeypatch.setenv("GRIDLOOM_DEVICES__PORT", str(port))
    web = DevicesSettings(port=port)
    settings = stack_settings.model_copy(update={"folder": tmp_path, "devices": web})
    processes = StageProcesses(settings, tmp_path / "logs")
    processes.start(["devices"])
    yield port
    processes.stop()


@pytest.mark.kafka
@pytest.mark.usefixtures("chain")
def test_devices_are_shown_with_their_outputs_and_last_answer(
    gridloom: Gridloom, view_port: int
) -> None:
    """Output 4 of the depot's board was shed, and the board confirmed it."""
    deadline_s = time.monotonic() + PATIENCE_S
    devices: dict[str, Any] = {}
    while "depot" not in devices and time.monotonic() < deadline_s:
        asked = gridloom("devices", "--json", GRIDLOOM_DEVICES__PORT=str(view_port))
        found = json.loads(asked.stdout) if asked.returncode == 0 else []
        devices = {each["site"]: each for each in found}
    board = devices["depot"]
    assert {lamp["output"]: lamp["on"] for lamp in board["outputs"]} == {
        1: True,
        2: True,
        3: True,
        4: False,
    }
    shown = gridloom("devices", GRIDLOOM_DEVICES__PORT=str(view_port))
    assert shown.returncode == 0
    assert "● ● ● ○" in shown.stdout


def test_without_a_device_view_the_command_says_how_to_start_one(gridloom: Gridloom) -> None:
    asked = gridloom("devices", GRIDLOOM_DEVICES__PORT="1")
    assert asked.returncode == 1
    assert "error: no device view answers at 127.0.0.1:1" in asked.stderr
    assert "hint: start it with `gridloom run devices`" in asked.stderr
