"""The global stop as gate and actuate see it, on a real Kafka."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local_kafka import LocalKafka
from schemas.settings import KafkaSettings, Settings
from schemas.topics import STOP
from streams.kafka import ensure_topics, producer
from streams.stop_switch import STOP_KEY, StopSwitch, set_stop, stop_file

pytestmark = pytest.mark.kafka

PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as server:
        settings = KafkaSettings(bootstrap_servers=server.bootstrap_servers)
        ensure_topics(settings)
        yield settings


@pytest.fixture
def settings(kafka: KafkaSettings, tmp_path: Path) -> Iterator[Settings]:
    configured = Settings(folder=tmp_path, kafka=kafka)
    yield configured
    set_stop(configured, stopped=False, reason="end of the test")


def soon(reached: Callable[[], bool]) -> bool:
    """Whether it becomes true within a while."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if reached():
            return True
        time.sleep(0.05)
    return reached()


def test_the_file_alone_stops_when_kafka_is_away(tmp_path: Path) -> None:
    """DESIGN decision 9: the stop works when everything else is broken."""
    away = KafkaSettings(bootstrap_servers="127.0.0.1:1")
    settings = Settings(folder=tmp_path, kafka=away)
    assert "by file only: Kafka does not answer" in set_stop(settings, stopped=True, reason="fire")
    assert stop_file(settings).read_text() == "fire\n"


def test_the_file_alone_stops_a_running_stage(settings: Settings) -> None:
    switch = StopSwitch(settings, "test")
    assert not switch.is_on()
    stop_file(settings).touch()
    assert switch.is_on()
    switch.close()


def test_the_record_alone_stops_a_running_stage_and_a_release_lets_it_go_on(
    settings: Settings,
) -> None:
    switch = StopSwitch(settings, "test")
    set_stop(settings, stopped=True, reason="test")
    stop_file(settings).unlink()
    assert soon(switch.is_on)
    set_stop(settings, stopped=False, reason="test")
    assert soon(lambda: not switch.is_on())
    switch.close()


def test_a_stage_that_starts_during_a_stop_knows_it_at_once(settings: Settings) -> None:
    set_stop(settings, stopped=True, reason="test")
    stop_file(settings).unlink()
    switch = StopSwitch(settings, "test")
    assert switch.is_on()
    switch.close()


def test_an_order_that_cannot_be_read_stops(settings: Settings) -> None:
    switch = StopSwitch(settings, "test")
    client = producer(settings.kafka, "test")
    client.produce(STOP.name, key=STOP_KEY, value=b"halt!")
    client.flush()
    assert soon(switch.is_on)
    switch.close()
