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

from schemas.settings import Settings
from schemas.topics import DEVICES_APP
from streams.devices.changelog import COMPACTION, SOURCES, TABLE
from streams.devices.table import DeviceTable
from streams.devices.web import add_pages
from streams.faust_host.agents import Agents
from streams.faust_host.app import WebPlace, host_app
from streams.faust_host.transport import TrackedTable
from streams.metrics import StageMetrics


def build_app(settings: Settings, partitions: int, metrics: StageMetrics) -> faust.App:
    """The app, complete and not started; to be called within a running event loop.

    Args:
        settings: where Kafka is, where the web view listens, where Faust keeps files.
        partitions: how many partitions ``telemetry.relay`` and ``actuator.acks`` have each.
        metrics: count what the agents take.
    """
    web = WebPlace(settings.devices.host, settings.devices.port)
    app = host_app(DEVICES_APP, settings.kafka, web, settings.home / "faust")
    rows = app.Table(
        TABLE,
        key_type=bytes,
        value_type=bytes,
        partitions=partitions,
        extra_topic_configs=COMPACTION,
    )
    table = DeviceTable(cast("TrackedTable", rows), partitions)
    agents = Agents(app, "devices", settings.kafka, metrics)
    # They fold without an ``await``, so that a change and its record stay together.
    for topic, take in zip(SOURCES, (table.take_telemetry, table.take_ack), strict=True):
        agents.add(topic, take)
    add_pages(app, table)
    return app
