"""How far a consumer is behind, from librdkafka's own report."""

import json
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, TopicPartition

from deploy.local_kafka import LocalKafka
from schemas.settings import KafkaSettings
from schemas.topics import PLANS
from streams.kafka import ensure_topics, group_consumer, producer
from streams.metrics import StageMetrics
from streams.metrics.statistics import consumer_lags

TOPIC = PLANS.name
RECORDS = 300
PATIENCE_S = 30.0


def report(**changed: str | int) -> str:
    """A report about one partition that is 10 behind."""
    partition = {
        "fetch_state": "active",
        "fetchq_cnt": 0,
        "next_offset": 90,
        "app_offset": 80,
        "ls_offset": 100,
        "hi_offset": 101,
    }
    return json.dumps({"topics": {"t": {"partitions": {"3": partition | changed}}}})


def test_records_that_are_neither_taken_nor_fetched_count() -> None:
    assert consumer_lags(report()) == {("t", "3"): 10}
    assert consumer_lags(report(fetchq_cnt=5)) == {("t", "3"): 20}


def test_a_lag_is_never_negative() -> None:
    assert consumer_lags(report(next_offset=101)) == {("t", "3"): 0}


@pytest.mark.parametrize(
    "unknown",
    [{"fetch_state": "none"}, {"next_offset": -1001}, {"ls_offset": -1}],
    ids=["revoked", "nowhere yet", "no end yet"],
)
def test_what_is_not_known_is_left_out(unknown: dict[str, str | int]) -> None:
    """Unknown is not zero."""
    assert consumer_lags(report(**unknown)) == {}


def test_a_report_without_topics_is_empty() -> None:
    assert consumer_lags("{}") == {}


def test_a_report_of_another_kind_is_no_lag_and_no_end_of_a_stage() -> None:
    metrics = StageMetrics("gate")
    metrics.take_statistics(report().replace('"t"', f'"{TOPIC}"'))
    assert lag(metrics, 3) == 10
    metrics.take_statistics('{"topics": {"t": {"partitions": {"3": {"next_offset": "x"}}}}}')
    assert lag(metrics, 3) is None


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A Kafka with two partitions, one of which holds records, each followed by a marker."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as broker:
        settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=2)
        ensure_topics(settings)
        writer = producer(settings, "test", transactional_id="test")
        writer.init_transactions(PATIENCE_S)
        for number in range(3):
            writer.begin_transaction()
            for _ in range(RECORDS // 3):
                writer.produce(TOPIC, value=b"plan", partition=0, key=str(number))
            writer.commit_transaction(PATIENCE_S)
        yield settings


def take(consumer: Consumer, records: int) -> None:
    """Take so many records, one by one."""
    taken, deadline_s = 0, time.monotonic() + PATIENCE_S
    while taken < records:
        taken += consumer.poll(0.1) is not None
        assert time.monotonic() < deadline_s


def lag(metrics: StageMetrics, partition: int) -> float | None:
    labels = {"topic": TOPIC, "partition": str(partition), "stage": "gate", "slot": "0"}
    return metrics.registry.get_sample_value("gridloom_consumer_lag_records", labels)


def wait_for(consumer: Consumer, metrics: StageMetrics, expected: dict[int, float | None]) -> None:
    """Wait until librdkafka has told what is expected; no record may come meanwhile."""
    deadline_s = time.monotonic() + PATIENCE_S
    while {number: lag(metrics, number) for number in expected} != expected:
        assert consumer.poll(0.05) is None
        assert time.monotonic() < deadline_s, {number: lag(metrics, number) for number in expected}


@pytest.mark.kafka
def test_the_lag_on_a_real_kafka_ends_at_0_and_leaves_with_its_partition(
    kafka: KafkaSettings,
) -> None:
    """Markers of transactions, the last record among them, keep nobody behind."""
    metrics = StageMetrics("gate")
    consumer = group_consumer(kafka, "gate", 0, metrics.take_statistics)
    both = [TopicPartition(TOPIC, number, 0) for number in range(2)]
    consumer.assign(both)
    take(consumer, 1)
    consumer.pause(both)
    deadline_s = time.monotonic() + PATIENCE_S
    while not lag(metrics, 0):
        consumer.poll(0.05)
        assert time.monotonic() < deadline_s
    consumer.resume(both)
    take(consumer, RECORDS - 1)
    wait_for(consumer, metrics, {0: 0.0, 1: 0.0})
    consumer.assign(both[1:])
    wait_for(consumer, metrics, {0: None, 1: 0.0})
    consumer.unassign()
    wait_for(consumer, metrics, {0: None, 1: None})
    consumer.close()
