"""A real Kafka with the decisions of a site, and `gridloom` as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local_kafka import LocalKafka
from schemas.clock import PipelineClock
from schemas.settings import Settings
from streams.clocks import read_clock, set_clock, wall_ms
from streams.finding import LocalStack
from streams.kafka import ensure_topics
from tests.streams.cli.chain import START_MS, Chain, calm_with_a_peak, neighbour_of, publish, site
from tests.support.influx import influx, influx_bucket

__all__ = ["influx", "influx_bucket"]

ROOT = Path(__file__).resolve().parents[3]
SPEED = 10.0
AGO_MS = 1_800_000

Gridloom = Callable[..., subprocess.CompletedProcess[str]]
"""Runs `gridloom` with arguments; ``env`` adds variables, ``folder`` is its home."""


@pytest.fixture
def gridloom(tmp_path: Path) -> Gridloom:
    """Runs the command line as a user would, away from any settings of this machine."""

    def run(
        *arguments: str, folder: Path = tmp_path, **env: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {key: text for key, text in os.environ.items() if not key.startswith("GRIDLOOM_")}
        own = {"GRIDLOOM_FOLDER": str(folder), "PYTHONPATH": str(ROOT), "COLUMNS": "160"}
        return subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=kept | own | env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """A Kafka where `gridloom up` would run it; the home folder is the stack's parent."""
    folder = tmp_path_factory.mktemp("home") / "local"
    with LocalKafka(folder / "kafka") as kafka:
        yield LocalStack(folder, kafka.bootstrap_servers)


@pytest.fixture(scope="session")
def stack_settings(local_stack: LocalStack) -> Settings:
    """Settings of the stack, once it has its topics and a clock that began a while ago."""
    settings = local_stack.settings(Settings())
    ensure_topics(settings.kafka)
    origin_ms = wall_ms() - AGO_MS
    clock = PipelineClock(event_origin_ms=START_MS, append_origin_ms=origin_ms, speed=SPEED)
    set_clock(settings.kafka, clock)
    return settings


@pytest.fixture(scope="session")
def clock(stack_settings: Settings) -> PipelineClock:
    """The pipeline's clock."""
    return read_clock(stack_settings.kafka)


@pytest.fixture(scope="session")
def chain(
    stack_settings: Settings, clock: PipelineClock, tmp_path_factory: pytest.TempPathFactory
) -> Chain:
    """The decisions of a site, in Kafka, among those of a neighbour in its partition."""
    model = site()
    neighbour = site(neighbour_of(model.name, stack_settings.kafka.partitions))
    folder = tmp_path_factory.mktemp("boards")
    chains = [Chain(each, clock, folder / each.name) for each in (model, neighbour)]
    for each in chains:
        publish(stack_settings, calm_with_a_peak(each))
    return chains[0]
