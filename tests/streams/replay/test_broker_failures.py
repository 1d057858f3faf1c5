"""What a replay says when Kafka is not as it should be."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local_kafka import LocalKafka
from deploy.ports import free_port
from schemas.errors import BrokerError
from schemas.settings import Settings
from streams.replay.command import replay
from streams.replay.options import ReplayOptions
from streams.replay.sending import Sender
from tests.support.replay_kafka import Told, TopicView, new_settings, with_topics

pytestmark = pytest.mark.kafka

QUEUE_RECORDS = 100_000
"""Records that librdkafka's queue holds by default."""


def send_ticks(sender: Sender, count: int) -> None:
    for _ in range(count):
        sender.send("telemetry.meter", None, partition=0)


@pytest.fixture
def path(write: Callable[[str, str], Path]) -> Path:
    return write("a.csv", "device,ts,kw\nm,2024-01-15T00:00Z,1\nm,2024-01-15T00:01Z,1\n")


def test_an_absent_broker_is_named(path: Path) -> None:
    settings = new_settings(f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerError, match=r"Kafka does not answer at 127\.0\.0\.1") as caught:
        replay([path], settings, ReplayOptions(), Told())
    assert "gridloom up" in caught.value.hint


def test_missing_topics_are_named(path: Path, tmp_path: Path) -> None:
    with LocalKafka(tmp_path / "kafka") as kafka:
        settings = new_settings(kafka.bootstrap_servers)
        with pytest.raises(BrokerError, match=r"no topic dead\.letters, pipeline\.clock") as caught:
            replay([path], settings, ReplayOptions(), Told())
    assert "gridloom topics --apply" in caught.value.hint


def test_another_number_of_partitions_is_named(path: Path, kafka_settings: Settings) -> None:
    kafka = kafka_settings.kafka.model_copy(update={"partitions": 3})
    settings = kafka_settings.model_copy(update={"kafka": kafka})
    with pytest.raises(BrokerError, match=r"telemetry\.meter has 2 partitions, not 3"):
        replay([path], settings, ReplayOptions(), Told())


def test_a_broker_that_goes_away_loses_nothing_unnoticed(tmp_path: Path) -> None:
    with LocalKafka(tmp_path / "kafka") as kafka:
        settings = with_topics(new_settings(kafka.bootstrap_servers))
        sender = Sender(settings.kafka, timeout_s=2.0)
        send_ticks(sender, 1)
        sender.flush()
        kafka.stop()
        with pytest.raises(BrokerError, match=r"did not take \d+ of the records: .*timed out"):
            send_ticks(sender, 2 * QUEUE_RECORDS)


def test_a_full_queue_waits_until_the_broker_goes_on(tmp_path: Path) -> None:
    with LocalKafka(tmp_path / "kafka") as kafka:
        settings = with_topics(new_settings(kafka.bootstrap_servers))
        view = TopicView(settings)
        sender = Sender(settings.kafka)
        assert kafka.pid is not None
        os.kill(kafka.pid, signal.SIGSTOP)
        try:
            send_ticks(sender, QUEUE_RECORDS)
        finally:
            timer = threading.Timer(0.5, os.kill, (kafka.pid, signal.SIGCONT))
            timer.start()
        send_ticks(sender, 1)
        sender.flush()
        timer.join()
        assert len(view.records()["telemetry.meter", 0]) == QUEUE_RECORDS + 1


def test_a_record_that_kafka_does_not_take_is_an_error(kafka_settings: Settings) -> None:
    sender = Sender(kafka_settings.kafka)
    with pytest.raises(BrokerError, match=r"record for dead\.letters: .*size too large"):
        sender.send("dead.letters", b" " * 2_000_000)
