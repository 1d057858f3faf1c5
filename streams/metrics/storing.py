"""What store counts besides: its writes."""

from collections.abc import Mapping
from typing import Final

from streams.metrics.registry import StageRegistry

WRITE_BUCKETS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Upper bounds of the buckets of writes [s]."""


class HistorianMetrics:
    """Writes to the historian, and what became of them."""

    def __init__(self, registry: StageRegistry) -> None:
        self._writes = registry.histogram(
            "gridloom_historian_write_seconds",
            "Time of a write that succeeded, without those that were tried before it.",
            WRITE_BUCKETS_S,
        )
        self._points = registry.counter(
            "gridloom_historian_points_total",
            "Points that the historian took.",
            "points",
            {"measurement": ()},
        )
        self._retries = registry.counter(
            "gridloom_historian_retries_total",
            "Writes that failed and are tried again, by reason.",
            "writes",
            {"reason": ()},
        )
        self._refused = registry.counter(
            "gridloom_historian_refused_points_total",
            "Points that the historian will never take; they become dead letters.",
            "points",
        )

    def wrote(self, seconds: float, points: Mapping[str, int], refused: int) -> None:
        """Count a write: how long it took [s], points by measurement, and those refused."""
        self._writes.observe(seconds)
        for measurement, number in points.items():
            self._points.labels(measurement).inc(number)
        self._refused.inc(refused)

    def failed(self, reason: str) -> None:
        """Count a write that is tried again."""
        self._retries.labels(reason).inc()
