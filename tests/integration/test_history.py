"""Replayed history on the data clock: real meters, exact figures, idempotent."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.align_state import ReadingCounts
from schemas.settings import KafkaSettings
from schemas.windows import WINDOW_MS
from streams.demo.audit import count_fates
from streams.historians.points import Measurement
from streams.kafka import is_drained
from tests.integration.conftest import Up

pytestmark = [pytest.mark.kafka, pytest.mark.data]

WINDOWS_PER_MINUTE = 12
METERS, MINUTES = 55, 960
HISTORIANS = ("sqlite", pytest.param("influxdb", marks=pytest.mark.influxdb))
SETTLE_TIMEOUT_S = 120.0


def settled(running: Up, readings: int) -> ReadingCounts:
    """Wait until align has classified ``readings`` and store has written all of it."""
    kafka = KafkaSettings(bootstrap_servers=running.bootstrap_servers)
    deadline = time.monotonic() + SETTLE_TIMEOUT_S
    while (counts := count_fates(kafka)).total < readings:
        assert time.monotonic() < deadline, counts
        time.sleep(0.5)
    while not is_drained(kafka, "store", ["windows.site", "windows.meter"]):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return counts


@pytest.mark.parametrize("kind", HISTORIANS)
def test_a_day_of_real_meters_gives_exactly_its_windows_and_a_second_replay_changes_nothing(
    up: Callable[..., Up], reference_data: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D-4: 55 meters x 960 minutes; points = windows x series, measured windows, idempotence."""
    monkeypatch.setenv("GRIDLOOM_HISTORIAN__KIND", kind)
    feeder = str(reference_data / "B_meters" / "eulv_meters_1min.csv.gz")
    readings = METERS * MINUTES
    running = up("align", "store", "--speed", "0")
    running.gridloom("replay", feeder, "--site", "feeder")
    assert settled(running, readings) == ReadingCounts(windowed=readings)
    with running.historian() as historian:
        assert historian.measured_meter_windows("feeder") == readings * WINDOWS_PER_MINUTE
        (span,) = historian.sites()
        assert historian.count(Measurement.METER_WINDOW) == METERS * span.windows
        before = historian.fingerprint()
    assert span.first_ms % WINDOW_MS == span.last_ms % WINDOW_MS == 0
    running.gridloom("replay", feeder, "--site", "feeder")
    counts = settled(running, 2 * readings)
    assert counts == ReadingCounts(windowed=readings, too_late=readings)
    with running.historian() as historian:
        assert historian.fingerprint() == before


def test_the_real_house_has_all_its_windows_but_those_of_its_four_empty_cells(
    up: Callable[..., Up], reference_data: Path
) -> None:
    """22 meters x 1,440 minutes, of which the source left four without a value.

    Unknown is not zero: their windows are held from the minute before, not measured.
    """
    house = str(reference_data / "B_meters" / "uci_house_days_as_meters_1min.csv.gz")
    rows, empty = 22 * 1440, 4
    running = up("align", "store", "--speed", "0")
    running.gridloom("replay", house, "--site", "house")
    assert settled(running, rows - empty) == ReadingCounts(windowed=rows - empty)
    with running.historian() as historian:
        measured = historian.measured_meter_windows("house")
    assert measured == (rows - empty) * WINDOWS_PER_MINUTE
