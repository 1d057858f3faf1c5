"""The pipeline clock in Kafka: set once, then gone on with."""

from collections.abc import Iterator

import pytest

from deploy.local_kafka import LocalKafka
from schemas.clock import PipelineClock
from schemas.errors import ConfigurationError
from schemas.settings import KafkaSettings
from streams.clocks import read_clock, set_clock
from streams.kafka import ensure_topics

pytestmark = pytest.mark.kafka

FIRST = PipelineClock(event_origin_ms=1_000, append_origin_ms=2_000, speed=10.0)
LATER = PipelineClock(event_origin_ms=5_000, append_origin_ms=9_000, speed=10.0)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A Kafka whose clock was set to FIRST."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as server:
        settings = KafkaSettings(bootstrap_servers=server.bootstrap_servers)
        ensure_topics(settings)
        set_clock(settings, FIRST)
        yield settings


def test_a_later_start_at_the_same_speed_goes_on_with_the_clock_as_it_was_set(
    kafka: KafkaSettings,
) -> None:
    set_clock(kafka, LATER)
    assert read_clock(kafka) == FIRST


@pytest.mark.parametrize("other", [PipelineClock(), PipelineClock(speed=0.0)])
def test_another_speed_is_refused(kafka: KafkaSettings, other: PipelineClock) -> None:
    with pytest.raises(ConfigurationError, match="another pipeline clock") as caught:
        set_clock(kafka, other)
    assert "--fresh" in caught.value.hint
    assert read_clock(kafka) == FIRST
