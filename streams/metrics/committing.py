"""What stages that write in transactions count besides."""

from typing import Final

from streams.metrics.registry import StageRegistry

TRANSACTION_BUCKETS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0)
"""Upper bounds of the buckets of transactions [s]; a longer one ends the process."""


class TransactionMetrics:
    """Transactions by outcome, and how long they took."""

    def __init__(self, registry: StageRegistry) -> None:
        self._durations = registry.histogram(
            "gridloom_transaction_seconds",
            "Time from a transaction's begin to its end.",
            TRANSACTION_BUCKETS_S,
        )
        self._outcomes = registry.counter(
            "gridloom_transactions_total",
            "Transactions by outcome; one that failed ends the process, which starts anew.",
            "transactions",
            {"outcome": ("committed", "failed")},
        )

    def ended(self, seconds: float, *, committed: bool) -> None:
        """Count a transaction that took so long [s]."""
        self._durations.observe(seconds)
        self._outcomes.labels("committed" if committed else "failed").inc()
