"""A Faust app as every stage on it needs one: committed records only, and no surprises."""

from dataclasses import dataclass
from pathlib import Path

import faust

from schemas.settings import KafkaSettings
from streams.faust_host.credentials import credentials
from streams.faust_host.transport import TrackedTable, TransactionalTransport


@dataclass(frozen=True)
class WebPlace:
    """Where an app's pages are served."""

    host: str
    port: int


def host_app(app_id: str, kafka: KafkaSettings, web: WebPlace, folder: Path) -> faust.App:
    """The app, without topics, tables and pages; to be made within a running event loop.

    Args:
        app_id: its consumer group, and the start of its transactional ids and changelogs.
        kafka: where Kafka is.
        web: where its pages are served.
        folder: for files that Faust keeps.
    """
    app = faust.App(
        app_id,
        broker=[f"kafka://{place}" for place in kafka.bootstrap_servers.split(",")],
        broker_credentials=credentials(kafka),
        # Faust lets WEB_PORT, BROKER_URL and many more variables override its arguments.
        env={},
        # Reads committed records only; and only where `in_worker` is set, or it does nothing.
        processing_guarantee="exactly_once",
        Table=TrackedTable,
        store="memory://",
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_replication_factor=kafka.replication_factor,
        broker_commit_interval=1.0,
        # A killed worker's partitions are free after this [s]; Faust's own default is 60.
        broker_session_timeout=10.0,
        broker_rebalance_timeout=10.0,
        datadir=folder,
        web_host=web.host,
        web_bind=web.host,
        web_port=web.port,
        web_router_enabled=False,
        web_tables_enabled=False,
    )
    app.in_worker = True
    app.transport = TransactionalTransport(app.conf.broker_consumer, app, kafka)
    return app


def is_ready(app: faust.App) -> bool:
    """Whether partitions are assigned, and tables have been read back."""
    return bool(app.tables.actives_ready and not app.rebalancing)
