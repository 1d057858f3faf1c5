"""Where the committed records of a changelog end."""

import pytest
from confluent_kafka import Producer
from confluent_kafka.cimpl import NewTopic

from schemas.settings import KafkaSettings
from streams.faust_host.offsets import committed_ends
from streams.kafka import admin, transactional_producer

pytestmark = pytest.mark.kafka

TOPIC = "ends"


def write(producer: Producer, partition: int, count: int, *, abort: bool = False) -> None:
    """One transaction of ``count`` records: as many offsets, and one for its marker."""
    producer.begin_transaction()
    for _ in range(count):
        producer.produce(TOPIC, value=b"x", partition=partition)
    producer.flush(30)
    if abort:
        producer.abort_transaction(30)
    else:
        producer.commit_transaction(30)


def test_it_is_after_the_last_committed_record_whatever_follows(kafka: KafkaSettings) -> None:
    """Neither markers, nor aborted records, nor open transactions count."""
    client = admin(kafka)
    client.create_topics([NewTopic(TOPIC, 5, 1)])[TOPIC].result()
    producer = transactional_producer(kafka, "changelog", 0)
    producer.init_transactions(30)
    write(producer, 1, 3)
    write(producer, 2, 3)
    write(producer, 2, 2, abort=True)
    write(producer, 3, 4, abort=True)
    write(producer, 4, 1)
    write(producer, 4, 3000, abort=True)  # more than one look back takes in
    other = transactional_producer(kafka, "changelog", 1)
    other.init_transactions(30)
    other.begin_transaction()
    other.produce(TOPIC, value=b"x", partition=1)
    other.flush(30)
    places = [(TOPIC, partition) for partition in range(5)]
    ends = committed_ends(kafka, places)
    other.abort_transaction(30)
    assert ends == dict(zip(places, (0, 3, 3, 0, 1), strict=True))
