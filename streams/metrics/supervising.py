"""What the process counts that supervises stages: ``up``, ``run`` and ``demo``."""

from collections.abc import Callable, Iterable, Mapping

from deploy.supervisor import Crashed
from streams.metrics.stage import StageMetrics


class SupervisorMetrics:
    """Crashes of stages, and which of them run.

    Args:
        metrics: of this process.
        running: which stages run now.
    """

    def __init__(self, metrics: StageMetrics, running: Callable[[], Iterable[str]]) -> None:
        self._metrics = metrics
        self._running = running
        self._started: set[str] = set()
        self._troubles: dict[str, str] = {}
        self._crashes = metrics.registry.counter(
            "gridloom_supervised_crashes_total",
            "Ends of a stage's process that nobody asked for; it is started again.",
            "crashes",
            {"child": ()},
        )
        metrics.registry.table(
            "gridloom_supervised_running",
            "Whether a stage's process runs (1), or waits for its next start (0).",
            "",
            ["child"],
            self._are_running,
        )
        metrics.health.require(lambda: "; ".join(self._troubles.values()) or None)

    def started(self, stage: str) -> None:
        """Show a stage from now on."""
        self._started.add(stage)
        self._crashes.labels(stage)  # at 0, so that the first crash is seen as an increase

    def crashed(self, event: Crashed) -> None:
        """Count a crash."""
        self._crashes.labels(event.name).inc()

    def polled(self, troubles: Mapping[str, str]) -> None:
        """Take what keeps crashing, by stage and in words, after a look at all of them."""
        self._troubles = dict(troubles)
        self._metrics.health.turned()

    def _are_running(self) -> Mapping[tuple[str, ...], float]:
        running = set(self._running())
        return {(stage,): float(stage in running) for stage in sorted(self._started)}
