"""Tries things in Kafka as some user, and says what Kafka answers: nothing where it agrees."""

import time
from collections.abc import Callable

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
from confluent_kafka.admin._acl import AclBinding, AclOperation, AclPermissionType
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.cimpl import NewTopic

from schemas.settings import KafkaSettings
from streams.kafka import Config

PATIENCE_S = 30.0
NO_ANSWER = "no answer"

Attempt = Callable[[KafkaSettings], str]
"""Tries something as a user; the name of Kafka's error, or nothing."""


def write(topic: str) -> Attempt:
    """Write one record."""

    def attempt(settings: KafkaSettings) -> str:
        told: list[str] = []

        def on_delivery(error: KafkaError | None, message: Message) -> None:
            del message
            told.append("" if error is None else error.name())

        # An idempotent one, without any topic to write, is refused before it has named one.
        producer = Producer(_config(settings) | {"enable.idempotence": "false"})
        producer.produce(topic, b"{}", key=b"nobody", on_delivery=on_delivery)
        producer.flush(PATIENCE_S)
        return told[0] if told else NO_ANSWER

    return attempt


def read(topic: str, group: str | None = None) -> Attempt:
    """Read a topic from its beginning, in the user's own name or that of a group."""

    def attempt(settings: KafkaSettings) -> str:
        own = f"{settings.username}.test" if group is None else group
        consumer = _consumer(settings, own)
        unseen = consumer.list_topics(topic, timeout=PATIENCE_S).topics[topic].error
        if unseen is not None:
            consumer.close()
            return str(unseen.name())
        consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
        return _first_answer(consumer, "TOPIC_AUTHORIZATION_FAILED")

    return attempt


def join(group: str, topic: str) -> Attempt:
    """Take a place in a consumer group."""

    def attempt(settings: KafkaSettings) -> str:
        consumer = _consumer(settings, group)
        consumer.subscribe([topic])
        return _first_answer(consumer, "GROUP_AUTHORIZATION_FAILED")

    return attempt


def transact(transactional_id: str) -> Attempt:
    """Take the place of whoever writes in these transactions."""

    def attempt(settings: KafkaSettings) -> str:
        producer = Producer(_config(settings) | {"transactional.id": transactional_id})
        return _told(lambda: producer.init_transactions(PATIENCE_S))

    return attempt


def make_topic(name: str) -> Attempt:
    """Make a topic."""
    return _as_admin(lambda client: client.create_topics([NewTopic(name, 1, 1)])[name].result())


def delete_topic(name: str) -> Attempt:
    """Delete a topic."""
    return _as_admin(lambda client: client.delete_topics([name])[name].result())


def allow_all(user: str) -> Attempt:
    """Allow a user everything."""
    rule = AclBinding(
        ResourceType.TOPIC, "*", ResourcePatternType.LITERAL, f"User:{user}", "*",
        AclOperation.ALL, AclPermissionType.ALLOW,
    )  # fmt: skip  # one rule
    return _as_admin(lambda client: client.create_acls([rule])[rule].result())


def _as_admin(request: Callable[[AdminClient], object]) -> Attempt:
    def attempt(settings: KafkaSettings) -> str:
        client = AdminClient(_config(settings))
        return _told(lambda: request(client))

    return attempt


def _told(request: Callable[[], object]) -> str:
    try:
        request()
    except KafkaException as error:
        return str(error.args[0].name())
    return ""


def _config(settings: KafkaSettings) -> Config:
    # What is refused for ever is a fatal event to it: no news here.
    place: Config = {"bootstrap.servers": settings.bootstrap_servers, "log_level": 0}
    return {**place, **settings.client_security()}


def _consumer(settings: KafkaSettings, group: str) -> Consumer:
    config = {"group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": "false"}
    return Consumer(_config(settings) | config | {"enable.partition.eof": "true"})


def _first_answer(consumer: Consumer, awaited: str) -> str:
    """The awaited error; nothing, once a record or the end of a partition is there."""
    deadline_s = time.monotonic() + PATIENCE_S
    last = NO_ANSWER
    try:
        while time.monotonic() < deadline_s and last != awaited:
            message = consumer.poll(0.2)
            if message is None:
                continue
            error = message.error()
            if error is None or error.name() == "_PARTITION_EOF":
                return ""
            last = error.name()
    finally:
        consumer.close()
    return last
