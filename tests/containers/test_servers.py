"""What the rest of the tests relies on, on local servers and on containers alike."""

import asyncio

import aiomqtt
import pytest
from confluent_kafka import Producer
from influxdb_client.client.write_api import SYNCHRONOUS

from deploy.influx_api import InfluxConnection, influx_client, influx_version
from deploy.influx_build import INFLUXD_VERSION
from schemas.settings import KafkaSettings
from schemas.topics import PLANS, topic_names
from streams.kafka import ensure_topics, existing_topics, read_table
from tests.support.containers import DEVICE, MqttServer

PATIENCE_S = 15.0


@pytest.mark.kafka
def test_kafka_makes_the_topic_map_and_keeps_records(kafka_bootstrap: str) -> None:
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap, partitions=2)
    ensure_topics(settings)
    there = existing_topics(settings)
    assert topic_names([]).keys() <= there.keys()
    assert there[PLANS.name] == 2
    producer = Producer({"bootstrap.servers": kafka_bootstrap})
    producer.produce("pipeline.clock", key="clock", value=b"{}")
    assert producer.flush(PATIENCE_S) == 0
    assert read_table(settings, "pipeline.clock", client="test") == {"clock": b"{}"}


@pytest.mark.influxdb
def test_influxdb_is_of_the_version_that_is_built_and_keeps_points(
    influx_connection: InfluxConnection,
) -> None:
    assert influx_version(influx_connection.url).lstrip("v") == INFLUXD_VERSION
    with influx_client(influx_connection) as client:
        with client.write_api(write_options=SYNCHRONOUS) as writer:
            writer.write(influx_connection.bucket, record="test value=1.5")
        flux = f'from(bucket: "{influx_connection.bucket}") |> range(start: 0)'
        (table,) = client.query_api().query(flux)
        assert [record.values["_value"] for record in table.records] == [1.5]


@pytest.mark.mqtt
def test_mosquitto_carries_a_setpoint_to_its_device(mqtt_broker: MqttServer) -> None:
    topic = f"gridloom/{DEVICE}/setpoint"

    def client(user: str) -> aiomqtt.Client:
        password = mqtt_broker.passwords[user]
        return aiomqtt.Client(mqtt_broker.host, mqtt_broker.port, username=user, password=password)

    async def play() -> bytes:
        async with client(DEVICE) as device, client("gateway") as gateway:
            await device.subscribe(topic, qos=1)
            await gateway.publish(topic, b"{}", qos=1)
            message = await anext(aiter(device.messages))
            assert isinstance(message.payload, bytes)
            return message.payload

    assert asyncio.run(asyncio.wait_for(play(), PATIENCE_S)) == b"{}"
