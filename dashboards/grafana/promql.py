"""What Prometheus is asked about the stages; all metrics carry ``stage`` and ``slot``."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PromQuery:
    """A question to Prometheus, and how each of its series is called in the legend.

    ``instant``: only the newest value is asked for, not the course of time.
    """

    expr: str
    legend: str
    instant: bool = False


def per_second(counter: str, *by: str) -> str:
    """How fast a counter grows [1/s], summed by labels."""
    return f"sum by ({', '.join(by)}) (rate(gridloom_{counter}[$__rate_interval]))"


def grown(counter: str, *by: str) -> str:
    """By how much a counter grew over the dashboard's range, summed by labels."""
    return f"sum by ({', '.join(by)}) (increase(gridloom_{counter}[$__range]))"


def quantile(share: float, histogram: str, *by: str) -> str:
    """A quantile of a histogram in seconds, by labels."""
    labels = ", ".join(("le", *by))
    rates = f"sum by ({labels}) (rate(gridloom_{histogram}_seconds_bucket[$__rate_interval]))"
    return f"histogram_quantile({share:g}, {rates})"


def quantiles(histogram: str, by: str, legend: str) -> tuple[PromQuery, ...]:
    """Median and 99th percentile of a histogram, by one label."""
    return tuple(
        PromQuery(quantile(share, histogram, by), f"{legend} {name}")
        for share, name in ((0.5, "p50"), (0.99, "p99"))
    )


STAGES_UP: Final = PromQuery("count by (stage) (gridloom_stage_info)", "{{stage}}", instant=True)
RUNNING: Final = PromQuery("min by (child) (gridloom_supervised_running)", "{{child}} runs")
CRASHES: Final = PromQuery(grown("supervised_crashes_total", "child"), "{{child}} crashes")
CONSUMED: Final = PromQuery(per_second("records_consumed_total", "stage"), "{{stage}} in")
PRODUCED: Final = PromQuery(per_second("records_produced_total", "stage"), "{{stage}} out")
BY_TOPIC: Final = PromQuery(
    per_second("records_consumed_total", "stage", "topic"), "{{stage}}: {{topic}}"
)
LAG: Final = PromQuery(
    "sum by (stage, topic) (gridloom_consumer_lag_records)", "{{stage}}: {{topic}}"
)
WATERMARK_DELAY: Final = PromQuery(
    "max by (stage, slot) (gridloom_watermark_delay_seconds)", "{{stage}} {{slot}}"
)
DELAYS: Final = quantiles("reading_delay", "kind", "{{kind}}")
SKEWED_CLOCKS: Final = PromQuery(
    "sum by (direction) (gridloom_clock_skew_devices)", "devices {{direction}}"
)
WORST_CLOCK: Final = PromQuery(
    "max by (direction) (gridloom_clock_skew_seconds)", "worst {{direction}} [s]"
)
READINGS: Final = PromQuery(per_second("readings_total", "fate"), "{{fate}}")
WINDOWS: Final = PromQuery(
    per_second("windows_published_total", "completeness", "revision"),
    "{{completeness}}, {{revision}}",
)
HOPS: Final = quantiles("hop_latency", "hop", "{{hop}}")
TRANSACTIONS: Final = PromQuery(
    per_second("transactions_total", "stage", "outcome"), "{{stage}} {{outcome}}"
)
TRANSACTION_TIMES: Final = quantiles("transaction", "stage", "{{stage}}")
DEAD_LETTERS: Final = PromQuery(grown("dead_letters_total", "stage"), "{{stage}}", instant=True)
DEAD_LETTER_RATE: Final = PromQuery(per_second("dead_letters_total", "stage"), "{{stage}}")
POINTS: Final = PromQuery(per_second("historian_points_total", "measurement"), "{{measurement}}")
WRITE_TIMES: Final = quantiles("historian_write", "stage", "{{stage}}")
RETRIES: Final = PromQuery(grown("historian_retries_total", "reason"), "retries: {{reason}}")
REFUSED_POINTS: Final = PromQuery(
    grown("historian_refused_points_total", "stage"), "points refused"
)
SOLVE_TIMES: Final = quantiles("dispatch_solve", "stage", "{{stage}}")
PLANS: Final = PromQuery(per_second("plans_total", "status"), "plan {{status}}")
VERDICTS: Final = PromQuery(per_second("verdicts_total", "outcome"), "verdict {{outcome}}")
COMMANDS: Final = PromQuery(per_second("commands_total", "kind"), "{{kind}}")
ACKS: Final = PromQuery(per_second("acks_total", "result"), "acknowledged: {{result}}")

DEAD_LETTERS_RISE: Final = "sum by (stage) (increase(gridloom_dead_letters_total[5m]))"
"""For an alert: dead letters of the last five minutes."""

WATERMARK_IS_LATE: Final = "max by (slot) (gridloom_watermark_delay_seconds)"
"""For an alert: how far event time is behind [s]."""
