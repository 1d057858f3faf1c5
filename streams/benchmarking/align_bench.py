"""How many readings align takes per second, from Kafka to committed windows."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from streams.benchmarking.align_bed import Bed, Run, laid_bed
from streams.benchmarking.align_means import published_means
from streams.benchmarking.align_report import OWN_CASES, result_of
from streams.benchmarking.align_workload import Workload, whole_readings
from streams.benchmarking.figures import Result
from streams.benchmarking.peers.cases import PeerCase, peer_cases
from streams.benchmarking.rounds import WARM_UPS, Bench, interleaved

BATCH: Final = 1_000
"""Readings of a batch message."""


def run(bench: Bench) -> Result:
    """Run ``align``: two Kafkas, one with single readings and one with the same in batches."""
    readings = whole_readings(bench.readings, BATCH)
    partitions = bench.settings.kafka.partitions
    peers = peer_cases(readings) if bench.peers else []
    rounds = (len(OWN_CASES) + len(peers)) * (WARM_UPS + bench.rounds)
    bench.progress.start("align", 2 + len(peers) + rounds)
    with ExitStack() as stack:

        def lay(name: str, batch: int) -> Bed:
            bench.progress.step(f"sending {readings:,} readings, {name}")
            workload = Workload(readings, batch, partitions)
            bed = laid_bed(bench.settings, workload, bench.folder / name, bench.progress.note)
            return stack.enter_context(bed)

        singles, batches = lay("singles", 1), lay("batches", BATCH)
        _prepare(peers, singles, readings, bench)
        cases: dict[str, Callable[[], Run | float | None]] = {
            "align": singles.align,
            "batches": batches.align,
            "plain": lambda: singles.align("plain"),
            "consume": lambda: singles.loop("consume"),
            "decode": lambda: singles.loop("decode"),
        }
        cases |= {peer.engine.key: peer.measure for peer in peers}
        found = interleaved(cases, bench)
    runs = {name: [each for each in found[name] if isinstance(each, Run)] for name in OWN_CASES}
    for peer in peers:
        peer.rates = [each for each in found[peer.engine.key] if isinstance(each, float)]
    return result_of(runs, peers, readings, partitions)


def _prepare(peers: list[PeerCase], bed: Bed, readings: int, bench: Bench) -> None:
    """Install the peers, and run align once: what it publishes is what they have to write."""
    if not peers:
        return
    bed.align()
    expected = published_means(bed.kafka)
    for peer in peers:
        bench.progress.step(f"preparing {peer.engine.title}")
        peer.lay(bed.kafka, readings, expected, bench)
