"""The servers of these tests: local ones, or containers where GRIDLOOM_CONTAINERS asks for them."""

from collections.abc import Iterator

import pytest

from deploy.influx_api import InfluxConnection
from tests.support.containers import MqttServer, influx_server, kafka_server, mqtt_server


@pytest.fixture(scope="module")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Bootstrap servers of a Kafka."""
    with kafka_server(tmp_path_factory.mktemp("kafka")) as servers:
        yield servers


@pytest.fixture(scope="module")
def influx_connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxConnection]:
    """The operator's connection to an InfluxDB."""
    with influx_server(tmp_path_factory.mktemp("influxdb")) as connection:
        yield connection


@pytest.fixture(scope="module")
def mqtt_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MqttServer]:
    """A Mosquitto with the users ``gateway`` and ``DEVICE``."""
    with mqtt_server(tmp_path_factory.mktemp("mosquitto")) as server:
        yield server
