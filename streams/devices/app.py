"""The Faust app ``gridloom-devices``: two agents, one table, a web view.

The table is keyed by device, the topics by site. That fits without re-partitioning anything:
Faust writes a table's change to the changelog partition that has the number of the *event's*
partition (it hashes keys only with ``use_partitioner``), and as both topics and the changelog
have equally many partitions, its assignor gives partition n of all three to one worker. A site
lives in one partition, and so do its devices; a record elsewhere is counted and passed over.

Rows live in memory. A restart reads them back from the changelog, a compacted topic.
"""

from typing import cast

import faust
from faust.types import StreamT, TopicT

from schemas.settings import Settings
from schemas.topics import DEVICES_APP
from streams.devices.changelog import COMPACTION, SOURCES, TABLE
from streams.devices.credentials import credentials
from streams.devices.table import DeviceTable
from streams.devices.transport import TrackedTable, TransactionalTransport
from streams.devices.web import add_pages
from streams.metrics import StageMetrics


def build_app(settings: Settings, partitions: int, metrics: StageMetrics) -> faust.App:
    """The app, complete and not started; to be called within a running event loop.

    Args:
        settings: where Kafka is, where the web view listens, where Faust keeps files.
        partitions: how many partitions ``telemetry.relay`` and ``actuator.acks`` have each.
        metrics: count what the agents take.
    """
    app = faust.App(
        DEVICES_APP,
        broker=[f"kafka://{place}" for place in settings.kafka.bootstrap_servers.split(",")],
        broker_credentials=credentials(settings.kafka),
        # Faust lets WEB_PORT, BROKER_URL and many more variables override its arguments.
        env={},
        # Reads committed records only; and only where `in_worker` is set, or it does nothing.
        processing_guarantee="exactly_once",
        Table=TrackedTable,
        store="memory://",
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_replication_factor=settings.kafka.replication_factor,
        broker_commit_interval=1.0,
        # A killed worker's partitions are free after this [s]; Faust's own default is 60.
        broker_session_timeout=10.0,
        broker_rebalance_timeout=10.0,
        datadir=settings.home / "faust",
        web_host=settings.devices.host,
        web_bind=settings.devices.host,
        web_port=settings.devices.port,
        web_router_enabled=False,
        web_tables_enabled=False,
    )
    app.in_worker = True
    app.transport = TransactionalTransport(app.conf.broker_consumer, app, settings.kafka)
    rows = app.Table(
        TABLE,
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        extra_topic_configs=COMPACTION,
    )
    table = DeviceTable(cast("TrackedTable", rows), partitions)
    _add_agents(app, table, metrics)
    add_pages(app, table)
    return app


def _add_agents(app: faust.App, table: DeviceTable, metrics: StageMetrics) -> None:
    """Agents fold without an ``await``, so that a change and its record stay together."""

    async def take_telemetry(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            metrics.consumed(event.message.topic, 1)
            table.take_telemetry(event)

    async def take_acks(stream: StreamT[bytes]) -> None:
        async for event in stream.events():
            metrics.consumed(event.message.topic, 1)
            table.take_ack(event)

    for topic, agent in zip(SOURCES, (take_telemetry, take_acks), strict=True):
        app.agent(_raw(app, topic), name=agent.__name__)(agent)


def _raw(app: faust.App, name: str) -> TopicT:
    """A topic of undecoded records. The types alone are not enough: agents would read JSON."""
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )
