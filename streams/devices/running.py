"""Runs the device view in this process until it is told to stop."""

from typing import TYPE_CHECKING

from schemas.errors import BrokerError
from schemas.settings import KafkaSettings, Settings
from schemas.topics import DEVICES_CHANGELOG
from streams.devices.changelog import SOURCES
from streams.faust_host.running import FaustHost
from streams.kafka import existing_topics, require_topics
from streams.metrics import StageMetrics

if TYPE_CHECKING:
    import faust


def run_devices(settings: Settings, metrics: StageMetrics) -> None:
    """Keep the device view and serve it, until SIGTERM or SIGINT.

    Only warnings are logged, to stderr. Files go to ``settings.home / "faust"``.

    Raises:
        BrokerError: Kafka is away, lacks a topic, or has topics that do not fit together.
        StackError: the web view's port cannot be had, or Faust broke off.
    """
    require_topics(settings.kafka, SOURCES)
    partitions = _common_partitions(settings.kafka)

    def build() -> "faust.App":
        from streams.devices.app import build_app

        return build_app(settings, partitions, metrics)

    FaustHost("the device view", metrics, build, "GRIDLOOM_DEVICES__PORT").run()


def _common_partitions(settings: KafkaSettings) -> int:
    """How many partitions the topics, and the changelog if it exists, have each.

    Raises:
        BrokerError: they differ, so that a site's records would not stay together.
    """
    there = existing_topics(settings)
    counts = {name: there[name] for name in (*SOURCES, DEVICES_CHANGELOG) if name in there}
    if len(set(counts.values())) > 1:
        raise BrokerError(
            "the device view needs topics with equally many partitions",
            problems=[f"{name} has {count}" for name, count in counts.items()],
            hint="delete the one that differs, and start again",
        )
    return next(iter(counts.values()))
