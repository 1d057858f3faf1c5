"""How long planning takes: a new planner's first plan, and every plan after it."""

import time
from collections.abc import Callable, Sequence
from itertools import islice
from statistics import median
from typing import Any, Final

import numpy as np

from processors.planning.planner import Planner
from schemas.planning_case import PlanningCase
from streams.benchmarking.figures import Bar, Figure, bar, figure
from streams.benchmarking.planning_scenario import CHANGED_SHARE, planning_case, tracked

STEPS: Final = 24
LONG_STEPS: Final = 96
P99_GOAL_S: Final = 0.1
COLD_START_GOAL_S: Final = 1.5
LONG_GOAL_S: Final = 6.0
NOTES: Final = (
    (
        f"planning: of every case {CHANGED_SHARE:.0%} of the data differ from the one before; a hot"
        " planner, plans with prices and without reasons"
    ),
    "planning, cold: a new planner compiles the case and solves it; the solvers are loaded before",
)
_DEVICES: Final = 1_000
_SOLVES: Final = 200
_QUICK_DEVICES: Final = 50
_QUICK_SOLVES: Final = 20
_ANEW: Final = 3

Times = dict[str, float]
"""One round: figures by name [s]."""


class PlanningBench:
    """Plans of a site with many devices.

    Args:
        quick: whether it is a small one, without goals.
    """

    def __init__(self, *, quick: bool) -> None:
        self.devices = _QUICK_DEVICES if quick else _DEVICES
        self.solves = _QUICK_SOLVES if quick else _SOLVES
        self._quick = quick
        self._day = planning_case(self.devices, STEPS)
        self._long_day = planning_case(self.devices, LONG_STEPS)

    def cases(self) -> dict[str, Callable[[], Times]]:
        """What one round measures."""
        return {"planning": self._track, "planning, long": self._plan_long}

    def _track(self) -> Times:
        """A hot planner from its first plan on; and one that solves every case from nothing."""
        hot, anew = Planner(hot=True), Planner()
        cold_start_s = _timed_s(hot, self._day)
        taken_s = [_timed_s(hot, case) for case in tracked(self._day, self.solves)]
        anew.plan(self._day)
        anew_s = [_timed_s(anew, case) for case in islice(tracked(self._day, self.solves), _ANEW)]
        return {
            "cold_start_s": cold_start_s,
            "p50_s": float(np.percentile(taken_s, 50)),
            "p99_s": float(np.percentile(taken_s, 99)),
            "anew_s": median(anew_s),
        }

    def _plan_long(self) -> Times:
        return {"cold_96_s": _timed_s(Planner(), self._long_day)}

    def figures(self, found: dict[str, list[Times]]) -> list[Figure]:
        """Times in seconds, with what is wanted of the whole size."""
        name = f"planning, {self.devices:,} devices"
        rows = (
            (f"{STEPS} steps, again, p50", "planning", "p50_s", None),
            (f"{STEPS} steps, again, p99", "planning", "p99_s", P99_GOAL_S),
            (f"{STEPS} steps, cold", "planning", "cold_start_s", COLD_START_GOAL_S),
            (f"{LONG_STEPS} steps, cold", "planning, long", "cold_96_s", LONG_GOAL_S),
        )
        return [
            figure(f"{name} x {title}", "s", _values(found[case], key), self._goal(goal))
            for title, case, key, goal in rows
        ]

    def bars(self, found: dict[str, list[Times]]) -> list[Bar]:
        """What it is worth to go on from the plan before."""
        rounds = found["planning"]
        title = f"planned from nothing / going on, p50, {self.devices:,} devices"
        return [bar(title, _values(rounds, "anew_s"), _values(rounds, "p50_s"))]

    def summary(self, found: dict[str, list[Times]]) -> dict[str, Any]:
        """The keys that scripts ask for: medians over the rounds [s]."""
        tracking, long = found["planning"], found["planning, long"]
        return {
            "planning": {
                "devices": self.devices,
                "steps": STEPS,
                "solves": self.solves,
                **{
                    key: median(_values(tracking, key))
                    for key in ("p50_s", "p99_s", "cold_start_s")
                },
                "cold_96_s": median(_values(long, "cold_96_s")),
            }
        }

    def _goal(self, goal: float | None) -> float | None:
        return None if self._quick else goal


def _timed_s(planner: Planner, case: PlanningCase) -> float:
    """Time of one plan [s]."""
    began_s = time.perf_counter()
    planner.plan(case, reasons=False)
    return time.perf_counter() - began_s


def _values(rounds: Sequence[Times], key: str) -> list[float]:
    """A figure of every round."""
    return [times[key] for times in rounds]
