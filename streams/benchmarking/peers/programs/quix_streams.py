"""Quix Streams' part, on the terms of the package that this is in.

A row is keyed by its meter when it is decoded: a site lies in one partition, so its meters do,
and Quix' own ``group_by`` would send everything through Kafka a second time. Ticks, the records
without a value, only move time on; as a row of their own they fall out at the end.
"""

import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Message
from quixstreams import Application
from quixstreams.models import Topic
from quixstreams.models.topics import TopicAdmin, TopicManager

WINDOW_MS = 5_000
GRACE_MS = 30_000
TICK_HEADER = "gridloom-tick"
TICK = "tick"
# As in Gridloom's own consumers: the defaults wait for more than comes.
CONSUMER = {"fetch.queue.backoff.ms": 10, "fetch.wait.max.ms": 20}


class ByMeter(Topic):  # type: ignore[misc]  # Quix is in its own environment, unknown here
    """The input, keyed by meter.

    Args:
        name: of the topic.
        began: file for the moment of the first record.
    """

    def __init__(self, name: str, began: Path) -> None:
        super().__init__(name, value_deserializer="json", timestamp_extractor=event_time)
        self._began: Path | None = began

    def row_deserialize(self, message: Message) -> Any:  # noqa: ANN401  (a type of Quix)
        """One row, with another key than its record has."""
        if self._began is not None:
            self._began.write_text(str(time.monotonic()), encoding="ascii")
            self._began = None
        row = super().row_deserialize(message)
        row.key = (TICK if row.value is None else row.value["device"]).encode()
        return row


def event_time(
    value: dict[str, Any] | None,
    headers: Sequence[tuple[str, bytes]],
    _append_ms: int,
    _kind: object,
) -> int:
    """When it was measured; of a tick, the time that it carries [ms]."""
    return int(dict(headers)[TICK_HEADER]) if value is None else int(value["event_time_ms"])


def add(sum_and_count: Sequence[float], value: float) -> tuple[float, float]:
    """Another reading of a window."""
    total, count = sum_and_count
    return total + value, count + 1


def result(window: dict[str, Any], key: bytes, _time_ms: int, _headers: object) -> dict[str, Any]:
    """A closed window as it is written."""
    total, count = window["value"]
    return {
        "device": key.decode(),
        "window_start_ms": window["start"],
        "mean": total / count,
        "count": count,
    }


def main() -> None:
    """Run until the process is ended."""
    bootstrap, source, target, group, _, commit_ms, folder = sys.argv[1:]
    manager = TopicManager(TopicAdmin(bootstrap, logging.getLogger()), group)
    app = Application(
        broker_address=bootstrap,
        consumer_group=group,
        topic_manager=manager,
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        commit_interval=int(commit_ms) / 1_000,
        state_dir=Path(folder, "state"),
        loglevel="WARNING",
        consumer_extra_config=CONSUMER,
        producer_extra_config={"compression.type": "lz4"},
    )
    rows = app.dataframe(manager.register(ByMeter(source, Path(folder, "began"))))
    values = rows.apply(lambda value: 0.0 if value is None else value["value"])
    windows = values.tumbling_window(WINDOW_MS, grace_ms=GRACE_MS).reduce(add, lambda v: (v, 1))
    closed = windows.final(closing_strategy="partition").apply(result, metadata=True)
    closed.filter(lambda each: each["device"] != TICK).to_topic(app.topic(target))
    app.run()


if __name__ == "__main__":
    main()
