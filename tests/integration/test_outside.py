"""Driven from outside: another program's producer and consumer, and the figures agree."""

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from schemas.align_state import POSITION_KEY, AlignPosition
from schemas.messages import Decoder
from schemas.settings import KafkaSettings
from schemas.topics import ALIGN_STATE
from schemas.windows import LATENESS_MS
from streams.kafka import read_table
from tests.integration.conftest import Up
from tests.support.aligning_scenarios import reference_mean
from tests.support.outside import OutsideProducer, committed

pytestmark = pytest.mark.kafka

SITE_TOML = """
name = "plant-7"
capacity_kw = 50
[[meters]]
id = "m1"
rated_kw = 10
[[meters]]
id = "m2"
rated_kw = 10
"""
_POSITION: Decoder[AlignPosition] = Decoder(AlignPosition)
SPEED = 10
SECONDS = 8


class Sending:
    """What the outside producer sent, and what should become of it."""

    def __init__(self, producer: OutsideProducer) -> None:
        self._producer = producer
        self.good: dict[str, dict[int, float]] = {"m1": {}, "m2": {}}
        self.duplicates = self.late = self.bad = 0

    def round(self, now_ms: int, value: float) -> None:
        """One reading a meter, some of them twice, some much too old, some broken."""
        for device in self.good:
            self.good[device][now_ms] = value
            self._producer.reading("plant-7", device, now_ms, value)
        self._producer.reading("plant-7", "m1", now_ms, value)
        self.duplicates += 1
        self._producer.reading("plant-7", "m1", now_ms - 600_000, 99.0)
        self.late += 1
        self._producer.send("telemetry.meter", "plant-7", b'{"type": "reading", "site": 7')
        self._producer.reading("plant-7", "nobody", now_ms, value)
        self._producer.reading("plant-7", "m1", now_ms, value, unit="horses")
        self._producer.reading("plant-7", "m2", now_ms + 3_600_000, value)
        self.bad += 4
        self._producer.flush()


def test_an_outside_consumer_finds_the_same_windows_and_counts(
    up: Callable[..., Up], tmp_path: Path
) -> None:
    """D-3, D-4, S3-12: duplicates, late and bad readings from another program's producer."""
    site = tmp_path / "site.toml"
    site.write_text(SITE_TOML, encoding="utf-8")
    running = up("align", "--speed", str(SPEED), "--site", str(site))
    clock = next(committed(running.bootstrap_servers, "pipeline.clock", [0]))
    sending = Sending(OutsideProducer(running.bootstrap_servers))
    for number in range(SECONDS * 2):
        wall_ms = time.time_ns() // 1_000_000
        passed = wall_ms - int(str(clock["append_origin_ms"]))
        sending.round(int(str(clock["event_origin_ms"])) + SPEED * passed, float(number))
        time.sleep(0.5)
    final_ms = max(sending.good["m1"]) + LATENESS_MS
    windows = list(
        committed(
            running.bootstrap_servers,
            "windows.meter",
            range(4),
            enough=lambda window: int(str(window["window_start_ms"])) > final_ms,
        )
    )
    assert_windows(windows, sending)
    assert_counts(running.bootstrap_servers, sending)
    letters = list(committed(running.bootstrap_servers, "dead.letters", [0]))
    assert len(letters) == sending.bad
    assert all(letter["errors"] for letter in letters)


def assert_windows(windows: list[dict[str, object]], sending: Sending) -> None:
    """Every window equals the mean of what was sent, computed from scratch."""
    newest: dict[int, dict[str, object]] = {}
    for window in windows:
        start = int(str(window["window_start_ms"]))
        known = newest.get(start)
        if known is None or int(str(window["revision"])) > int(str(known["revision"])):
            newest[start] = window
    assert len(newest) >= SECONDS * SPEED // 5
    for start, window in newest.items():
        values, status = msgspec.convert(window["values"], list[float | None]), window["status"]
        for place, device in enumerate(("m1", "m2")):
            readings = sending.good[device].items()
            mean, letter = reference_mean(readings, start, 5_000, 10_000)
            assert (values[place], str(status)[place]) == (mean, letter)


def assert_counts(bootstrap_servers: str, sending: Sending) -> None:
    """Align's own counts equal what is known from outside."""
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers)
    counts = [
        _POSITION.decode(table[POSITION_KEY]).counts
        for table in (read_table(settings, ALIGN_STATE.name, number) for number in range(4))
        if POSITION_KEY in table
    ]
    assert sum(c.windowed for c in counts) == sum(len(times) for times in sending.good.values())
    assert sum(c.duplicate for c in counts) == sending.duplicates
    assert sum(c.too_late for c in counts) == sending.late
    assert sum(c.dead_lettered for c in counts) == sending.bad
