"""Align measured on a real Kafka, in small; that it works, never how fast."""

import json
from dataclasses import replace

import pytest

from streams.benchmarking.align_bed import laid_bed
from streams.benchmarking.align_bench import run
from streams.benchmarking.align_means import published_means
from streams.benchmarking.align_report import (
    GOAL_OF_BATCHES,
    GOAL_OF_CONSUME,
    GOAL_OF_TRANSACTIONS,
)
from streams.benchmarking.align_workload import Workload
from streams.benchmarking.figures import Report
from streams.benchmarking.machine import describe_machine, load_average
from streams.benchmarking.peers.cases import PeerCase
from streams.benchmarking.peers.engines import ENGINES, KAFKA_STREAMS
from streams.benchmarking.rounds import Bench
from tests.streams.benchmarking.conftest import Steps


@pytest.mark.kafka
def test_align_and_its_loops_take_every_reading_in_every_round(bench: Bench, steps: Steps) -> None:
    """A run fails where align does not window every reading exactly once."""
    result = run(replace(bench, peers=False))
    assert result.sizes["readings"] == bench.readings
    assert {figure.unit for figure in result.figures} == {"readings/s", "us CPU/reading", "MB"}
    assert len(result.figures) == 15
    assert all(figure.measured.min > 0 for figure in result.figures)
    assert [bar.goal for bar in result.bars if bar.goal] == [
        GOAL_OF_CONSUME,
        GOAL_OF_BATCHES,
        GOAL_OF_TRANSACTIONS,
    ]
    assert all(len(bar.ratio.values) == bench.rounds for bar in result.bars)
    assert len(steps.done) == steps.expected


@pytest.mark.kafka
def test_kafka_streams_writes_what_align_writes(bench: Bench) -> None:
    """Same records, same output, compared for equality (issue 5, Build 9)."""
    peer = PeerCase(KAFKA_STREAMS, 5_000)
    workload = Workload(10_000, 1, bench.settings.kafka.partitions)
    with laid_bed(bench.settings, workload, bench.folder / "kafka", bench.progress.note) as bed:
        bed.align()
        peer.lay(bed.kafka, workload.readings, published_means(bed.kafka), bench)
        rate = peer.measure()
    assert peer.problem is None
    assert rate is not None
    assert rate > 0
    assert peer.is_equal is True, peer.notes()


@pytest.mark.soak
@pytest.mark.kafka
def test_every_peer_writes_what_align_writes(bench: Bench) -> None:
    """Issue 5, Build 9 and Shows: the keys that are relied upon, at the report's top level."""
    before = load_average()
    result = run(bench)
    report = Report(machine=describe_machine(before), quick=True, rounds=1, results=(result,))
    read = json.loads(report.to_json())
    assert read["equal_results"] is True, read["results"]
    assert read["machine"]["cores"] >= 1
    names = {"gridloom", "gridloom_batch", "bare_loop", *(engine.key for engine in ENGINES)}
    assert all(read["readings_per_s"][name] > 0 for name in names)
    assert all(read["readings"][name] > 0 for name in names)
    assert all(read["guarantees"][name] for name in names)
