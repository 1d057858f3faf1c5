"""Kafka as Gridloom uses it: clients with the right settings, topics, whole-topic reads."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings
from schemas.topics import TopicSpec, topic_names

TICK_HEADER: Final = "gridloom-tick"
"""Marks a record that only carries time. Its value is the time [ms] on the data clock."""

PREFETCH_KB: Final = 8_192
"""Records that a stage fetches ahead [kB]: several batches of align's (decision 0018)."""

STATISTICS_INTERVAL_MS: Final = 1_000
"""How often librdkafka tells of itself, where somebody listens [ms]."""

QUIET: Final = {"log_level": 2}
"""librdkafka writes to stderr by itself; only critical lines are wanted there."""

READY_TIMEOUT_S: Final = 10.0

_NOT_YET: Final = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001  its public name
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001  its public name
)
"""What a broker answers, or a client says, about a partition that was only just created."""

_REFUSALS: Final = (KafkaError._AUTHENTICATION, KafkaError._SSL)  # noqa: SLF001  their public names
"""What a client is told that a broker does not believe, or that does not believe the broker."""

Config = dict[str, str | int | float | bool]


def common_config(settings: KafkaSettings, client: str) -> Config:
    """What every client is configured with; ``client`` names it in the broker's logs."""
    return {
        "bootstrap.servers": settings.bootstrap_servers,
        "client.id": f"gridloom.{client}",
        "socket.keepalive.enable": True,
        **settings.client_security(),
        **QUIET,
    }


def producer(settings: KafkaSettings, client: str, **extra: str | float) -> Producer:
    """An idempotent producer: retries neither lose nor double nor reorder records."""
    config: Config = {
        **common_config(settings, client),
        "enable.idempotence": True,
        "compression.type": "lz4",
        "linger.ms": 5,
        "queue.buffering.max.kbytes": 262_144,
        **{key.replace("_", "."): value for key, value in extra.items()},
    }
    return Producer(config)


def transactional_producer(settings: KafkaSettings, stage: str, slot: int) -> Producer:
    """The producer of one process slot; an older process in the same slot is fenced off."""
    return producer(
        settings,
        stage,
        transactional_id=f"gridloom.{stage}.{slot}",
        transaction_timeout_ms=10_000,
        linger_ms=0,
    )


def group_consumer(
    settings: KafkaSettings,
    stage: str,
    slot: int,
    on_statistics: Callable[[str], None] | None = None,
) -> Consumer:
    """A group member that reads committed records only, and commits only in transactions.

    A fixed instance id per slot lets a restarted process take its partitions back at once.

    Args:
        settings: where Kafka is.
        stage: whose group it is.
        slot: number of this process among its like.
        on_statistics: given librdkafka's report, in JSON, once a second while it is polled.
    """
    config: Config = {
        **common_config(settings, stage),
        "group.id": f"gridloom.{stage}",
        "group.instance.id": f"gridloom.{stage}.{slot}",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        # Only this one gives partition n of every topic to the same process.
        "partition.assignment.strategy": "range",
        "session.timeout.ms": 10_000,
        # The default second of back-off starves a consumer of small topics.
        "fetch.queue.backoff.ms": 10,
        "fetch.wait.max.ms": 20,
        "queued.max.messages.kbytes": PREFETCH_KB,
    }
    if on_statistics is None:
        return Consumer(config)
    reports = {"stats_cb": on_statistics, "statistics.interval.ms": STATISTICS_INTERVAL_MS}
    return Consumer({**config, **reports})


def reader(settings: KafkaSettings, client: str, *, end_marks: bool = True) -> Consumer:
    """A consumer outside any group, for reading topics from a place of one's own choice.

    ``end_marks``: whether it also says when it has reached the end of a partition.
    """
    config: Config = {
        **common_config(settings, client),
        # The group names its user, who is allowed no other.
        "group.id": f"{settings.username or 'gridloom'}.{client}.reader",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": end_marks,
        "fetch.queue.backoff.ms": 10,
        "fetch.wait.max.ms": 20,
    }
    return Consumer(config)


def admin(settings: KafkaSettings) -> AdminClient:
    """An administrative client."""
    return AdminClient(common_config(settings, "admin"))


def require_broker(settings: KafkaSettings, timeout_s: float = READY_TIMEOUT_S) -> None:
    """Make sure that Kafka answers.

    Raises:
        BrokerError: it does not.
    """
    told: list[KafkaError] = []
    config: dict[str, Any] = {**common_config(settings, "admin"), "error_cb": told.append}
    client = AdminClient(config)
    try:
        client.list_topics(timeout=timeout_s)
    except KafkaException as error:
        client.poll(0)
        refusals = [each.str() for each in told if each.code() in _REFUSALS]
        if refusals:  # the same again and again
            message = f"Kafka at {settings.bootstrap_servers} and we do not trust each other"
            hint = "check [kafka] security_protocol, ca_file, username and password"
            raise BrokerError(message, hint=hint, problems=refusals[:1]) from error
        message = f"Kafka does not answer at {settings.bootstrap_servers}"
        hint = "start one with `gridloom up`, or set GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS"
        raise BrokerError(message, hint=hint) from error


def existing_topics(settings: KafkaSettings) -> Mapping[str, int]:
    """Number of partitions of every topic that exists."""
    topics = admin(settings).list_topics(timeout=READY_TIMEOUT_S).topics
    return {name: len(meta.partitions) for name, meta in topics.items()}


def require_topics(settings: KafkaSettings, names: Iterable[str]) -> None:
    """Make sure that topics exist.

    Raises:
        BrokerError: naming every topic that does not.
    """
    require_broker(settings)
    there = existing_topics(settings)
    missing = sorted(set(names) - there.keys())
    if missing:
        message = f"Kafka has no topic {', '.join(missing)}"
        raise BrokerError(message, hint="create the topics with `gridloom topics --apply`")


def ensure_topics(settings: KafkaSettings, gateways: Iterable[str] = ()) -> list[str]:
    """Create the topics of the map that do not exist yet; returns their names.

    Raises:
        BrokerError: one cannot be created, or has another number of partitions.
    """
    require_broker(settings)
    there = existing_topics(settings)
    wanted = topic_names(gateways)
    _check_partitions(settings, wanted, there)
    new = [_new_topic(settings, name, spec) for name, spec in wanted.items() if name not in there]
    if new:
        create_topics(settings, new)
    return [topic.topic for topic in new]


def create_topics(settings: KafkaSettings, topics: Sequence[NewTopic]) -> None:
    """Create topics that do not exist yet, and wait until they can be used.

    Raises:
        BrokerError: one cannot be created.
    """
    client = admin(settings)  # kept until the answers are there
    for name, outcome in client.create_topics(list(topics)).items():
        _created(name, outcome.exception())
    _wait_for_leaders(settings, topics)


def _wait_for_leaders(settings: KafkaSettings, topics: Iterable[NewTopic]) -> None:
    """Wait until new partitions can be used: a broker announces them a little earlier."""
    consumer = reader(settings, "create")
    deadline = time.monotonic() + READY_TIMEOUT_S
    for topic in topics:
        for number in range(topic.num_partitions):
            while not _has_leader(consumer, TopicPartition(topic.topic, number)):
                if time.monotonic() > deadline:
                    message = f"{topic.topic}[{number}] has no leader"
                    raise BrokerError(message)
                time.sleep(0.05)
    consumer.close()


def _has_leader(consumer: Consumer, partition: TopicPartition) -> bool:
    try:
        consumer.get_watermark_offsets(partition, timeout=READY_TIMEOUT_S)
    except KafkaException as error:
        if error.args[0].code() in _NOT_YET:
            return False
        raise
    return True


def partitions_of(settings: KafkaSettings, spec: TopicSpec) -> int:
    """Partitions that a topic of the map has."""
    return settings.partitions if spec.per_site else 1


def _check_partitions(
    settings: KafkaSettings, wanted: Mapping[str, TopicSpec], there: Mapping[str, int]
) -> None:
    wrong = [
        f"{name} has {there[name]} partitions, not {partitions_of(settings, spec)}"
        for name, spec in wanted.items()
        if name in there and there[name] != partitions_of(settings, spec)
    ]
    if wrong:
        message = "topics keyed by site must all have the configured number of partitions"
        raise BrokerError(message, problems=wrong, hint="set GRIDLOOM_KAFKA__PARTITIONS to match")


def _new_topic(settings: KafkaSettings, name: str, spec: TopicSpec) -> NewTopic:
    return NewTopic(
        name,
        num_partitions=partitions_of(settings, spec),
        replication_factor=settings.replication_factor,
        config=spec.config(),
    )


def _created(name: str, error: BaseException | None) -> None:
    """Pass over a topic that somebody else created meanwhile; raise on anything else."""
    if error is None:
        return
    cause = error.args[0] if error.args else None
    if isinstance(cause, KafkaError) and cause.code() == KafkaError.TOPIC_ALREADY_EXISTS:
        return
    message = f"topic {name} cannot be created: {error}"
    raise BrokerError(message)


def arrived(consumer: Consumer, most: int, wait_s: float) -> list[Message]:
    """What has arrived, up to ``most`` records and marks; waits ``wait_s`` for the first.

    ``consume`` alone would wait for as many as it is asked for.
    """
    first = consumer.poll(wait_s)
    return [] if first is None else [first, *consumer.consume(most - 1, timeout=0)]


def read_all(
    settings: KafkaSettings,
    topic: str,
    partitions: Iterable[int],
    client: str = "reader",
    start: int = OFFSET_BEGINNING,
) -> Iterator[Message]:
    """Every committed record of a topic's partitions, from ``start`` to the present end.

    Raises:
        BrokerError: the topic cannot be read.
    """
    wanted = {partition: TopicPartition(topic, partition, start) for partition in partitions}
    consumer = reader(settings, client)
    try:
        consumer.assign(list(wanted.values()))
        while wanted:
            for message in arrived(consumer, 10_000, READY_TIMEOUT_S):
                error = message.error()
                if error is None:
                    yield message
                elif error.code() == KafkaError._PARTITION_EOF:  # noqa: SLF001  its public name
                    wanted.pop(message.partition() or 0, None)
                else:
                    text = f"topic {topic} cannot be read: {error}"
                    raise BrokerError(text)
    finally:
        consumer.close()


def is_drained(settings: KafkaSettings, stage: str, topics: Iterable[str]) -> bool:
    """Whether a stage has committed everything that these topics hold for it.

    End offsets do not tell, as transactions end with markers that no consumer sees; so the
    topics are read from the committed offsets: at once at their end, or not.
    """
    config = common_config(settings, "drained") | {
        "group.id": f"gridloom.{stage}",
        "isolation.level": "read_committed",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "enable.partition.eof": True,
    }
    there = existing_topics(settings)
    wanted = [TopicPartition(t, n) for t in topics for n in range(there.get(t, 0))]
    consumer = Consumer(config)
    try:
        at = consumer.committed(wanted, timeout=READY_TIMEOUT_S)
        consumer.assign(at)
        return all(_at_end(consumer) for _ in at)
    finally:
        consumer.close()


def _at_end(consumer: Consumer) -> bool:
    """Whether the next thing to come is the end of a partition."""
    message = consumer.poll(READY_TIMEOUT_S)
    error = None if message is None else message.error()
    return error is not None and error.code() == KafkaError._PARTITION_EOF  # noqa: SLF001  its public name


def read_table(
    settings: KafkaSettings, topic: str, partition: int = 0, client: str = "reader"
) -> dict[str, bytes]:
    """The newest value of every key in one partition of a compacted topic."""
    table: dict[str, bytes] = {}
    for message in read_all(settings, topic, [partition], client):
        key, value = message.key(), message.value()
        name = key.decode() if isinstance(key, bytes) else str(key)
        if isinstance(value, bytes):
            table[name] = value
        else:
            table.pop(name, None)
    return table
