"""The pipeline clock in a running process: read once from Kafka, then asked for the time."""

import time
from dataclasses import dataclass

from schemas.clock import WALL_CLOCK, PipelineClock
from schemas.errors import ConfigurationError, MessageError
from schemas.messages import Decoder, encode
from schemas.settings import KafkaSettings
from schemas.topics import CLOCK
from schemas.windows import iso_utc
from streams.kafka import producer, read_table

CLOCK_KEY = "clock"
_DECODER: Decoder[PipelineClock] = Decoder(PipelineClock)


def wall_ms() -> int:
    """Wall time [ms since the epoch]."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class RunningClock:
    """The pipeline clock as a process asks it."""

    clock: PipelineClock

    def now_ms(self) -> int:
        """Pipeline time now [ms since the epoch]."""
        return self.clock.at(wall_ms())


def read_clock(settings: KafkaSettings) -> PipelineClock:
    """The clock on ``pipeline.clock``, or wall time where none was set."""
    value = read_table(settings, CLOCK.name, client="clock").get(CLOCK_KEY)
    return WALL_CLOCK if value is None else decode_clock(value)


def decode_clock(value: bytes) -> PipelineClock:
    """The clock in a record on ``pipeline.clock``.

    Raises:
        MessageError: it is none, or tells no time that a date can have.
    """
    clock = _DECODER.decode(value)
    try:
        iso_utc(0 if clock.is_data_clock else clock.at(wall_ms()))
    except (OverflowError, ValueError) as error:
        message = "this is no pipeline clock"
        raise MessageError(message, problems=["it tells no time that a date can have"]) from error
    return clock


def read_running_clock(settings: KafkaSettings, stage: str) -> RunningClock:
    """The clock for a stage that acts in time.

    Raises:
        ConfigurationError: the pipeline runs on the data clock, where nothing may act.
    """
    clock = read_clock(settings)
    if clock.is_data_clock:
        message = f"{stage} needs a running clock, but this pipeline runs on the data clock"
        raise ConfigurationError(message, hint="start it with a --speed above 0")
    return RunningClock(clock)


def set_clock(settings: KafkaSettings, clock: PipelineClock) -> None:
    """Write the clock for everybody.

    Raises:
        ConfigurationError: another clock is set already; its records would become nonsense.
    """
    present = read_table(settings, CLOCK.name, client="clock").get(CLOCK_KEY)
    if present is not None and not _agree(decode_clock(present), clock):
        message = "this Kafka already runs on another pipeline clock"
        raise ConfigurationError(message, hint="use another folder (--fresh), or the same --speed")
    if present is None:
        client = producer(settings, "clock")
        client.produce(CLOCK.name, key=CLOCK_KEY, value=encode(clock))
        client.flush()


def _agree(present: PipelineClock, wanted: PipelineClock) -> bool:
    """Whether going on with the present clock, from where it was set once, is what is wanted."""
    both_or_neither_wall = (present == WALL_CLOCK) is (wanted == WALL_CLOCK)
    return present.speed == wanted.speed and both_or_neither_wall
