"""How far a consumer is behind, from what librdkafka tells of itself once a second.

It costs the broker nothing: the ends of partitions come with every answer to a fetch.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

_ACTIVE: Final = "active"
_CONNECTED: Final = frozenset({"UP", "UPDATE"})
_UNKNOWN: Final = -1
"""Offsets below 0 are unknown to librdkafka."""


class _Partition(msgspec.Struct, frozen=True):
    """A partition in librdkafka's report (see its STATISTICS.md).

    Attributes:
        fetch_state: ``active`` while it is assigned and read.
        fetchq_cnt: fetched records of all partitions that nobody has taken yet.
        next_offset: what is fetched next.
        app_offset: the offset after the last record taken.
        ls_offset: end of what is committed.
    """

    fetch_state: str
    fetchq_cnt: int
    next_offset: int
    app_offset: int
    ls_offset: int


class _Topic(msgspec.Struct, frozen=True):
    partitions: dict[str, _Partition]


class _Broker(msgspec.Struct, frozen=True):
    """A broker in librdkafka's report; ``state`` is ``UP`` while it is connected."""

    state: str


class _Statistics(msgspec.Struct, frozen=True):
    brokers: dict[str, _Broker] = {}
    topics: dict[str, _Topic] = {}


_DECODER: Final = msgspec.json.Decoder(_Statistics)


def consumer_lags(statistics: str | bytes) -> Mapping[tuple[str, ...], int]:
    """Records not taken yet, by topic and partition.

    Markers of transactions have offsets too. Where nothing lies fetched and untaken they do not
    count, so that a consumer that has read everything is 0 behind; otherwise they do. Partitions
    that are not read now, or whose end is not known yet, are left out.

    Args:
        statistics: librdkafka's report, as JSON.

    Raises:
        msgspec.DecodeError: it is none.
    """
    topics = _DECODER.decode(statistics).topics
    return {
        (topic, number): lag
        for topic, entry in topics.items()
        for number, partition in entry.partitions.items()
        if (lag := _lag(partition)) is not None
    }


def reaches_a_broker(statistics: str | bytes) -> bool:
    """Whether a consumer is connected to any broker.

    Args:
        statistics: librdkafka's report, as JSON.

    Raises:
        msgspec.DecodeError: it is none.
    """
    brokers = _DECODER.decode(statistics).brokers.values()
    return any(broker.state in _CONNECTED for broker in brokers)


def _lag(partition: _Partition) -> int | None:
    taken = partition.app_offset if partition.fetchq_cnt else partition.next_offset
    if partition.fetch_state != _ACTIVE or min(taken, partition.ls_offset) <= _UNKNOWN:
        return None
    return max(0, partition.ls_offset - taken)
