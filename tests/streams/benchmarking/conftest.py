"""A benchmark run that is small, and a progress that keeps what it is told."""

from pathlib import Path

import pytest

from schemas.settings import Settings
from streams.benchmarking.rounds import Bench
from tests.support.influx import influx, influx_bucket

__all__ = ["influx", "influx_bucket"]


class Steps:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.expected = 0
        self.done: list[str] = []

    def start(self, title: str, steps: int) -> None:
        assert title
        self.expected = steps

    def step(self, doing: str) -> None:
        self.done.append(doing)

    def note(self, sentence: str) -> None:
        assert sentence


@pytest.fixture
def steps() -> Steps:
    """What a run says of its progress."""
    return Steps()


@pytest.fixture
def bench(tmp_path: Path, steps: Steps) -> Bench:
    """The smallest run: one round that counts."""
    return Bench(
        settings=Settings(folder=tmp_path / "home"),
        folder=tmp_path / "bench",
        progress=steps,
        readings=20_000,
        rounds=1,
        quick=True,
    )
