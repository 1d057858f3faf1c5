"""Sees from outside when align is done: the last window of every site is committed."""

from typing import Final

from confluent_kafka import Consumer, TopicPartition

from schemas.settings import KafkaSettings
from schemas.topics import SITE_WINDOWS
from streams.kafka import READY_TIMEOUT_S, arrived, reader

_MOST: Final = 10_000
_WAIT_S: Final = 0.05


class LastWindows:
    """Reads committed windows, from the present end of the topic on.

    It looks for the bytes of the last window's start and decodes nothing, because it shares the
    machine with what it watches.

    Args:
        settings: where Kafka is.
        start_ms: start of the last window [ms].
        sites: how many sites there are.
    """

    def __init__(self, settings: KafkaSettings, start_ms: int, sites: int) -> None:
        self._wanted = sites
        self._mark = f'"window_start_ms":{start_ms},'.encode()
        self._sites: set[bytes] = set()
        self._consumer: Consumer = reader(settings, "bench")
        self._consumer.assign([self._end(partition) for partition in range(settings.partitions)])

    def _end(self, partition: int) -> TopicPartition:
        place = TopicPartition(SITE_WINDOWS.name, partition)
        place.offset = self._consumer.get_watermark_offsets(place, timeout=READY_TIMEOUT_S)[1]
        return place

    def complete(self) -> bool:
        """Look again for a moment; whether every site's last window was seen."""
        for message in arrived(self._consumer, _MOST, _WAIT_S):
            value, key = message.value(), message.key()
            if isinstance(value, bytes) and isinstance(key, bytes) and self._mark in value:
                self._sites.add(key)
        return len(self._sites) == self._wanted

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
