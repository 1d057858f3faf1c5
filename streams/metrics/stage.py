"""What every stage counts."""

import logging
from collections import Counter as Counts
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from importlib.metadata import version
from typing import Final

import msgspec
from confluent_kafka import TIMESTAMP_NOT_AVAILABLE, Message
from prometheus_client import ProcessCollector

from schemas.settings import TracingSettings
from schemas.topics import DEAD_LETTERS
from streams.metrics.health import Health
from streams.metrics.registry import StageRegistry
from streams.metrics.statistics import consumer_lags, reaches_a_broker
from streams.tracing import Spans

log = logging.getLogger(__name__)

HOP_BUCKETS_S: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the hops' buckets [s]; a window and its lateness are 5 s and 30 s."""


class Hop(StrEnum):
    """Parts of the way from a window's end to a confirmed command, in seconds of wall time."""

    WINDOW_PUBLISHED = "window_published"
    """The window's end and close delay, to its first revision's commit."""
    WINDOW_STORED = "window_stored"
    """The window's record (its Kafka timestamp) to its write's end."""
    PLAN = "plan"
    """The window's record to its plan's commit."""
    VERDICT = "verdict"
    """The plan's record to its verdict's commit."""
    COMMAND = "command"
    """The verdict's record to its setpoints' commit."""
    CONFIRMATION = "confirmation"
    """The setpoint's issue to the reading of the acknowledgement that confirms it."""


class StageMetrics:
    """What one process of a stage shows of itself: its metrics, its health, its traces.

    Args:
        stage: its name.
        slot: which of the stage's processes it is, from 0.
        tracing: whether its spans are sent somewhere; None: they are not.

    Attributes:
        registry: holds the metrics, and those that a stage adds of its own.
        health: whether it is alive and ready.
        spans: what it did for each window's trace.
    """

    def __init__(self, stage: str, slot: int = 0, tracing: TracingSettings | None = None) -> None:
        self.spans = Spans(tracing, stage, slot)
        self.registry = StageRegistry(stage, slot)
        self.health = Health(stage, slot)
        self.health.require(lambda: None if self._reaches_kafka else "no broker is connected")
        self._reaches_kafka = True
        self._lags: Mapping[tuple[str, ...], int] = {}
        self.registry.info(
            "gridloom_stage", "The stage's process; always 1.", {"version": version("gridloom")}
        )
        self._consumed = self.registry.counter(
            "gridloom_records_consumed_total",
            "Records taken from Kafka, ticks included.",
            "records",
            {"topic": ()},
        )
        self._produced = self.registry.counter(
            "gridloom_records_produced_total",
            "Records written to Kafka: committed, or handed over where there is no transaction.",
            "records",
            {"topic": ()},
        )
        self._dead_letters = self.registry.counter(
            "gridloom_dead_letters_total",
            "Records written to dead.letters.",
            "records",
        )
        self._hops = self.registry.histogram(
            "gridloom_hop_latency_seconds",
            "Wall time of one hop on the way from a window's end to a confirmed command.",
            HOP_BUCKETS_S,
            ["hop"],
        )
        self.registry.table(
            "gridloom_consumer_lag_records",
            "Records in Kafka that this process has not taken yet; no partition of others.",
            "records",
            ["topic", "partition"],
            lambda: self._lags,
        )
        ProcessCollector(registry=self.registry)

    def consumed(self, topic: str, records: int) -> None:
        """Count records taken from a topic."""
        self._consumed.labels(topic).inc(records)

    def took(self, messages: Iterable[Message]) -> None:
        """Count a batch of any topics."""
        for topic, records in Counts(str(message.topic()) for message in messages).items():
            self.consumed(topic, records)

    def produced(self, topic: str, records: int = 1) -> None:
        """Count records written to a topic."""
        self._produced.labels(topic).inc(records)
        if topic == DEAD_LETTERS.name:
            self._dead_letters.inc(records)

    def passed(self, hop: Hop, seconds: float, times: int = 1) -> None:
        """Observe a hop [s] so many times; clocks may disagree, but no hop is shorter than 0."""
        child, length_s = self._hops.labels(hop), max(0.0, seconds)
        for _ in range(times):
            child.observe(length_s)

    def passed_since(self, hop: Hop, messages: Sequence[Message], now_ms: int) -> None:
        """Observe a hop that began with each of these records and ends at ``now_ms`` [ms]."""
        for message in messages:
            kind, written_ms = message.timestamp()
            if kind != TIMESTAMP_NOT_AVAILABLE:
                self.passed(hop, (now_ms - written_ms) / 1000)

    def take_lags(self, lags: Mapping[tuple[str, ...], int]) -> None:
        """Take how far a consumer of another kind is behind, by topic and partition."""
        self._lags = lags

    def take_statistics(self, statistics: str) -> None:
        """Take librdkafka's report of a consumer: what is not in it is not shown any more.

        It is called from within the consumer: a report of another kind may not end a stage.
        """
        try:
            self._lags = consumer_lags(statistics)
            self._reaches_kafka = reaches_a_broker(statistics)
        except msgspec.DecodeError as error:
            log.warning("librdkafka's statistics cannot be read: %s", error)
            self._lags = {}
