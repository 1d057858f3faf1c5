"""The command line as a user runs it: real processes, a folder of their own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from schemas.settings import load_settings
from streams.finding import running_local_stack
from streams.historians.opening import configured_place
from streams.historians.protocol import HistorianReader

START_TIMEOUT_S = 90.0


@dataclass(frozen=True)
class Up:
    """A running ``gridloom up``."""

    process: subprocess.Popen[str]
    bootstrap_servers: str
    environment: dict[str, str]

    def gridloom(self, *arguments: str, timeout_s: float = 120.0) -> str:
        """Run another command against it; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def historian(self) -> HistorianReader:
        """A reader of what its store writes."""
        settings = load_settings(self.environment)
        stack = running_local_stack(settings)
        assert stack is not None
        return configured_place(stack.settings(settings)).open()

    @property
    def folder(self) -> Path:
        """Where it keeps its files."""
        return Path(self.environment["GRIDLOOM_FOLDER"]) / "local"


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    """Start ``gridloom up`` with arguments; ended with Ctrl-C after the test."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Up:
        environment = os.environ | {"GRIDLOOM_FOLDER": str(tmp_path / "home"), "COLUMNS": "200"}
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "up", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        servers = _wait_for_address(process)
        environment["GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS"] = servers
        return Up(process, servers, environment)

    yield start
    for process in running:
        with process:  # closes its pipe
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0


def _wait_for_address(process: subprocess.Popen[str]) -> str:
    """Kafka's address, once everything is ready."""
    assert process.stdout is not None
    deadline = time.monotonic() + START_TIMEOUT_S
    servers = ""
    for line in process.stdout:
        if line.startswith("Kafka: "):
            servers = line.removeprefix("Kafka: ").strip()
        if line.startswith("stages: "):
            return servers
        assert time.monotonic() < deadline
    raise AssertionError("gridloom up ended before it was ready")
