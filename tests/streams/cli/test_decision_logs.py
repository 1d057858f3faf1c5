"""How decisions are looked up in Kafka: where reading begins and ends, and what it survives."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import Message as Record
from confluent_kafka.cimpl import NewTopic

from schemas.clock import PipelineClock
from schemas.identity import partition_of
from schemas.messages import encode
from schemas.settings import Settings
from schemas.topics import CLOCK, PLANS, SITE_WINDOWS
from streams.clocks import CLOCK_KEY
from streams.explaining.asking import explain
from streams.explaining.listing import does_switch, newest_switches
from streams.explaining.logs import log_ms_of, read_backwards, read_from, value_of
from streams.explaining.newest import newest_plans
from streams.kafka import admin, producer, transactional_producer
from tests.streams.cli.chain import SHED_WINDOW, Chain, publish, site, start_of

pytestmark = pytest.mark.kafka

SKEW_MS = 600_000
ABORTED = 15


def taken(settings: Settings, since_ms: int | None, most: int = 10**9) -> list[Record]:
    """Records of the depot's partition of the plans, up to ``most``."""
    found: list[Record] = []

    def take(topic: str, record: Record) -> bool:
        assert topic == PLANS.name
        found.append(record)
        return len(found) >= most

    place = {PLANS.name: partition_of("depot", settings.kafka.partitions)}
    read_from(settings.kafka, place, since_ms, take)
    return found


def test_reading_begins_at_a_time_and_ends_where_it_is_told(
    stack_settings: Settings, chain: Chain
) -> None:
    everything = [log_ms_of(record) for record in taken(stack_settings, None)]
    assert len(everything) >= 2 * len([r for r in chain.records if r.topic == PLANS.name])
    since_ms = sorted(everything)[len(everything) // 2]
    # The log is not in the order of its stamps: from the first one that is late enough on.
    begin = next(at for at, log_ms in enumerate(everything) if log_ms >= since_ms)
    assert [log_ms_of(r) for r in taken(stack_settings, since_ms)] == everything[begin:]
    assert [log_ms_of(r) for r in taken(stack_settings, since_ms, 3)] == everything[begin:][:3]
    assert taken(stack_settings, max(everything) + 1) == []


@pytest.fixture(scope="module")
def gappy_topic(stack_settings: Settings) -> str:
    """A topic of 3,000 records in transactions of 100, one of them aborted."""
    name = "test.gappy"
    client = admin(stack_settings.kafka)
    client.create_topics([NewTopic(name, 1, 1)])[name].result()
    sender = transactional_producer(stack_settings.kafka, "test.gappy", 0)
    sender.init_transactions(30)
    for block in range(31):
        sender.begin_transaction()
        for number in range(100):
            sender.produce(name, value=f"{block * 100 + number}", key="k")
        if block == ABORTED:
            sender.abort_transaction(30)
        else:
            sender.commit_transaction(30)
    return name


def test_chunks_from_the_end_hold_every_committed_record_once(
    stack_settings: Settings, gappy_topic: str
) -> None:
    """Transactions leave places in the log without a record, at its end, too."""
    chunks = list(read_backwards(stack_settings.kafka, gappy_topic, 0, 10**6))
    numbers = [int(value_of(record) or b"") for chunk in chunks[::-1] for record in chunk]
    assert numbers == [n for n in range(3_100) if n // 100 != ABORTED]
    assert len(chunks) > 1


def test_no_more_places_than_wanted_are_looked_through(
    stack_settings: Settings, gappy_topic: str
) -> None:
    chunks = list(read_backwards(stack_settings.kafka, gappy_topic, 0, 500))
    numbers = [int(value_of(record) or b"") for chunk in chunks for record in chunk]
    assert 0 < len(numbers) <= 500
    assert max(numbers) == 3_099


@pytest.fixture
def data_clock(stack_settings: Settings, clock: PipelineClock) -> Iterator[None]:
    """The pipeline seems to run on the data clock."""
    client = producer(stack_settings.kafka, "test")
    client.produce(CLOCK.name, encode(PipelineClock(speed=0)), CLOCK_KEY)
    assert client.flush(30) == 0
    yield
    client.produce(CLOCK.name, encode(clock), CLOCK_KEY)
    assert client.flush(30) == 0


@pytest.mark.usefixtures("data_clock")
def test_on_the_data_clock_all_is_read_and_no_pipeline_time_made_up(
    stack_settings: Settings, chain: Chain
) -> None:
    """DESIGN time 1: there the stamps of the log say nothing about the windows."""
    story = explain(stack_settings, chain.decision(SHED_WINDOW))
    assert story.plan.pipeline_ms is None
    assert story.plan.log_ms is not None
    assert len(story.acks) == 1


def test_records_stamped_long_before_their_window_are_found_all_the_same(
    stack_settings: Settings, clock: PipelineClock, tmp_path: Path
) -> None:
    """A stage on a machine whose clock is far behind: time does not help, so all is read."""
    behind = Chain(site("behind"), clock, tmp_path).run([80.0] * 3)
    skewed = [replace(record, log_ms=record.log_ms - SKEW_MS) for record in behind.records]
    publish(stack_settings, behind, skewed)
    story = explain(stack_settings, behind.decision(1))
    assert story.window_start_ms == start_of(1)
    assert story.verdict is not None


def test_what_cannot_be_read_is_passed_over_and_said(
    stack_settings: Settings, clock: PipelineClock, tmp_path: Path
) -> None:
    good = Chain(site("garbled"), clock, tmp_path).run([80.0] * 3)
    client = producer(stack_settings.kafka, "test")
    partition = partition_of("garbled", stack_settings.kafka.partitions)
    for topic in (PLANS.name, SITE_WINDOWS.name):
        stamp = good.records[0].log_ms
        client.produce(topic, b"{", "garbled", partition, timestamp=stamp)
    assert client.flush(30) == 0
    publish(stack_settings, good)
    story = explain(stack_settings, good.decision(1))
    assert story.notes == ("2 records of this site cannot be read",)


def test_the_newest_plans_come_from_every_partition_newest_first(
    stack_settings: Settings, clock: PipelineClock, tmp_path: Path
) -> None:
    names = [f"peaky-{number}" for number in range(4)]
    chains = [Chain(site(name), clock, tmp_path / name) for name in names]
    for number, each in enumerate(chains, 100):
        publish(stack_settings, each.run([80.0, 95.0], number))
    partitions = {partition_of(name, stack_settings.kafka.partitions) for name in names}
    assert len(partitions) > 1
    found = newest_plans(stack_settings.kafka, 3, does_switch)
    assert [each.plan.site for each in found] == names[:0:-1]
    listed = newest_switches(stack_settings).decisions
    assert [each.verdict for each in listed[:4]] == ["accepted"] * 4
