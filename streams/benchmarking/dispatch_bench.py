"""How long a decision takes, for the demo's four relays and five such boards; and a plan."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
import numpy as np

from processors.dispatching.dispatcher import Dispatcher
from streams.benchmarking.dispatch_cold import ColdCase, ColdStart
from streams.benchmarking.dispatch_plain import PlainSolver, WatchedDispatcher
from streams.benchmarking.dispatch_scenario import BOARD_RELAYS, Question, questions, site_with
from streams.benchmarking.figures import Bar, Figure, Result, bar, spread
from streams.benchmarking.measured_process import MeasuredProcess
from streams.benchmarking.planning_bench import NOTES as PLANNING_NOTES
from streams.benchmarking.planning_bench import PlanningBench
from streams.benchmarking.rounds import WARM_UPS, Bench, interleaved

BOARDS: Final = (1, 5)
_WINDOWS: Final = 1_000
_QUICK_WINDOWS: Final = 240
_PEER_WINDOWS: Final = 50
_NOTES: Final = (
    "windows are the demo's load in a closed loop: boards follow a plan one window later",
    "weighed are windows in which not everything may simply be on; the others need no solver",
    "the peer: parametrised CVXPY, HiGHS, the same levels and gaps, asked about weighed windows",
    "a cold start is a new process: loading the solvers, compiling the site, the first decision",
)

Times = dict[str, float]
"""One round: figures by name [ms; cold starts and planning: s]."""


class SiteCase:
    """One site's windows, asked in a closed loop once and then again and again.

    Args:
        boards: how many of the demo's boards it has.
        windows: how many.
        bench: the run.
    """

    def __init__(self, boards: int, windows: int, bench: Bench) -> None:
        self.relays = boards * BOARD_RELAYS
        self._model = site_with(boards)
        self._dispatcher = Dispatcher(self._model)
        self._peer = WatchedDispatcher(self._model, PlainSolver)
        self._calm: list[Question] = []
        self._weighed: list[Question] = []
        watched = WatchedDispatcher(self._model)
        for question in questions(watched, self._model, windows):
            watched.decide(question.state, question.window)
            (self._weighed if watched.solver.weighed else self._calm).append(question)
        self._cold = MeasuredProcess("dispatch_cold", f"cold-{self.relays}", bench.folder)
        self._case_file = bench.folder / f"case-{self.relays}.json"
        self._case_file.write_bytes(self._cold_case())

    @property
    def weighed_share(self) -> float:
        """Part of the windows that have to be weighed [%]."""
        weighed, calm = len(self._weighed), len(self._calm)
        return 100 * weighed / (weighed + calm)

    def decide(self) -> Times:
        """One round of decisions, with the peer's time for some of them beside."""
        calm = _timed_ms(self._dispatcher, self._calm)
        weighed = _timed_ms(self._dispatcher, self._weighed)
        step = max(1, len(self._weighed) // _PEER_WINDOWS)
        sample = slice(None, None, step)
        peer = _timed_ms(self._peer, self._weighed[sample])
        return {
            "all p50": _percentile(calm + weighed, 50),
            "all p99": _percentile(calm + weighed, 99),
            "weighed p50": _percentile(weighed, 50),
            "weighed p99": _percentile(weighed, 99),
            "peer p50": _percentile(peer, 50),
            "sample p50": _percentile(weighed[sample], 50),
        }

    def start_cold(self) -> Times:
        """One cold start."""
        found = self._cold.run(ColdStart, str(self._case_file))
        return msgspec.structs.asdict(found)

    def disagreements(self) -> int:
        """Sampled windows in which the peer plans other power than Gridloom."""
        step = max(1, len(self._weighed) // _PEER_WINDOWS)
        return sum(
            _expected(self._dispatcher, each) != _expected(self._peer, each)
            for each in self._weighed[::step]
        )

    def _cold_case(self) -> bytes:
        question = self._weighed[0]
        model = self._model.model_dump_json()
        return msgspec.json.encode(
            ColdCase(model=model, state=question.state, window=question.window)
        )


def _timed_ms(dispatcher: Dispatcher, asked: Sequence[Question]) -> list[float]:
    """Time of each decision [ms]."""
    times = []
    for question in asked:
        began = time.perf_counter()
        dispatcher.decide(question.state, question.window)
        times.append(1_000 * (time.perf_counter() - began))
    return times


def _percentile(times: Sequence[float], percent: float) -> float:
    return float(np.percentile(times, percent))


def _expected(dispatcher: Dispatcher, question: Question) -> float | None:
    plan, _ = dispatcher.decide(question.state, question.window)
    return None if plan is None else plan.expected_kw


def run(bench: Bench) -> Result:
    """Run ``dispatch``."""
    windows = _QUICK_WINDOWS if bench.quick else _WINDOWS
    planning = PlanningBench(quick=bench.quick)
    cases: dict[str, Callable[[], Times]] = planning.cases()
    per_round = 2 * len(BOARDS) + len(cases)
    steps = len(BOARDS) + per_round * (WARM_UPS + bench.rounds)
    bench.progress.start("dispatch", steps)
    bench.folder.mkdir(parents=True, exist_ok=True)
    sites: list[SiteCase] = []
    for boards in BOARDS:
        bench.progress.step(f"{windows} windows of {boards * BOARD_RELAYS} relays")
        sites.append(SiteCase(boards, windows, bench))
    for site in sites:
        cases[f"{site.relays} relays"] = site.decide
        cases[f"{site.relays} relays, cold start"] = site.start_cold
    found = interleaved(cases, bench)
    return Result(
        name="dispatch",
        sizes={"windows": windows, "peer_windows": _PEER_WINDOWS},
        figures=(
            *(figure for site in sites for figure in _figures(site, found)),
            *planning.figures(found),
        ),
        bars=(*(each for site in sites for each in _bars(site, found)), *planning.bars(found)),
        notes=(*_NOTES, *PLANNING_NOTES, *map(_agreement, sites)),
        summary=planning.summary(found),
    )


def _figures(site: SiteCase, found: dict[str, list[Times]]) -> list[Figure]:
    name = f"{site.relays} relays"
    units = {
        "all p50": "ms", "all p99": "ms", "weighed p50": "ms", "weighed p99": "ms",
        "peer p50": "ms",
    }  # fmt: skip  # a table
    figures = [
        Figure(name=f"{name}, {key}", unit=unit, measured=spread([r[key] for r in found[name]]))
        for key, unit in units.items()
    ]
    cold = found[f"{name}, cold start"]
    return [
        *figures,
        *(
            Figure(
                name=f"{name}, cold start: {key.removesuffix('_s')}",
                unit="s",
                measured=spread([times[key] for times in cold]),
            )
            for key in cold[0]
        ),
    ]


def _bars(site: SiteCase, found: dict[str, list[Times]]) -> list[Bar]:
    rounds = found[f"{site.relays} relays"]
    peer, own = [r["peer p50"] for r in rounds], [r["sample p50"] for r in rounds]
    return [bar(f"plain CVXPY / Gridloom, p50, {site.relays} relays", peer, own)]


def _agreement(site: SiteCase) -> str:
    """Whether the peer did the same work."""
    different = site.disagreements()
    return (
        f"{site.relays} relays: {site.weighed_share:.0f} % of the windows are weighed; the peer"
        f" plans other power in {different} of those it was asked about"
    )
