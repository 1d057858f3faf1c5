"""Ticks: empty records that let every telemetry topic carry the time, whoever is silent."""

from collections.abc import Collection
from typing import Final

from confluent_kafka import Producer

from schemas.clock import PipelineClock
from schemas.topics import TELEMETRY
from schemas.windows import WINDOW_MS, close_delay_ms, window_start
from streams.kafka import TICK_HEADER
from streams.metrics import StageMetrics

_TOPICS: Final = tuple(spec.name for spec in TELEMETRY.values())


class Ticker:
    """Writes ticks at an interval, and at once when a window is due.

    Args:
        client: writes them; never within a transaction.
        clock: the pipeline clock; the data clock has its ticks from the replay.
        interval_ms: between ticks [ms].
        metrics: count them.
    """

    def __init__(
        self, client: Producer, clock: PipelineClock, interval_ms: int, metrics: StageMetrics
    ) -> None:
        self._client = client
        self._clock = clock
        self._interval_ms = interval_ms
        self._metrics = metrics
        self._due_ms = 0

    def tick(self, now_ms: int, partitions: Collection[int]) -> None:
        """Write what is due at ``now_ms`` [ms of wall time] to all topics of the partitions."""
        if self._clock.is_data_clock or now_ms < self._due_ms:
            return
        self._due_ms = min(now_ms + self._interval_ms, next_close_ms(self._clock, now_ms))
        for topic in _TOPICS:
            for partition in partitions:
                self._client.produce(topic, partition=partition, headers={TICK_HEADER: b""})
            self._metrics.produced(topic, len(partitions))
        self._client.poll(0)


def next_close_ms(clock: PipelineClock, now_ms: int) -> int:
    """Wall time after ``now_ms`` at which the next windows close [ms]."""
    delay_ms = close_delay_ms(clock.speed)
    last_ms = window_start(clock.at(now_ms) - delay_ms)
    # One millisecond more: rounding must not put the tick just before the window's time.
    return clock.append_time_of(last_ms + WINDOW_MS + delay_ms) + 1
