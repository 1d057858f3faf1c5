"""The keys that scripts ask for, with and without peers."""

import json
from collections.abc import Sequence

import pytest

from streams.benchmarking.align_bed import Run
from streams.benchmarking.align_report import all_equal, result_of
from streams.benchmarking.figures import Report, Result
from streams.benchmarking.machine import describe_machine, load_average
from streams.benchmarking.peers.cases import PeerCase
from streams.benchmarking.peers.engines import ENGINES, KAFKA_STREAMS, QUIX_STREAMS, readings_of
from streams.benchmarking.peers.means import Differences

READINGS = 1_000_000
OWN = {"align": 600.0, "batches": 1_800.0, "plain": 620.0, "consume": 1_000.0, "decode": 800.0}
PEERS = {"kafka_streams": 100.0, "quixstreams": 20.0, "faust": 2.0}
EQUAL = Differences(missing=0, unexpected=0, wrong=0, doubled=0)


def case(place: int, found: Differences = EQUAL, problem: str | None = None) -> PeerCase:
    """A peer that has run."""
    engine = ENGINES[place]
    peer = PeerCase(engine, readings_of(engine, READINGS, 1_000))
    peer.rates = [factor * PEERS[engine.key] for factor in (1, 2, 3)] if problem is None else []
    peer.differences = [found]
    peer.problem = problem
    return peer


def result(peers: Sequence[PeerCase]) -> Result:
    """The result of three rounds."""
    runs = {
        name: [Run(readings_per_s=factor * rate, cpu_us=1.0, peak_mb=2.0) for factor in (1, 2, 3)]
        for name, rate in OWN.items()
    }
    return result_of(runs, peers, READINGS, 4)


def test_a_report_has_the_keys_at_its_top_level() -> None:
    """Issue 5, Shows."""
    found = result([case(0), case(1), case(2)])
    machine = describe_machine(load_average())
    read = json.loads(Report(machine=machine, quick=False, rounds=3, results=(found,)).to_json())
    assert read["readings_per_s"]["gridloom"] == 1_200
    assert read["readings_per_s"]["gridloom_batch"] == 3_600
    assert read["readings_per_s"]["bare_loop"] == 2_000
    assert [read["readings_per_s"][name] for name in PEERS] == [200, 40, 4]
    assert [read["readings"][name] for name in PEERS] == [READINGS, 100_000, 20_000]
    assert all(isinstance(read["guarantees"][name], str) for name in ("gridloom", *PEERS))
    assert read["equal_results"] is True
    assert any("results are equal" in note for note in found.notes)
    assert read["machine"]["cores"] >= 1
    assert [each["name"] for each in read["results"]] == ["align"]


def test_several_results_have_no_keys_of_one_at_the_top() -> None:
    found = result([])
    machine = describe_machine(load_average())
    read = json.loads(
        Report(machine=machine, quick=True, rounds=3, results=(found, found)).to_json()
    )
    assert "readings_per_s" not in read
    assert read["results"][0]["summary"]["readings_per_s"]["gridloom"] == 1_200


def test_bars_have_the_goals_of_the_design() -> None:
    """DESIGN, "Speed to reach"."""
    bars = {bar.name: bar for bar in result([case(0), case(1), case(2)]).bars}
    goals = {name: bar.goal for name, bar in bars.items() if bar.goal is not None}
    assert list(goals.values()) == [5.0, 15.0, 100.0, 0.45, 2.5, 0.9]
    assert bars["align / Kafka Streams"].ratio.median == pytest.approx(6)
    assert bars["align / Kafka Streams"].met is True


def test_a_peer_that_is_not_there_is_null_and_a_sentence() -> None:
    found = result([case(0), case(1, problem="pip found no network"), case(2)])
    assert found.summary["readings_per_s"]["quixstreams"] is None
    assert not any("Quix" in bar.name for bar in found.bars)
    assert any("Quix Streams was not measured: pip found no network" in n for n in found.notes)
    assert found.summary["equal_results"] is None


def test_without_peers_all_of_theirs_is_null() -> None:
    summary = result([]).summary
    assert summary["equal_results"] is None
    for name in PEERS:
        assert summary["readings_per_s"][name] is None
        assert summary["readings"][name] is None


@pytest.mark.parametrize("kind", ["missing", "unexpected", "wrong", "doubled"])
def test_one_difference_of_one_peer_makes_the_results_unequal(kind: str) -> None:
    none = {"missing": 0, "unexpected": 0, "wrong": 0, "doubled": 0}
    different = case(1, Differences(**{**none, kind: 1}))
    found = result([case(0), different, case(2)])
    assert found.summary["equal_results"] is False
    assert not any("results are equal" in note for note in found.notes)
    assert any(f"1 {kind}" in note for note in found.notes)


def test_a_difference_in_one_round_is_enough() -> None:
    peer = case(0)
    peer.differences = [EQUAL, Differences(missing=1, unexpected=0, wrong=0, doubled=0), EQUAL]
    assert peer.is_equal is False


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], None),
        ([True, True, True], True),
        ([True, None, True], None),
        ([True, None, False], False),
    ],
)
def test_results_are_equal_only_where_all_were_compared(
    found: list[bool | None],
    expected: bool | None,  # noqa: FBT001  (not a flag)
) -> None:
    assert all_equal(found) is expected


def test_a_slow_peer_gets_the_first_readings_in_whole_windows() -> None:
    assert readings_of(KAFKA_STREAMS, 1_000_000, 1_000) == 1_000_000
    assert readings_of(QUIX_STREAMS, 1_000_000, 1_000) == 100_000
    assert readings_of(QUIX_STREAMS, 20_500, 1_000) == 20_000
