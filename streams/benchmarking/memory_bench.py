"""How much memory align needs, by meters."""

import math
from typing import Final

from processors.aligning.partition import MAX_CELLS
from schemas.windows import LATENESS_MS, WINDOW_MS
from streams.benchmarking.align_bed import Bed, Run, laid_bed
from streams.benchmarking.align_workload import PER_SITE, Workload
from streams.benchmarking.figures import Calculated, Curve, Figure, Result, figure
from streams.benchmarking.rounds import Bench
from streams.benchmarking.scale_needs import METERS as MANY_METERS
from streams.kafka import PREFETCH_KB

METERS: Final = (1_000, 10_000, 100_000)
QUICK_METERS: Final = (1_000, 4_000)
GOAL_MB: Final = 400.0
GOAL_METERS: Final = 100_000

_WINDOWS: Final = 24
"""Two minutes: four times the lateness, for which readings stay open."""
_ROUNDS: Final = 3
"""At most: every round of the largest case takes in 2.4 million readings."""

_NOTES: Final = (
    "align is the real stage in a process of its own, exactly once; it catches up with a full log",
    "so its prefetch is full, and the peak is the greatest that it comes to",
    "steady: the median of what was resident in the second half of each run",
    f"one reading of every meter per window; lateness {LATENESS_MS // 1000} s",
    f"bounded whatever the meters: librdkafka's prefetch, {PREFETCH_KB:,} kB of records",
    f"bounded whatever the meters: windows computed at once, MAX_CELLS {MAX_CELLS:,} values",
    "grows with the meters: declared sites, series, what final windows left behind",
    f"grows with their readings: those of {LATENESS_MS // WINDOW_MS} windows, not final yet",
)


def run(bench: Bench) -> Result:
    """Run ``memory``: a Kafka for each number of meters, one after the other."""
    sizes = QUICK_METERS if bench.quick else METERS
    rounds = min(bench.rounds, _ROUNDS)
    bench.progress.start("memory", len(sizes) * (1 + rounds))
    found = {meters: _runs(bench, meters, rounds) for meters in sizes}
    return Result(
        name="memory",
        sizes={"windows": _WINDOWS, "meters_per_site": PER_SITE, "rounds": rounds},
        figures=tuple(_figures(found)),
        curves=tuple(growth(found)),
        calculated=(bytes_per_meter(found), for_many_meters(found)),
        notes=_NOTES,
    )


def _runs(bench: Bench, meters: int, rounds: int) -> list[Run]:
    """Runs of align over the readings of so many meters."""
    bench.progress.step(f"sending {meters * _WINDOWS:,} readings of {meters:,} meters")
    workload = Workload(meters * _WINDOWS, 1, bench.settings.kafka.partitions, meters)
    folder = bench.folder / f"memory-{meters}"
    with laid_bed(bench.settings, workload, folder, bench.progress.note) as bed:
        return [_run(bench, bed, meters) for _ in range(rounds)]


def _run(bench: Bench, bed: Bed, meters: int) -> Run:
    bench.progress.step(f"{meters:,} meters")
    return bed.align()


def _figures(found: dict[int, list[Run]]) -> list[Figure]:
    """Peak, steady state and rate at every size."""
    return [
        *(
            figure(
                f"peak, {meters:,} meters",
                "MB",
                [run.peak_mb for run in runs],
                GOAL_MB if meters == GOAL_METERS else None,
            )
            for meters, runs in found.items()
        ),
        *(
            figure(f"steady, {meters:,} meters", "MB", [run.steady_mb for run in runs])
            for meters, runs in found.items()
        ),
        *(
            figure(f"{meters:,} meters", "readings/s", [run.readings_per_s for run in runs])
            for meters, runs in found.items()
        ),
        *(
            figure(f"{meters:,} meters", "us CPU/reading", [run.cpu_us for run in runs])
            for meters, runs in found.items()
        ),
    ]


def growth(found: dict[int, list[Run]]) -> list[Curve]:
    """Growth of the medians."""
    medians = {each.name: each.measured.median for each in _figures(found) if each.unit == "MB"}
    return [
        Curve(
            name=name,
            size="meters",
            unit="MB",
            points=tuple((meters, medians[f"{name}, {meters:,} meters"]) for meters in found),
            at_most=GOAL_MB if GOAL_METERS in found else None,
        )
        for name in ("peak", "steady")
    ]


def bytes_per_meter(found: dict[int, list[Run]]) -> Calculated:
    """What one more meter costs."""
    (peak, _) = growth(found)
    (few, least_mb), (many, most_mb) = peak.points[0], peak.points[-1]
    return Calculated(
        name="one more meter",
        value=(most_mb - least_mb) * 1e6 / (many - few),
        unit="bytes",
        how=f"(peak at {many:,.0f} - peak at {few:,.0f} meters) / ({many:,.0f} - {few:,.0f})",
    )


def for_many_meters(found: dict[int, list[Run]]) -> Calculated:
    """What ten million meters need, in processes as large as the largest that was measured."""
    (peak, _) = growth(found)
    meters, peak_mb = peak.points[-1]
    processes = math.ceil(MANY_METERS / meters)
    return Calculated(
        name=f"{MANY_METERS:,} meters",
        value=processes * peak_mb / 1_000,
        unit="GB",
        how=f"{processes} processes of {meters:,.0f} meters, {peak_mb:.0f} MB each",
    )
