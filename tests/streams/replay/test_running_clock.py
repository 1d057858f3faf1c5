"""Replays on a running clock, into a real Kafka: each reading when its time has come."""

import signal
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from schemas.clock import PipelineClock
from schemas.errors import ReplayError
from schemas.topics import SITES
from schemas.windows import WINDOW_MS
from streams.clocks import wall_ms
from streams.kafka import read_table
from streams.replay.command import replay
from streams.replay.options import ReplayOptions
from tests.support.replay_kafka import Told, TopicView, readings_in, tick_of

pytestmark = pytest.mark.kafka

Write = Callable[[str, str], Path]

MIDNIGHT_MS = 1_705_276_800_000
SPEED = 60.0


def file_from(write: Write, first_ms: int, stamps: int) -> Path:
    """One meter every 10 s."""
    times = [datetime.fromtimestamp(first_ms / 1000 + 10 * n, UTC) for n in range(stamps)]
    rows = "".join(f"m,{time.isoformat()},{n}\n" for n, time in enumerate(times))
    return write("live.csv", "device,ts,kw\n" + rows)


@pytest.fixture
def clock(topics: TopicView) -> PipelineClock:
    """A clock that reaches midnight in a second."""
    clock = PipelineClock(
        event_origin_ms=MIDNIGHT_MS, append_origin_ms=wall_ms() + 1_000, speed=SPEED
    )
    topics.set_clock(clock)
    return clock


def test_a_reading_is_sent_when_the_clock_has_reached_its_stamp(
    topics: TopicView, clock: PipelineClock, write: Write
) -> None:
    path = file_from(write, MIDNIGHT_MS, 12)
    told = Told()
    report = replay([path], topics.settings, ReplayOptions(site="live", rebase=True), told)
    messages = [m for found in topics.records().values() for m in found]
    assert all(tick_of(message) is None for message in messages)
    assert report.ticks == 0
    for number, message in enumerate(messages):
        (reading,) = readings_in(message)
        # The broker's stamp is cut to whole milliseconds.
        assert clock.at(message.timestamp()[1] + 1) >= reading.event_time_ms
        assert reading.event_time_ms == MIDNIGHT_MS + report.shift_ms + 10_000 * number
    assert report.readings == len(messages) == told.expected == told.sent == 12
    assert (MIDNIGHT_MS + report.shift_ms) % WINDOW_MS == 0
    assert any("the file's time is shifted: it begins at 20" in note for note in told.notes)


def test_a_file_that_begins_now_is_played_as_it_is(topics: TopicView, write: Write) -> None:
    first_ms = wall_ms() // 1000 * 1000
    path = file_from(write, first_ms, 2)
    topics.set_clock(
        PipelineClock(event_origin_ms=first_ms, append_origin_ms=first_ms, speed=SPEED / 15)
    )
    report = replay([path], topics.settings, ReplayOptions(site="now", speed=4), Told())
    assert [r.event_time_ms for r in topics.readings()] == [first_ms, first_ms + 10_000]
    assert report.shift_ms == 0


def test_history_is_refused_and_nothing_is_sent(
    topics: TopicView, clock: PipelineClock, write: Write
) -> None:
    path = file_from(write, MIDNIGHT_MS - 86_400_000, 12)
    assert not clock.is_data_clock
    with pytest.raises(ReplayError, match="begins at 2024-01-14T00:00:00Z, but"):
        replay([path], topics.settings, ReplayOptions(site="history"), Told())
    assert topics.records() == {}
    assert "history" not in read_table(topics.settings.kafka, SITES.name)


def test_ctrl_c_ends_the_wait_for_the_next_stamp(topics: TopicView, write: Write) -> None:
    def interrupt(sent: int) -> None:
        assert sent == 1
        signal.raise_signal(signal.SIGINT)

    first_ms = wall_ms() // 1000 * 1000
    topics.set_clock(PipelineClock())
    path = file_from(write, first_ms, 1_000)
    told = Told(on_advance=interrupt)
    report = replay([path], topics.settings, ReplayOptions(site="waits"), told)
    assert report.interrupted
    assert len(topics.readings()) == report.readings == 1
