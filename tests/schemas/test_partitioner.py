"""Gridloom's partition of a site against a producer that chooses it by itself."""

from collections.abc import Iterator
from random import Random
from string import ascii_letters, digits

import pytest
from confluent_kafka import KafkaError, Message, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from deploy.local_kafka import LocalKafka
from schemas.identity import partition_of

pytestmark = pytest.mark.kafka

TOPIC = "telemetry.meter"
PARTITIONS = 7
SITES = 300


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as kafka:
        servers = kafka.bootstrap_servers
        admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])[TOPIC].result(20)
        yield servers


def _site_names() -> list[str]:
    """Names of every length that a site may have."""
    random = Random(20_231_114)
    letters = ascii_letters + digits
    return ["".join(random.choices(letters + "_.-", k=n % 64 + 1)) for n in range(SITES)]


def test_a_producer_that_leaves_the_partition_open_finds_the_one_of_the_site(servers: str) -> None:
    """DESIGN decision 1: key = site, librdkafka's default partitioner."""
    found: dict[str, int | None] = {}

    def delivered(error: KafkaError | None, message: Message) -> None:
        assert error is None
        key = message.key()
        assert isinstance(key, bytes)
        found[key.decode()] = message.partition()

    producer = Producer({"bootstrap.servers": servers, "log_level": 0})
    for site in _site_names():
        producer.produce(TOPIC, b"{}", key=site, on_delivery=delivered)
    assert producer.flush(30) == 0
    assert found == {site: partition_of(site, PARTITIONS) for site in _site_names()}
    assert set(found.values()) == set(range(PARTITIONS))
