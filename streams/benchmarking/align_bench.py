"""How many readings align takes per second, from Kafka to committed windows."""

from contextlib import ExitStack
from typing import Final

from streams.benchmarking.align_bed import Bed, Run, laid_bed
from streams.benchmarking.align_workload import METERS, SITES, Workload, whole_readings
from streams.benchmarking.figures import Bar, Figure, Result, bar, spread
from streams.benchmarking.rounds import WARM_UPS, Bench, interleaved

BATCH: Final = 1_000
"""Readings of a batch message."""

GOAL_OF_CONSUME: Final = 0.45
GOAL_OF_BATCHES: Final = 2.5

_TITLES: Final = {
    "align": "align, single readings",
    "batches": f"align, batches of {BATCH:,}",
    "consume": "peer: bare consume loop",
    "decode": "peer: the same, JSON decoded",
}
_NOTES: Final = (
    "align is the real stage in a process of its own, exactly once: state and offsets included",
    "align has ended when the last window of every site can be read as committed",
    "peers are loops with the same consumer settings and a process each; they write nothing",
    "everything is counted from the moment a process has its partitions",
    "Kafka Streams, Quix Streams and Faust, with equal guarantees, are not measured yet",
)


def run(bench: Bench) -> Result:
    """Run ``align``: two Kafkas, one with single readings and one with the same in batches."""
    readings = whole_readings(bench.readings, BATCH)
    partitions = bench.settings.kafka.partitions
    bench.progress.start("align", 2 + len(_TITLES) * (WARM_UPS + bench.rounds))
    with ExitStack() as stack:

        def lay(name: str, batch: int) -> Bed:
            bench.progress.step(f"sending {readings:,} readings, {name}")
            workload = Workload(readings, batch, partitions)
            bed = laid_bed(bench.settings, workload, bench.folder / name, bench.progress.note)
            return stack.enter_context(bed)

        singles, batches = lay("singles", 1), lay("batches", BATCH)
        cases = {
            "align": singles.align,
            "batches": batches.align,
            "consume": lambda: singles.peer("consume"),
            "decode": lambda: singles.peer("decode"),
        }
        runs = interleaved(cases, bench)
    sizes = {"readings": readings, "meters": METERS, "sites": SITES, "partitions": partitions}
    return Result(
        name="align",
        sizes=sizes,
        figures=tuple(_figures(runs)),
        bars=tuple(_bars(runs)),
        notes=_NOTES,
    )


def _figures(runs: dict[str, list[Run]]) -> list[Figure]:
    """Rate, CPU time and memory of every case."""
    columns = (("readings/s", "readings_per_s"), ("us CPU/reading", "cpu_us"), ("MB", "peak_mb"))
    return [
        Figure(
            name=_TITLES[name],
            unit=unit,
            measured=spread([getattr(run, attribute) for run in of_case]),
        )
        for unit, attribute in columns
        for name, of_case in runs.items()
    ]


def _bars(runs: dict[str, list[Run]]) -> list[Bar]:
    """Rates against each other, round by round; and CPU time, which others disturb less."""
    rate = {name: [run.readings_per_s for run in of_case] for name, of_case in runs.items()}
    cpu = {name: [run.cpu_us for run in of_case] for name, of_case in runs.items()}
    return [
        bar("align / bare consume", rate["align"], rate["consume"], GOAL_OF_CONSUME),
        bar("align / consume and decode", rate["align"], rate["decode"]),
        bar("batches / single readings", rate["batches"], rate["align"], GOAL_OF_BATCHES),
        bar("align / bare consume, by CPU time", cpu["consume"], cpu["align"]),
        bar("batches / single readings, by CPU time", cpu["align"], cpu["batches"]),
    ]
