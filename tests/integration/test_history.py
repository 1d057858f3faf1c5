"""Replayed history on the data clock: real meters, exact figures, idempotent."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.align_state import ReadingCounts
from schemas.settings import KafkaSettings
from streams.demo.audit import count_fates
from streams.historians.sqlite_reader import open_reader
from streams.kafka import is_drained
from tests.integration.conftest import Up

pytestmark = [pytest.mark.kafka, pytest.mark.data]

WINDOWS_PER_MINUTE = 12
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


def test_a_day_of_real_meters_gives_exactly_its_windows_and_a_second_replay_changes_nothing(
    up: Callable[..., Up], reference_data: Path
) -> None:
    """D-4: 55 meters x 960 minutes; measured windows, identity, idempotence."""
    feeder = str(reference_data / "B_meters" / "eulv_meters_1min.csv.gz")
    running = up("align", "store", "--speed", "0")
    running.gridloom("replay", feeder, "--site", "feeder")
    assert settled(running, 55 * 960) == ReadingCounts(windowed=55 * 960)
    with open_reader(running.folder / "historian.sqlite") as historian:
        assert historian.measured_meter_windows("feeder") == 55 * 960 * WINDOWS_PER_MINUTE
        before = historian.fingerprint()
        spans = historian.sites()
    assert all(span.first_ms % 5_000 == span.last_ms % 5_000 == 0 for span in spans)
    running.gridloom("replay", feeder, "--site", "feeder")
    counts = settled(running, 2 * 55 * 960)
    assert counts == ReadingCounts(windowed=55 * 960, too_late=55 * 960)
    with open_reader(running.folder / "historian.sqlite") as historian:
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
    with open_reader(running.folder / "historian.sqlite") as historian:
        measured = historian.measured_meter_windows("house")
    assert measured == (rows - empty) * WINDOWS_PER_MINUTE
