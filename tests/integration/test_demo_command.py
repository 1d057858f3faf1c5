"""``gridloom demo`` as a user runs it."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.left_behind import still_running

pytestmark = pytest.mark.kafka

WINDOWS = 30
INTERRUPTED = 130


def demo(home: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a demo in a folder of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "streams.cli", "demo", *arguments],
        env=os.environ | {"GRIDLOOM_FOLDER": str(home), "TERM": "dumb"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_short_demo_reports_an_exact_account(tmp_path: Path) -> None:
    """D-5: windows, decisions and confirmed commands, all readings accounted for."""
    report, page = tmp_path / "report.json", tmp_path / "chart.html"
    home = tmp_path / "home"
    arguments = ["--windows", str(WINDOWS), "--report", str(report), "--plot", str(page)]
    with demo(home, *arguments) as process:
        output, _ = process.communicate(timeout=200)
    assert process.returncode == 0, output
    figures = json.loads(report.read_text())
    fates = ("readings_windowed", "readings_duplicate", "readings_too_late", "dead_lettered")
    assert figures["readings_replayed"] == sum(figures[fate] for fate in fates) > 1000
    assert figures["windows"] == WINDOWS
    assert figures["commands_confirmed"] == figures["commands"] > 0
    assert figures["historian_points"] > WINDOWS
    assert "plays 15 minutes of recorded data" in output
    assert "<html>" in page.read_text()[:200]
    assert still_running(home) == []
    assert list(home.glob("demo-*")) == []


def test_ctrl_c_ends_a_demo_and_leaves_nothing_running(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with demo(home) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("running"):
                break
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == INTERRUPTED, output
    assert still_running(home) == []
    assert list(home.glob("demo-*")) == []
