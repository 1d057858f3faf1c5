"""Members of a group keep over a rebalance what nobody else has used; on a real Kafka."""

import time
from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet

import pytest
from confluent_kafka import TopicPartition

from deploy.local_kafka import LocalKafka
from schemas.settings import KafkaSettings
from schemas.topics import SITE_WINDOWS, VERDICTS
from streams.kafka import ensure_topics, producer
from streams.membership import GroupMember

pytestmark = pytest.mark.kafka

TOPICS = (SITE_WINDOWS.name, VERDICTS.name)
ALL = frozenset(range(4))
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A broker with the topics of the map and one record in each partition."""
    with LocalKafka(tmp_path_factory.mktemp("members")) as broker:
        settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
        ensure_topics(settings, [])
        client = producer(settings, "test")
        for number in ALL:
            for topic in TOPICS:
                client.produce(topic, b"record", partition=number)
        client.flush()
        yield settings


class Host:
    """Notes what it is told, and reads from wherever it was told to."""

    def __init__(self) -> None:
        self.kept: AbstractSet[int] = frozenset()
        self.new: AbstractSet[int] = frozenset()

    def take_over(self, kept: AbstractSet[int], new: AbstractSet[int]) -> None:
        self.kept, self.new = kept, new

    def start_of(self, committed: TopicPartition) -> int:
        return max(committed.offset, 0)


class Process:
    """A member and its host; commits what it has taken."""

    def __init__(self, kafka: KafkaSettings, group: str, slot: int) -> None:
        self.host = Host()
        self.member = GroupMember(kafka, group, slot, TOPICS, self.host)
        self.taken: list[tuple[str, int, int]] = []

    def step(self) -> None:
        for message in self.member.take(100, 0.05):
            offset = message.offset() or 0
            place = TopicPartition(str(message.topic()), message.partition() or 0, offset + 1)
            self.taken.append((place.topic, place.partition, offset))
            self.commit(place)

    def commit(self, place: TopicPartition) -> None:
        self.member.consumer.commit(offsets=[place], asynchronous=False)
        self.member.note_committed([place])


def step_until(condition: Callable[[], bool], *processes: Process) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        for process in processes:
            process.step()


def test_partitions_that_stay_are_kept_and_those_that_move_are_loaded(
    kafka: KafkaSettings,
) -> None:
    """Rebalancing does not stop other sites: their state is not loaded again."""
    first = Process(kafka, "grows", 0)
    step_until(lambda: len(first.taken) == 8, first)
    assert (first.host.kept, first.host.new) == (frozenset(), ALL)
    second = Process(kafka, "grows", 1)
    step_until(lambda: len(second.member.owned) == len(first.member.owned) == 2, first, second)
    assert first.host.kept == first.member.owned
    assert first.host.new == frozenset()
    assert second.host.new == second.member.owned == ALL - first.member.owned
    for process in (first, second):
        process.member.close()
    assert sorted(first.taken + second.taken) == sorted(set(first.taken + second.taken))


def test_a_partition_that_somebody_else_has_used_meanwhile_is_loaded_again(
    kafka: KafkaSettings,
) -> None:
    first = Process(kafka, "used", 0)
    step_until(lambda: len(first.taken) == 8, first)
    moved = TopicPartition(TOPICS[0], 0, 1, "further")
    first.member.consumer.commit(offsets=[moved], asynchronous=False)  # and says nothing of it
    second = Process(kafka, "used", 1)
    step_until(lambda: len(second.member.owned) == len(first.member.owned) == 2, first, second)
    for process in (first, second):
        assert 0 not in process.host.kept
        process.member.close()
