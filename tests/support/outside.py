"""Another program's producer and consumer: nothing here comes from Gridloom."""

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

QUIET_S = 3.0
IN_PLAIN_TEXT: Mapping[str, str] = MappingProxyType({})


class OutsideProducer:
    """Sends JSON as a meter head-end would; ``security``: in librdkafka's words."""

    def __init__(
        self,
        bootstrap_servers: str,
        partitions: int = 4,
        security: Mapping[str, str] = IN_PLAIN_TEXT,
    ) -> None:
        config = {"bootstrap.servers": bootstrap_servers, "log_level": 2}
        self._producer = Producer({**config, **security})
        self._partitions = partitions

    def send(self, topic: str, site: str, value: bytes) -> None:
        """One record, keyed by site, in the site's partition."""
        partition = zlib.crc32(site.encode()) % self._partitions
        self._producer.produce(topic, key=site, value=value, partition=partition)

    def reading(
        self,
        site: str,
        device: str,
        time_ms: int,
        value: float,
        *,
        event_id: str = "",
        quantity: str = "active_power",
        unit: str = "kW",
    ) -> None:
        """One meter reading."""
        body = {
            "type": "reading",
            "event_id": event_id or f"{device}-{time_ms}",
            "site": site,
            "source": "outside",
            "device": device,
            "quantity": quantity,
            "unit": unit,
            "value": value,
            "event_time_ms": time_ms,
        }
        self.send("telemetry.meter", site, json.dumps(body).encode())

    def flush(self) -> None:
        """Wait until everything is delivered."""
        assert self._producer.flush(20) == 0


def committed(
    bootstrap_servers: str,
    topic: str,
    partitions: Iterable[int],
    enough: Callable[[dict[str, object]], bool] | None = None,
    security: Mapping[str, str] = IN_PLAIN_TEXT,
) -> Iterator[dict[str, object]]:
    """Committed JSON records of a topic, until one is ``enough`` or none came for a while."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap_servers,
            "group.id": "outside",
            "isolation.level": "read_committed",
            "log_level": 2,
            **security,
        }
    )
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    try:
        while (message := consumer.poll(QUIET_S)) is not None:
            value = message.value()
            if message.error() is None and isinstance(value, bytes):
                yield (record := json.loads(value))
                if enough is not None and enough(record):
                    return
    finally:
        consumer.close()
