"""Files to replay, and a real Kafka to replay them into."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local_kafka import LocalKafka
from schemas.clock import PipelineClock
from schemas.settings import Settings
from tests.support.replay_kafka import Told, TopicView, new_settings, with_topics


@pytest.fixture
def told() -> Told:
    """A progress that keeps what it is told."""
    return Told()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Writes a file of UTF-8 text; gzipped where its name says so."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        content = text.encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write_file


@pytest.fixture(scope="session")
def kafka_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A Kafka with all topics, shared by the tests: each looks at its own records only."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        yield with_topics(new_settings(kafka.bootstrap_servers))


@pytest.fixture
def topics(kafka_settings: Settings) -> TopicView:
    """What this test writes, on the data clock."""
    view = TopicView(kafka_settings)
    view.set_clock(PipelineClock(speed=0))
    return view
