"""One align process, then two that share the partitions; and what ten million meters would need."""

from collections.abc import Iterable
from functools import partial
from statistics import median
from typing import Final

from schemas.settings import KafkaSettings
from schemas.topics import METER_WINDOWS, SITE_WINDOWS, TELEMETRY, TopicSpec
from streams.benchmarking.align_bed import laid_bed
from streams.benchmarking.align_workload import METERS, SITES, Workload, whole_readings
from streams.benchmarking.figures import Bar, Curve, Figure, Result, bar, figure
from streams.benchmarking.rounds import WARM_UPS, Bench, interleaved
from streams.benchmarking.scale_bed import Together, align_together
from streams.benchmarking.scale_needs import MeasuredCost, needs_of
from streams.kafka import read_all

PROCESSES: Final = (1, 2)
_OUTPUTS: Final = (SITE_WINDOWS, METER_WINDOWS)
_NOTES: Final = (
    "all processes take their partitions first and begin at once, on a log that is full",
    "each is the real stage, exactly once; every reading is windowed once, or the run fails",
    "two processes and a broker want three cores: with fewer, the rate together says little",
    "CPU time per reading is what to reckon with: it hardly depends on who else is there",
    "bytes are those of values and keys, before compression and replication",
)


def run(bench: Bench) -> Result:
    """Run ``scale``."""
    readings = whole_readings(bench.readings, 1)
    partitions = bench.settings.kafka.partitions
    runs = len(PROCESSES) * (WARM_UPS + bench.rounds)
    bench.progress.start("scale", 1 + runs)
    bench.progress.step(f"sending {readings:,} readings")
    workload = Workload(readings, 1, partitions)
    folder = bench.folder / "scale"
    with laid_bed(bench.settings, workload, folder, bench.progress.note) as bed:
        cases = {
            _title(processes): partial(align_together, bed, processes) for processes in PROCESSES
        }
        found = interleaved(cases, bench)
        kafka = bed.settings.kafka
        bytes_in = _bytes_in(kafka, TELEMETRY.values()) / readings
        bytes_out = _bytes_in(kafka, _OUTPUTS) / readings / runs
    one, both = (found[_title(processes)] for processes in PROCESSES)
    cost = MeasuredCost(
        align_cpu_us=median([run.cpu_us for run in both]),
        broker_cpu_us=median([run.broker_cpu_us for run in both]),
        bytes_in=bytes_in,
        bytes_out=bytes_out,
    )
    return Result(
        name="scale",
        sizes={"readings": readings, "meters": METERS, "sites": SITES, "partitions": partitions},
        figures=tuple(_figures(found)),
        bars=tuple(_bars(one, both)),
        curves=(_curve(found),),
        calculated=needs_of(cost),
        notes=_NOTES,
    )


def _title(processes: int) -> str:
    return "1 process" if processes == 1 else f"{processes} processes"


def _bytes_in(settings: KafkaSettings, topics: Iterable[TopicSpec]) -> int:
    """Bytes of all keys and values in these topics."""
    return sum(
        len(part)
        for spec in topics
        for message in read_all(settings, spec.name, range(settings.partitions), "bench")
        for part in (message.key(), message.value())
        if part
    )


def _figures(found: dict[str, list[Together]]) -> list[Figure]:
    """Rates together and of each, and CPU time of align and of the broker."""
    of_each = [
        figure(
            f"{title}: slot {slot} alone",
            "readings/s",
            [run.shares[slot].readings_per_s for run in runs],
        )
        for title, runs in found.items()
        for slot in range(len(runs[0].shares))
        if len(runs[0].shares) > 1
    ]
    return [
        *(
            figure(f"{title}, together", "readings/s", [run.readings_per_s for run in runs])
            for title, runs in found.items()
        ),
        *of_each,
        *(
            figure(f"align, {title}", "us CPU/reading", [run.cpu_us for run in runs])
            for title, runs in found.items()
        ),
        *(
            figure(f"broker, {title}", "us CPU/reading", [run.broker_cpu_us for run in runs])
            for title, runs in found.items()
        ),
    ]


def _bars(one: list[Together], both: list[Together]) -> list[Bar]:
    """What the second process brings, by rate and by CPU time."""
    return [
        bar(
            "2 processes / 1 process",
            [run.readings_per_s for run in both],
            [run.readings_per_s for run in one],
        ),
        bar(
            "CPU time per reading, 1 process / 2 processes",
            [run.cpu_us for run in one],
            [run.cpu_us for run in both],
        ),
    ]


def _curve(found: dict[str, list[Together]]) -> Curve:
    points = (
        (processes, median(run.readings_per_s for run in found[_title(processes)]))
        for processes in PROCESSES
    )
    return Curve(name="together", size="processes", unit="readings/s", points=tuple(points))
