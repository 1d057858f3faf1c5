"""Whether the pipeline clock suits a recording, and how to shift it so that it does."""

from collections.abc import Callable
from typing import Final

from confluent_kafka import TopicPartition

from schemas.clock import PipelineClock
from schemas.errors import ReplayError
from schemas.settings import KafkaSettings, Settings
from schemas.topics import telemetry_topic
from schemas.units import TelemetryKind
from schemas.windows import LATENESS_MS, WINDOW_MS, iso_utc, window_start
from streams.kafka import READY_TIMEOUT_S, TICK_HEADER, reader
from streams.replay.options import ReplayOptions
from streams.replay.recording import Recording

_LAST_RECORD: Final = -2001
"""librdkafka's logical offset of the last record in a partition, OFFSET_TAIL(1)."""

_START_IN_MS: Final = 1_000
"""Wall time that a rebased replay has before its first reading is due [ms]."""


def check_clock(
    clock: PipelineClock,
    now_ms: int,
    recording: Recording,
    options: ReplayOptions,
    settings: Settings,
) -> None:
    """Make sure that the recording can be played on this clock.

    Args:
        clock: the pipeline clock.
        now_ms: pipeline time now [ms]; not looked at on the data clock.
        recording: what is to be played.
        options: speed and rebase.
        settings: how far ahead a reading may be.

    Raises:
        ReplayError: it cannot; says what would.
    """
    _check_speed(clock, options.speed)
    if clock.is_data_clock:
        if options.rebase:
            message = "the data clock has no present to shift the file to"
            raise ReplayError(message, hint="leave --rebase out")
    elif not options.rebase:
        _check_present(recording.first_ms, now_ms, round(settings.align.max_ahead_s * 1000))


def _check_speed(clock: PipelineClock, speed: float | None) -> None:
    if speed is None or speed == clock.speed:
        return
    runs = "on the data clock (speed 0)" if clock.is_data_clock else f"at speed {clock.speed:g}"
    message = f"--speed {speed:g} does not fit: this pipeline runs {runs}"
    hint = f"leave --speed out, or start another pipeline with `gridloom up --speed {speed:g}`"
    raise ReplayError(message, hint=hint)


def _check_present(first_ms: int, now_ms: int, max_ahead_ms: int) -> None:
    if now_ms - LATENESS_MS <= first_ms <= now_ms + max_ahead_ms:
        return
    message = (
        f"the file begins at {iso_utc(first_ms)}, but for the pipeline it is {iso_utc(now_ms)}"
    )
    hint = (
        "shift the file's time with --rebase, or replay it as history into a pipeline on the"
        " data clock (`gridloom up --speed 0`)"
    )
    raise ReplayError(message, hint=hint)


def rebase_shift_ms(clock: PipelineClock, wall_ms: int, first_ms: int) -> int:
    """Shift [ms] that makes the first reading due soon, where a window starts."""
    soon_ms = clock.at(wall_ms + _START_IN_MS)
    return window_start(soon_ms - 1) + WINDOW_MS - first_ms


def warn_of_passed_time(
    settings: KafkaSettings, partition: int, recording: Recording, note: Callable[[str], None]
) -> None:
    """On the data clock, tell of readings whose windows an earlier replay has made final."""
    stands_ms = data_clock_ms(settings, partition)
    if stands_ms is None:
        return
    window_end = recording.time_ms - recording.time_ms % WINDOW_MS + WINDOW_MS
    late = int((window_end + LATENESS_MS <= stands_ms).sum())
    if late:
        note(
            f"warning: the data clock stands at {iso_utc(stands_ms)};"
            f" {late} of {len(recording)} readings will count as too late or duplicate"
        )


def data_clock_ms(settings: KafkaSettings, partition: int) -> int | None:
    """Time that the last record of a partition tells [ms]; None where it is no tick."""
    consumer = reader(settings, "replay")
    try:
        topic = telemetry_topic(TelemetryKind.METER)
        consumer.assign([TopicPartition(topic, partition, _LAST_RECORD)])
        message = consumer.poll(READY_TIMEOUT_S)
        headers = None if message is None or message.error() else message.headers()
        time = dict(headers or []).get(TICK_HEADER)
        return int(time) if time else None
    finally:
        consumer.close()
