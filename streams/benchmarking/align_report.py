"""What align's benchmark says of its runs: figures, ratios, and the keys that scripts ask for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from streams.benchmarking.align_bed import Run
from streams.benchmarking.align_workload import METERS, SITES
from streams.benchmarking.figures import Bar, Figure, Result, bar, figure
from streams.benchmarking.peers.cases import PeerCase
from streams.benchmarking.peers.engines import ENGINES

GOAL_OF_CONSUME: Final = 0.45
GOAL_OF_BATCHES: Final = 2.5
GOAL_OF_TRANSACTIONS: Final = 0.9

Runs = Mapping[str, Sequence[Run]]
"""What was measured in each round, by :data:`OWN_CASES`."""

_OWN_GUARANTEE: Final = (
    "exactly once: windows, state and offsets in one transaction every 100 ms; late readings"
    " revise a window for 30 s; the last revision of each is a function of the log"
)
_NO_GUARANTEE: Final = "none: it writes and commits nothing"
_PLAIN_GUARANTEE: Final = "at least once: the same records and offsets, one after the other"


@dataclass(frozen=True, slots=True)
class _Case:
    """How a case of our own is called on a table and in JSON, and what it guarantees."""

    title: str
    key: str
    guarantee: str


OWN_CASES: Final = {
    "align": _Case("align, single readings", "gridloom", _OWN_GUARANTEE),
    "batches": _Case("align, batches of 1,000", "gridloom_batch", _OWN_GUARANTEE),
    "plain": _Case("align without transactions", "gridloom_without_transactions", _PLAIN_GUARANTEE),
    "consume": _Case("bare consume loop", "bare_loop", _NO_GUARANTEE),
    "decode": _Case("the same, JSON decoded", "bare_loop_decoding", _NO_GUARANTEE),
}
"""Everything but the peers."""

_NOTES: Final = (
    "align is the real stage in a process of its own, exactly once: state and offsets included",
    "align has ended when the last window of every site can be read as committed",
    "loops have the same consumer settings and a process each; they write nothing",
    "all of these are counted from the moment a process has its partitions",
)
_PEER_NOTES: Final = (
    "peers have one worker, exactly once, and write mean and count per meter and window",
    "they do no more than that: no statuses, sites, revisions, counters, no check against a model",
    "peers are counted from their first record to their last committed window",
)


def result_of(runs: Runs, peers: Sequence[PeerCase], readings: int, partitions: int) -> Result:
    """Everything that the runs say."""
    sizes = {"readings": readings, "meters": METERS, "sites": SITES, "partitions": partitions}
    notes = [*_NOTES, *(_PEER_NOTES if peers else ("other stream engines were left out",))]
    for peer in peers:
        if peer.readings != readings:
            notes.append(f"{peer.engine.title}: the first {peer.readings:,} of the readings")
        notes += peer.notes()
    if all_equal([peer.is_equal for peer in peers]):
        notes.append(
            "results are equal: in every run peers wrote what align wrote, no more, no less"
        )
    return Result(
        name="align",
        sizes=sizes,
        figures=tuple(_figures(runs, peers)),
        bars=tuple(_bars(runs, peers)),
        notes=tuple(notes),
        summary=_summary(runs, peers, readings),
    )


def _figures(runs: Runs, peers: Sequence[PeerCase]) -> list[Figure]:
    """Rates of all; CPU time and memory of our own."""

    def of_own(unit: str, attribute: str) -> list[Figure]:
        return [
            figure(case.title, unit, [getattr(run, attribute) for run in runs[name]])
            for name, case in OWN_CASES.items()
        ]

    return [
        *of_own("readings/s", "readings_per_s"),
        *(
            figure(peer.engine.title, "readings/s", peer.rates)
            for peer in peers
            if peer.problem is None
        ),
        *of_own("us CPU/reading", "cpu_us"),
        *of_own("MB", "peak_mb"),
    ]


def _bars(runs: Runs, peers: Sequence[PeerCase]) -> list[Bar]:
    """Rates against each other, round by round; and CPU time, which others disturb less."""
    rate = {name: [run.readings_per_s for run in of_case] for name, of_case in runs.items()}
    cpu = {name: [run.cpu_us for run in of_case] for name, of_case in runs.items()}
    return [
        *(
            bar(f"align / {peer.engine.title}", rate["align"], peer.rates, peer.engine.goal)
            for peer in peers
            if peer.problem is None
        ),
        bar("align / bare consume", rate["align"], rate["consume"], GOAL_OF_CONSUME),
        bar("align / consume and decode", rate["align"], rate["decode"]),
        bar("batches / single readings", rate["batches"], rate["align"], GOAL_OF_BATCHES),
        bar("align / without transactions", rate["align"], rate["plain"], GOAL_OF_TRANSACTIONS),
        bar("align / bare consume, by CPU time", cpu["consume"], cpu["align"]),
        bar("batches / single readings, by CPU time", cpu["align"], cpu["batches"]),
    ]


def _summary(runs: Runs, peers: Sequence[PeerCase], readings: int) -> dict[str, Any]:
    """The keys that scripts ask for; null is what was not measured."""
    own = OWN_CASES.items()
    measured = {peer.engine.key: peer for peer in peers if peer.problem is None}
    rates = {
        **{case.key: median(run.readings_per_s for run in runs[name]) for name, case in own},
        **{key: median(peer.rates) for key, peer in measured.items()},
    }
    given = {
        **dict.fromkeys((case.key for _, case in own), readings),
        **{key: peer.readings for key, peer in measured.items()},
    }
    guarantees = {
        **{case.key: case.guarantee for _, case in own},
        **{engine.key: engine.guarantee for engine in ENGINES},
    }
    return {
        "readings_per_s": {key: rates.get(key) for key in guarantees},
        "equal_results": all_equal([peer.is_equal for peer in peers]),
        "guarantees": guarantees,
        "readings": {key: given.get(key) for key in guarantees},
    }


def all_equal(found: Sequence[bool | None]) -> bool | None:
    """Whether every peer wrote what align wrote; None where not all of them could be compared."""
    if False in found:
        return False
    return None if not found or None in found else True
