"""Dead letters are workable: what was refused is corrected, sent again, and counted exactly."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.align_state import POSITION_KEY, AlignPosition, ReadingCounts
from schemas.dead_letter import DeadLetter, as_base64
from schemas.messages import Decoder, encode
from schemas.settings import KafkaSettings
from schemas.telemetry import Batch, BatchItem, Reading
from schemas.topics import ALIGN_STATE, DEAD_LETTERS
from schemas.windows import window_start
from streams.kafka import existing_topics, read_table
from streams.letters.stored import Filter, StoredLetter, read_letters, read_retries
from tests.integration.conftest import Up
from tests.support.outside import OutsideProducer, committed

pytestmark = pytest.mark.kafka

SITE_TOML = """
name = "{name}"
capacity_kw = 50
[[meters]]
id = "m1"
rated_kw = 10
[[meters]]
id = "m2"
rated_kw = 10
"""
AHEAD_MS = 30_000
"""Readings are stamped so far ahead of now: the bound is 60 s, and none becomes too late [ms]."""

PATIENCE_S = 90.0
_POSITION: Decoder[AlignPosition] = Decoder(AlignPosition)
REFUSED = 1


class Bench:
    """A running align, and what came of what was sent to it."""

    def __init__(self, up: Up, folder: Path) -> None:
        self._up = up
        self._folder = folder
        self.settings = KafkaSettings(bootstrap_servers=up.bootstrap_servers)
        self.producer = OutsideProducer(up.bootstrap_servers)

    def site_file(self, name: str) -> str:
        path = self._folder / f"{name}.toml"
        path.write_text(SITE_TOML.format(name=name), encoding="utf-8")
        return str(path)

    def run(self, *arguments: str, status: int = 0) -> str:
        """A command's output; it has to end with ``status``."""
        done = subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=os.environ | self._up.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout

    def letters(self, number: int) -> list[StoredLetter]:
        """All dead letters, once there are so many."""
        deadline_s = time.monotonic() + PATIENCE_S
        while len(found := list(read_letters(self.settings, Filter()))) < number:
            assert time.monotonic() < deadline_s, found
            time.sleep(0.2)
        assert len(found) == number
        return found

    def require_counts(self, **expected: int) -> None:
        """Wait until align has counted as many readings as expected; then all has to fit."""
        wanted = ReadingCounts(**expected)
        deadline_s = time.monotonic() + PATIENCE_S
        while (found := self._counts()).total < wanted.total:
            assert time.monotonic() < deadline_s, found
            time.sleep(0.2)
        assert found == wanted

    def _counts(self) -> ReadingCounts:
        tables = [read_table(self.settings, ALIGN_STATE.name, number) for number in range(4)]
        stored = [table[POSITION_KEY] for table in tables if POSITION_KEY in table]
        return sum((_POSITION.decode(value).counts for value in stored), ReadingCounts())

    def value_of(self, site: str, device: str, window_start_ms: int) -> float | None:
        """The last revision's value of a meter in a window, once the window is there."""

        def is_it(window: dict[str, object]) -> bool:
            return (window["site"], window["window_start_ms"]) == (site, window_start_ms)

        deadline_s = time.monotonic() + PATIENCE_S
        found: list[dict[str, object]] = []
        while not found:
            assert time.monotonic() < deadline_s
            windows = committed(self.settings.bootstrap_servers, "windows.meter", range(4))
            found = [window for window in windows if is_it(window)]
        values = found[-1]["values"]
        assert isinstance(values, list)
        value = values[("m1", "m2").index(device)]
        return None if value is None else float(value)


def _reading(site: str, device: str, time_ms: int, value: float) -> bytes:
    return encode(
        Reading(
            event_id=f"{device}-{time_ms}",
            site=site,
            source="head-end-1",
            device=device,
            quantity="active_power",
            unit="kW",
            value=value,
            event_time_ms=time_ms,
        )
    )


def _batch(site: str, time_ms: int) -> bytes:
    """Two readings, the second of them in a unit that is none."""
    items = [
        BatchItem(
            event_id=f"{device}-{time_ms}",
            device=device,
            quantity="active_power",
            unit=unit,
            value=value,
            event_time_ms=time_ms,
        )
        for device, unit, value in (("m1", "kW", 3.0), ("m2", "horses", 4.0))
    ]
    return encode(Batch(site=site, source="head-end-1", readings=tuple(items)))


def test_what_was_refused_is_corrected_sent_again_and_counted_exactly(
    up: Callable[..., Up], tmp_path: Path
) -> None:
    """Issue: dead letters are workable; DESIGN "Time" 7: every reading has exactly one class."""
    bench = Bench(up("align", "--site", str(_first_site(tmp_path))), tmp_path)
    now_ms = window_start(time.time_ns() // 1_000_000)
    at_ms, send = now_ms + AHEAD_MS, bench.producer.send
    send("telemetry.meter", "plant-7", _batch("plant-7", at_ms))
    send("telemetry.meter", "plant-8", _reading("plant-8", "m1", at_ms, 5.0))
    send("telemetry.meter", "plant-8", _reading("plant-8", "m2", now_ms - 600_000, 6.0))
    send("telemetry.meter", "plant-7", b'{"type": "reading", "site": 7')
    bench.producer.flush()
    bench.require_counts(windowed=1, dead_lettered=4)
    letters = bench.letters(4)

    _find_and_show(bench, letters)
    _retry(bench)
    bench.require_counts(windowed=3, dead_lettered=4)
    _retry_once_more(bench)
    bench.require_counts(windowed=3, duplicate=1, too_late=1, dead_lettered=4)
    _nothing_is_commanded(bench)
    assert bench.value_of("plant-7", "m2", at_ms) == 4.0
    assert bench.value_of("plant-8", "m1", at_ms) == 5.0


def _first_site(folder: Path) -> Path:
    path = folder / "plant-7.toml"
    path.write_text(SITE_TOML.format(name="plant-7"), encoding="utf-8")
    return path


def _find_and_show(bench: Bench, letters: list[StoredLetter]) -> None:
    (horses,) = [each for each in letters if "horses" in str(each.letter.errors)]
    assert (horses.letter.item, horses.letter.source) == (1, "head-end-1")
    listed = bench.run("dead-letters", "list", "--reason", "horses").splitlines()
    assert len(listed) == 2
    assert listed[1].startswith(str(horses.number))
    shown = bench.run("dead-letters", "show", str(horses.number))
    assert '"unit": "horses"' in shown
    assert "head-end-1" in shown
    exported = bench.site_file("x").replace(".toml", ".jsonl")
    assert "4 letters" in bench.run("dead-letters", "export", exported)
    lines = Path(exported).read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [each.number for each in letters]


def _retry(bench: Bench) -> None:
    """The unit is corrected, the site declared; what is broken or final stays where it is."""
    planned = bench.run("dead-letters", "retry", "--site", "plant-8", "--dry-run")
    assert "1 letters, 1 readings, to telemetry.meter[" in planned
    assert "its windows are final" in planned
    bench.run("declare", bench.site_file("plant-8"))
    bench.run("dead-letters", "retry", "--site", "plant-8", "--yes")
    bench.run("dead-letters", "retry", "--reason", "horses", "--fix", "unit=kW", "--yes")
    broken = bench.run("dead-letters", "retry", "--reason", "not JSON", "--yes", status=REFUSED)
    assert "cannot be read" in broken
    assert len(read_retries(bench.settings)) == 2


def _retry_once_more(bench: Bench) -> None:
    """Twice is refused; asked for, it is a duplicate. A final window is only counted."""
    twice = ("dead-letters", "retry", "--reason", "horses", "--fix", "unit=kW", "--yes")
    assert "sent it again at" in bench.run(*twice, status=REFUSED)
    bench.run(*twice, "--again")
    bench.run("dead-letters", "retry", "--site", "plant-8", "--late", "--yes")


def _nothing_is_commanded(bench: Bench) -> None:
    """A stale command is worse than none."""
    topic = "actuator.setpoints.gw-1"
    letter = DeadLetter(
        stage="field",
        origin=topic,
        partition=0,
        position=0,
        errors=("this is no Setpoint",),
        original_base64=as_base64(_reading("plant-7", "m1", 1, 1.0)),
    )
    producer = OutsideProducer(bench.settings.bootstrap_servers, partitions=1)
    producer.send(DEAD_LETTERS.name, "plant-7", encode(letter))
    producer.flush()
    refused = bench.run("dead-letters", "retry", "--origin", topic, "--yes", status=REFUSED)
    assert "a command that comes late is worse than none" in refused
    assert topic not in existing_topics(bench.settings)
