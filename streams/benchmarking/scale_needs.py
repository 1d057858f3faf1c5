"""What many more meters than this machine can hold would need, reckoned from measured costs."""

import math
from dataclasses import dataclass
from typing import Final

from schemas.windows import WINDOW_MS
from streams.benchmarking.figures import Calculated

METERS: Final = 10_000_000

MOST_BUSY: Final = 0.6
"""Share of a core that a process is to use on average (ours): the rest is for catching up."""

METERS_PER_PROCESS: Final = 100_000
"""At most (ours): what `gridloom bench memory` measures; a restart replays 30 s of them."""

PARTITIONS_PER_PROCESS: Final = 4
"""Ours: one more process takes over whole partitions, and sites differ in size."""


@dataclass(frozen=True, slots=True)
class MeasuredCost:
    """What one reading costs.

    Attributes:
        align_cpu_us, broker_cpu_us: CPU time [us].
        bytes_in: in telemetry, key and value.
        bytes_out: in windows that are published, key and value.
    """

    align_cpu_us: float
    broker_cpu_us: float
    bytes_in: float
    bytes_out: float


def needs_of(cost: MeasuredCost, meters: int = METERS) -> tuple[Calculated, ...]:
    """What so many meters need that send one reading per window."""
    rate = meters * 1_000 / WINDOW_MS
    align_cores = rate * cost.align_cpu_us / 1e6
    broker_cores = rate * cost.broker_cpu_us / 1e6
    by_cpu, by_memory = align_cores / MOST_BUSY, meters / METERS_PER_PROCESS
    processes = math.ceil(max(by_cpu, by_memory))
    reason = "CPU" if by_cpu > by_memory else "memory"
    mb_in, mb_out = rate * cost.bytes_in / 1e6, rate * cost.bytes_out / 1e6
    return (
        _need("readings", rate, "1/s", f"{meters:,} meters, one each per {WINDOW_MS // 1_000} s"),
        _need("align", align_cores, "cores busy", f"{cost.align_cpu_us:.3g} us per reading"),
        _need(
            "align",
            processes,
            "processes",
            f"by {reason}: a core {MOST_BUSY:.0%} busy, {METERS_PER_PROCESS:,} meters at most",
        ),
        _need(
            "telemetry",
            processes * PARTITIONS_PER_PROCESS,
            "partitions",
            f"{PARTITIONS_PER_PROCESS} for each process",
        ),
        _need("Kafka, into telemetry", mb_in, "MB/s", f"{cost.bytes_in:.0f} bytes per reading"),
        _need("Kafka, out to align", mb_in, "MB/s", "the same, read once"),
        _need(
            "Kafka, windows in, and out to store",
            mb_out,
            "MB/s",
            f"{cost.bytes_out:.0f} bytes per reading, each way",
        ),
        _need(
            "brokers",
            broker_cores,
            "cores busy",
            f"{cost.broker_cpu_us:.3g} us per reading out and its windows in, one replica",
        ),
        _need("InfluxDB", rate, "points/s", "one point per meter and window; see store"),
    )


def _need(name: str, value: float, unit: str, how: str) -> Calculated:
    return Calculated(name=name, value=value, unit=unit, how=how)
