"""Rounds: every case once, then every case again; so that a slow minute hits all alike."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

from schemas.settings import Settings

T = TypeVar("T")

WARM_UPS: Final = 1
"""Rounds before the first that counts: they fill caches and let Java compile."""


class Progress(Protocol):
    """Where a benchmark tells how far it is: a bar on a terminal, a list in a test."""

    def start(self, title: str, steps: int) -> None:
        """A benchmark begins, and has so many steps."""
        ...

    def step(self, doing: str) -> None:
        """The next step begins; ``doing`` says what it is."""
        ...

    def note(self, sentence: str) -> None:
        """Something that takes time, or that the user should know."""
        ...


@dataclass(frozen=True, slots=True)
class Bench:
    """What every benchmark is given.

    Attributes:
        settings: as configured; benchmarks of the pipeline start a Kafka of their own.
        folder: for files that are of no use afterwards.
        readings: size of the case ``align``.
        rounds: that count.
        quick: small cases, to see that all works.
        windows: length of ``latency``; None: its own.
        peers: whether ``align`` measures others' stream engines, too.
    """

    settings: Settings
    folder: Path
    progress: Progress
    readings: int
    rounds: int
    quick: bool
    windows: int | None = None
    peers: bool = True


def interleaved(
    cases: Mapping[str, Callable[[], T]], bench: Bench, warm_ups: int = WARM_UPS
) -> dict[str, list[T]]:
    """Each case's results, one per round; the first ``warm_ups`` rounds are thrown away.

    Every other round goes the other way round, so that no case always comes after the same.
    """
    found: dict[str, list[T]] = {name: [] for name in cases}
    for number in range(warm_ups + bench.rounds):
        counts = number >= warm_ups
        title = f"round {number - warm_ups + 1} of {bench.rounds}" if counts else "warm-up"
        for name in list(cases)[:: 1 if number % 2 else -1]:
            bench.progress.step(f"{title}: {name}")
            outcome = cases[name]()
            if counts:
                found[name].append(outcome)
    return found
