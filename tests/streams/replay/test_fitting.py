"""Which pipeline clocks suit a file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.aligning.partition import PartitionAligner
from processors.aligning.records import Records
from schemas.clock import PipelineClock
from schemas.errors import ReplayError
from schemas.messages import encode
from schemas.settings import AlignSettings, Settings
from schemas.site_model import Meter, SiteModel
from schemas.telemetry import Reading
from schemas.units import TelemetryKind
from schemas.windows import WINDOW_MS
from streams.replay.fitting import check_clock, rebase_shift_ms
from streams.replay.loading import load_recording
from streams.replay.options import ReplayOptions
from streams.replay.playing import final_tick_ms
from streams.replay.recording import Recording
from tests.support.replay_kafka import Told

DATA_CLOCK = PipelineClock(speed=0)
FAST = PipelineClock(speed=60)
MIDNIGHT_MS = 1_705_276_800_000


@pytest.fixture
def recording(write: Callable[[str, str], Path]) -> Recording:
    text = "device,ts,kw\nm,2024-01-15T00:00Z,1\nm,2024-01-15T00:01Z,1\n"
    return load_recording([write("a.csv", text)], ReplayOptions(), Told().note)


def check(recording: Recording, clock: PipelineClock, now_ms: int = 0, **options: object) -> None:
    chosen = ReplayOptions(**options)  # type: ignore[arg-type]  # the options under test
    check_clock(clock, now_ms, recording, chosen, Settings())


def test_the_data_clock_suits_every_file(recording: Recording) -> None:
    check(recording, DATA_CLOCK)
    check(recording, DATA_CLOCK, speed=0)


@pytest.mark.parametrize("ahead_ms", [-30_000, 0, 60_000])
def test_a_running_clock_suits_a_file_that_begins_about_now(
    recording: Recording, ahead_ms: int
) -> None:
    check(recording, FAST, MIDNIGHT_MS - ahead_ms)
    check(recording, FAST, MIDNIGHT_MS - ahead_ms, speed=60)


@pytest.mark.parametrize("ahead_ms", [-30_001, 60_001, -400 * 86_400_000])
def test_a_running_clock_refuses_another_present(recording: Recording, ahead_ms: int) -> None:
    with pytest.raises(ReplayError, match="begins at 2024-01-15T00:00:00Z, but") as caught:
        check(recording, FAST, MIDNIGHT_MS - ahead_ms)
    assert "--rebase" in caught.value.hint
    assert "up --speed 0" in caught.value.hint
    check(recording, FAST, MIDNIGHT_MS - ahead_ms, rebase=True)


@pytest.mark.parametrize(
    ("clock", "speed", "runs"),
    [(DATA_CLOCK, 5, "on the data clock"), (FAST, 0, "at speed 60"), (FAST, 1, "at speed 60")],
)
def test_a_speed_other_than_the_pipelines_is_refused(
    recording: Recording, clock: PipelineClock, speed: float, runs: str
) -> None:
    with pytest.raises(ReplayError, match=runs):
        check(recording, clock, MIDNIGHT_MS, speed=speed)


def test_the_data_clock_has_no_present_to_shift_to(recording: Recording) -> None:
    with pytest.raises(ReplayError, match="no present"):
        check(recording, DATA_CLOCK, rebase=True)


@given(
    st.builds(
        PipelineClock,
        event_origin_ms=st.integers(0, 2**41),
        append_origin_ms=st.integers(0, 2**41),
        speed=st.sampled_from([0.5, 1.0, 60.0, 3600.0]),
    ),
    st.integers(0, 10**9),
    st.integers(1, 2**41),
)
def test_a_rebased_file_begins_with_a_window_that_is_about_to_start(
    clock: PipelineClock, elapsed_ms: int, first_ms: int
) -> None:
    wall_ms = clock.append_origin_ms + elapsed_ms
    begins_ms = first_ms + rebase_shift_ms(clock, wall_ms, first_ms)
    assert begins_ms % WINDOW_MS == 0
    assert 0 <= begins_ms - clock.at(wall_ms + 1_000) < WINDOW_MS


def aligned_at(tick_ms: int, stamps_ms: list[int], interval_ms: int) -> PartitionAligner:
    """An aligner that has read readings at ``stamps_ms``, and then a last tick."""
    meter = Meter(id="m", rated_kw=1, interval_s=interval_ms / 1000)
    site = SiteModel(name="home", capacity_kw=1, meters=(meter,))
    aligner = PartitionAligner(0, 1, DATA_CLOCK, AlignSettings(), {"home": site}.get)
    for kind in TelemetryKind:
        aligner.consume(kind, tick(0, stamps_ms[0]))
    values = [reading(ms) for ms in stamps_ms]
    offsets = range(1, len(values) + 1)
    aligner.consume(TelemetryKind.METER, Records.of(offsets, [0] * len(values), values))
    for kind in TelemetryKind:
        aligner.consume(kind, tick(9, tick_ms))
    return aligner


def tick(offset: int, tick_ms: int) -> Records:
    return Records.of([offset], [0], [b""], {0: tick_ms})


def reading(event_time_ms: int) -> bytes:
    return encode(
        Reading(
            event_id=str(event_time_ms),
            site="home",
            source="test",
            device="m",
            quantity="active_power",
            unit="kW",
            value=0.5,
            event_time_ms=event_time_ms,
        )
    )


@given(st.integers(MIDNIGHT_MS, MIDNIGHT_MS + 60_000), st.integers(1, 200).map(lambda n: n * 500))
def test_the_last_tick_makes_all_that_was_measured_final_and_nothing_that_follows_too_late(
    first_ms: int, interval_ms: int
) -> None:
    """DESIGN, Time 4: a window is final at its end + lateness."""
    end_ms = first_ms + interval_ms
    aligner = aligned_at(final_tick_ms(end_ms), [first_ms], interval_ms)
    emission = aligner.emit()
    measured = {w.window_start_ms for w in emission.windows}
    assert measured >= set(range(first_ms - first_ms % WINDOW_MS, end_ms, WINDOW_MS))
    assert aligner.final_before_ms is not None
    assert aligner.final_before_ms >= end_ms
    next_window_ms = -(-end_ms // WINDOW_MS) * WINDOW_MS
    aligner.consume(TelemetryKind.METER, Records.of([10], [0], [reading(next_window_ms)]))
    assert (aligner.counts.windowed, aligner.counts.too_late) == (2, 0)
