"""InfluxDB dies under a running `gridloom up`."""

import csv
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.errors import HistorianError
from streams.historians.points import Measurement
from tests.integration.conftest import Up

pytestmark = [pytest.mark.kafka, pytest.mark.influxdb]

MINUTES = 30
WINDOWS_PER_MINUTE = 12
PATIENCE_S = 60.0


def write_readings(path: Path, hour: int) -> str:
    """A file of one meter, a reading a minute."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["time", "active_power_kw"])
        rows.writerows([f"2024-03-01T{hour:02}:{n:02}:00Z", 1.5] for n in range(MINUTES))
    return str(path)


def stored(running: Up, windows: int) -> int:
    """Site windows in the historian, once there are so many."""
    deadline = time.monotonic() + PATIENCE_S
    found = -1
    while time.monotonic() < deadline and found < windows:
        time.sleep(0.5)
        try:
            with running.historian() as historian:
                found = historian.count(Measurement.SITE_WINDOW)
        except (HistorianError, AssertionError):
            continue  # it is only just starting again
    return found


def test_it_is_started_again_and_nothing_is_lost(
    up: Callable[..., Up], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DESIGN decision 5: if InfluxDB is away nothing is lost; Kafka holds it."""
    monkeypatch.setenv("GRIDLOOM_HISTORIAN__KIND", "influxdb")
    running = up("align", "store", "--speed", "0")
    pid = int((running.folder / "influxdb" / "influxdb.pid").read_text())
    os.kill(pid, signal.SIGKILL)
    running.gridloom("replay", write_readings(tmp_path / "shop.csv", 6), "--device", "main")
    assert stored(running, MINUTES * WINDOWS_PER_MINUTE) >= MINUTES * WINDOWS_PER_MINUTE
    assert int((running.folder / "influxdb" / "influxdb.pid").read_text()) != pid
