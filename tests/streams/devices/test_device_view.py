"""The device view as a process, on a real Kafka."""

import signal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Consumer, TopicPartition

from schemas.identity import partition_of
from schemas.messages import encode
from schemas.setpoint import AckResult
from schemas.settings import KafkaSettings
from schemas.topics import DEVICES_APP
from streams.devices.changelog import SOURCES
from streams.faust_host.offsets import committed_ends
from streams.kafka import TICK_HEADER, common_config
from tests.streams.devices.conftest import (
    ACKS,
    T0,
    TELEMETRY,
    Gateway,
    ViewProcess,
    ack,
    board,
    report,
)

pytestmark = pytest.mark.kafka

PARTITIONS = 4


def get(view: ViewProcess, path: str) -> tuple[int, Any]:
    """Status and content of an answer."""
    web = view.settings.devices
    connection = HTTPConnection(web.host, web.port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    content = msgspec.json.decode(response.read())
    connection.close()
    return response.status, content


def site_of(partition: int, name: str = "site") -> str:
    """A site that lives in ``partition``."""
    names = (f"{name}-{number}" for number in range(1000))
    return next(site for site in names if partition_of(site, PARTITIONS) == partition)


def test_telemetry_and_answers_of_every_partition_appear(
    view: ViewProcess, gateway: Gateway
) -> None:
    sites = [site_of(partition, "seen") for partition in range(PARTITIONS)]
    gateway.send(*(report(site, relay_1=True, relay_2=False) for site in sites))
    gateway.acknowledge(*sites)
    devices = view.wait_for(lambda seen: all(s in seen and seen[s].ack for s in sites))
    for site in sites:
        one = devices[site]
        assert one.device == board(site)
        assert {lamp.output: lamp.on for lamp in one.outputs} == {1: True, 2: False, 3: True}
        assert one.telemetry_ms == T0
        assert (one.applied, one.refused) == (1, 0)
        assert one.ack
        assert one.ack.result is AckResult.APPLIED
        assert one.ack.decision_id.startswith(f"{site}.")


def is_in_the_log(kafka: KafkaSettings, site: str, count: int) -> bool:
    """Whether ``count`` answers of ``site`` are, those of aborted transactions included."""
    config = {**common_config(kafka, "test"), "group.id": "test", "auto.offset.reset": "earliest"}
    consumer = Consumer({**config, "isolation.level": "read_uncommitted"})
    consumer.subscribe([ACKS])
    found = 0
    while found < count and (message := consumer.poll(10.0)):
        found += message.key() == site.encode()
    consumer.close()
    return found == count


def test_answers_of_aborted_transactions_never_appear(
    view: ViewProcess, gateway: Gateway, kafka: KafkaSettings
) -> None:
    """The next committed answer stands behind them in the log: all of it has been read."""
    site = site_of(1, "aborting")
    for _ in range(3):
        gateway.acknowledge(site, abort=True, count=2)
        gateway.acknowledge(site)
    devices = view.wait_for(lambda seen: site in seen and seen[site].applied == 3)
    assert devices[site].refused == 0
    assert is_in_the_log(kafka, site, 9)


def test_what_was_read_is_committed_through_every_gap_of_transactions(
    view: ViewProcess, gateway: Gateway, kafka: KafkaSettings
) -> None:
    """Each answer is a transaction, as a gateway's are: every other offset is a marker."""
    sites = [site_of(partition, "gaps") for partition in range(PARTITIONS)]
    gateway.acknowledge(*sites, count=150)
    gateway.acknowledge(*sites, abort=True)
    places = [(topic, partition) for topic in SOURCES for partition in range(PARTITIONS)]
    group = Consumer({**common_config(kafka, "test"), "group.id": DEVICES_APP})

    def committed() -> dict[tuple[str, int], int]:
        answers = group.committed([TopicPartition(*place) for place in places], timeout=10)
        return {(one.topic, one.partition): max(one.offset, 0) for one in answers}

    view.wait_for(lambda _: committed() == committed_ends(kafka, places))
    group.close()


def test_records_that_cannot_be_used_are_counted_and_passed_over(
    view: ViewProcess, gateway: Gateway
) -> None:
    """Ticks carry only time; the rest is malformed, or in a partition that is not its site's."""
    site, elsewhere = site_of(2, "bad"), site_of(3, "bad")
    gateway.acknowledge(site)
    view.wait_for(lambda seen: site in seen)
    before = get(view, "/health")[1]
    with gateway.transaction() as producer:
        for topic in (TELEMETRY, ACKS):
            producer.produce(topic, partition=2, value=b"{nonsense")
            producer.produce(topic, partition=2, value=None)
        producer.produce(TELEMETRY, partition=2, value=encode(report(elsewhere, relay_1=True)))
        producer.produce(ACKS, partition=2, value=encode(ack(elsewhere, 1)))
        producer.produce(TELEMETRY, partition=2, value=encode(report(site, voltage=True)))
        for partition in range(PARTITIONS):
            producer.produce(TELEMETRY, partition=partition, headers=[(TICK_HEADER, b"")])
            producer.produce(TELEMETRY, partition=partition, value=b"", headers={TICK_HEADER: b"5"})
    gateway.send(report(site, relay_1=True))
    gateway.acknowledge(site)
    devices = view.wait_for(lambda seen: len(seen[site].outputs) == 2 and seen[site].applied == 2)
    assert elsewhere not in devices
    after = get(view, "/health")[1]
    assert after["status"] == "ok"
    assert after["malformed"] - before["malformed"] == 5
    assert after["misplaced"] - before["misplaced"] == 2


def test_one_device_is_found_by_its_id_or_by_a_name_that_only_one_site_has(
    view: ViewProcess, gateway: Gateway
) -> None:
    first, second = site_of(0, "twin"), site_of(1, "twin")
    named = msgspec.structs.replace(ack(second, 1), device=board(first))
    gateway.send(ack(first, 1), named, ack(second, 2))
    view.wait_for(lambda seen: {first, second} <= seen.keys())
    status, content = get(view, f"/devices/{first}/{board(first)}")
    assert (status, content["site"]) == (200, first)
    status, content = get(view, f"/devices/{board(second)}")
    assert (status, content["site"]) == (200, second)
    status, content = get(view, f"/devices/{board(first)}")
    assert status == 409
    assert f"{second}/{board(first)}" in content["error"]
    assert get(view, "/devices/nobody")[0] == 404


def test_counts_stay_exact_through_a_stop_and_a_kill(view: ViewProcess, gateway: Gateway) -> None:
    """The table comes back from its changelog, and the reading goes on where it had come to."""
    sites = [site_of(partition, "lasting") for partition in range(PARTITIONS)]

    def is_whole(seen: dict[str, Any]) -> bool:
        counts = {site: seen[site].applied for site in sites if site in seen}
        return counts == {site: gateway.applied[site] for site in sites}

    gateway.send(*(report(site, relay_7=True) for site in sites))
    gateway.acknowledge(*sites, count=20)
    view.wait_for(is_whole)
    gateway.acknowledge(*sites, abort=True, count=5)
    gateway.acknowledge(*sites, count=30)
    assert view.end(signal.SIGTERM) == (0, "")
    gateway.acknowledge(*sites, count=10)
    view.start()
    view.wait_for(is_whole)
    gateway.acknowledge(*sites, count=20)
    assert view.end(signal.SIGKILL)[0] == -signal.SIGKILL
    gateway.acknowledge(*sites, count=10)
    view.start()
    devices = view.wait_for(is_whole)
    for site in sites:
        assert devices[site].refused == 0
        assert [lamp.output for lamp in devices[site].outputs] == [3, 7]
    assert list(view.folder.iterdir()) == []


def test_a_port_in_use_is_said_in_one_line_with_what_to_do(
    view: ViewProcess, tmp_path: Path
) -> None:
    view.wait_for(lambda _: True)
    second = ViewProcess(view.settings, tmp_path)
    second.start()
    status, printed = second.result()
    assert status == 1
    (line,) = printed.splitlines()
    assert "the device view cannot start" in line
    assert "GRIDLOOM_DEVICES__PORT" in line
