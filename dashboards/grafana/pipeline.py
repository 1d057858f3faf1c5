"""The pipeline dashboard: whether the stages keep up, and what they do with every record."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards.grafana import promql
from dashboards.grafana.assembling import Section, assembled
from dashboards.grafana.datasources import Sources
from dashboards.grafana.looks import (
    FULL_WIDTH,
    GREEN,
    RED,
    About,
)
from dashboards.grafana.panels import (
    Panel,
    figure,
    time_series,
)

UID: Final = "gridloom-pipeline"
_NO_METRICS: Final = "no metrics in this range: do the stages run, and does Prometheus scrape them?"
_THIRD: Final = 8


def pipeline(sources: Sources) -> Dashboard:
    """The dashboard of all stages."""
    return assembled(
        UID,
        "Gridloom: pipeline",
        "Rates, lag, latency and losses of every stage, from the metrics that they show.",
        (
            Section("Health", _health(sources)),
            Section("Align", _align(sources)),
            Section("Latency", _latency(sources)),
            Section("Historian", _historian(sources)),
            Section("Control", _control(sources)),
        ),
    )


def _health(sources: Sources) -> list[Panel]:
    """Who runs, how much goes through, and what is left lying."""
    stages = About(
        "Processes per stage",
        "Number of processes of each stage that Prometheus reaches.",
        _NO_METRICS,
        (promql.STAGES_UP,),
        "none",
        FULL_WIDTH,
        4,
    )
    crashes = About(
        "Crashes",
        "Crashes of each supervised process up to the range's end, and whether it runs now (1) or"
        " waits for its next start (0) [number].",
        _NO_METRICS,
        (promql.RUNNING, promql.CRASHES),
    )
    rates = About(
        "Records per stage",
        "Records consumed and produced by each stage [records/s].",
        _NO_METRICS,
        (promql.CONSUMED, promql.PRODUCED),
        "cps",
    )
    topics = About(
        "Records by topic",
        "Records consumed, by stage and topic [records/s].",
        _NO_METRICS,
        (promql.BY_TOPIC,),
        "cps",
    )
    lag = About(
        "Consumer lag",
        "Records that are in a topic and that its stage has not consumed yet [records].",
        _NO_METRICS,
        (promql.LAG,),
    )
    transactions = About(
        "Transactions",
        "Transactions that ended, by stage and outcome [1/s]; an aborted one is done again.",
        _NO_METRICS,
        (promql.TRANSACTIONS,),
        "cps",
    )
    return [
        figure(stages, sources, steps=((None, RED), (1.0, GREEN))),
        time_series(crashes, sources),
        time_series(rates, sources),
        time_series(topics, sources),
        time_series(lag, sources),
        time_series(transactions, sources),
    ]


def _align(sources: Sources) -> list[Panel]:
    """Readings to windows."""
    watermark = About(
        "Watermark delay",
        "How far event time is behind the clock, greatest of all partitions [s].",
        _NO_METRICS,
        (promql.WATERMARK_DELAY,),
        "s",
        _THIRD,
    )
    readings = About(
        "Readings by fate",
        "Readings by what became of them: windowed, duplicate, too late, or dead-lettered"
        " [readings/s].",
        _NO_METRICS,
        (promql.READINGS,),
        "cps",
        _THIRD,
    )
    published = About(
        "Windows published",
        "Windows of sites, by completeness; a later revision replaces a first one [windows/s].",
        _NO_METRICS,
        (promql.WINDOWS,),
        "cps",
        _THIRD,
    )
    delays = About(
        "Delay of readings",
        "Time from what a reading says to its arrival in Kafka, by kind, median and 99th percentile"
        " [s]; after 30 s it is too late.",
        _NO_METRICS,
        promql.DELAYS,
        "s",
    )
    clocks = About(
        "Clocks that are off",
        "Devices of which all readings of a minute came from the future, or all came late, and by"
        " how much the worst [s]; the log of align names them.",
        _NO_METRICS,
        (promql.SKEWED_CLOCKS, promql.WORST_CLOCK),
    )
    lost = About(
        "Dead letters",
        "Records in the range that could not be understood, by stage [records].",
        _NO_METRICS,
        (promql.DEAD_LETTERS,),
        "none",
        _THIRD,
    )
    losing = About(
        "Dead letters over time",
        "Records that could not be understood, by stage [records/s].",
        _NO_METRICS,
        (promql.DEAD_LETTER_RATE,),
        "cps",
        2 * _THIRD,
    )
    return [
        time_series(watermark, sources),
        time_series(readings, sources),
        time_series(published, sources),
        time_series(delays, sources),
        time_series(clocks, sources),
        figure(lost, sources, steps=((None, GREEN), (1.0, RED))).decimals(0),
        time_series(losing, sources),
    ]


def _latency(sources: Sources) -> list[Panel]:
    """From the end of a window to the confirmed command."""
    hops = About(
        "Latency by hop",
        "Time that each hop takes, median and 99th percentile [s]: window published (from its end"
        " and the wait for late readings), window stored, plan, verdict, command, confirmation.",
        _NO_METRICS,
        promql.HOPS,
        "s",
        FULL_WIDTH,
        10,
    )
    transactions = About(
        "Duration of transactions",
        "Time from the begin of a transaction to its commit, median and 99th percentile [s].",
        _NO_METRICS,
        promql.TRANSACTION_TIMES,
        "s",
    )
    solving = About(
        "Duration of solving",
        "Time that dispatch takes to solve one window, median and 99th percentile [s].",
        _NO_METRICS,
        promql.SOLVE_TIMES,
        "s",
    )
    return [
        time_series(hops, sources),
        time_series(transactions, sources),
        time_series(solving, sources),
    ]


def _historian(sources: Sources) -> list[Panel]:
    """What is written, how fast, and what is not."""
    points = About(
        "Points written",
        "Points that the historian took, by measurement [points/s].",
        _NO_METRICS,
        (promql.POINTS,),
        "cps",
        _THIRD,
    )
    writes = About(
        "Duration of writes",
        "Time of one write to the historian, median and 99th percentile [s].",
        _NO_METRICS,
        promql.WRITE_TIMES,
        "s",
        _THIRD,
    )
    troubles = About(
        "Retries and refused points",
        "Writes that were tried again, by reason, and points that the historian refused, over the"
        " range [number].",
        "none: no write was tried again, no point refused",
        (promql.RETRIES, promql.REFUSED_POINTS),
        "short",
        _THIRD,
    )
    return [
        time_series(points, sources),
        time_series(writes, sources),
        time_series(troubles, sources),
    ]


def _control(sources: Sources) -> list[Panel]:
    """What is planned, let through, sent and acknowledged."""
    decisions = About(
        "Plans and verdicts",
        "Plans by status, verdicts by outcome [1/s].",
        _NO_METRICS,
        (promql.PLANS, promql.VERDICTS),
        "cps",
    )
    commands = About(
        "Commands and acknowledgements",
        "Setpoints by kind, acknowledgements by result [1/s].",
        _NO_METRICS,
        (promql.COMMANDS, promql.ACKS),
        "cps",
    )
    return [time_series(decisions, sources), time_series(commands, sources)]
