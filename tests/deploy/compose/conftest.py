"""Real servers for the commands of the compose file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import deploy.kafka_server
from deploy.local_kafka import LocalKafka
from deploy.ports import free_port
from tests.support.compose import services
from tests.support.influx import influx

__all__ = ["influx", "kafka"]


def broker_properties(port: int, controller_port: int, _secured: None) -> str:
    """The broker's settings in the compose file, at ports of this machine.

    Kafka's image makes them of the variables: ``KAFKA_LOG_DIRS`` is ``log.dirs``.
    """
    host_port = free_port(besides=port)
    given = services({"STACK_SECRETS": "/none", "STACK_KAFKA_PORT": str(host_port)})
    places = {
        "kafka:9092": f"127.0.0.1:{port}",
        "kafka:9093": f"127.0.0.1:{controller_port}",
        "://:9092": f"://127.0.0.1:{port}",
        "://:9093": f"://127.0.0.1:{controller_port}",
        "://:9094": f"://127.0.0.1:{host_port}",
        "/var/lib/kafka/data": "data",
    }
    lines = []
    for name, value in given["kafka"]["environment"].items():
        text = str(value)
        for there, here in places.items():
            text = text.replace(there, here)
        lines.append(f"{name.removeprefix('KAFKA_').lower().replace('_', '.')}={text}")
    return "\n".join(line for line in lines if not line.startswith("heap.opts"))


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A broker with the settings of the compose file."""
    folder: Path = tmp_path_factory.mktemp("kafka")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deploy.kafka_server, "server_properties", broker_properties)
        broker = LocalKafka(folder)
        broker.start()
    yield broker
    broker.stop()
