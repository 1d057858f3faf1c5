"""Faust's part, on the terms of the package that this is in: a windowed table.

It writes a window whenever a reading changes it, since that is what a commit of Faust's covers;
``on_window_close`` runs on a timer outside of it. A table's partition is that of the event, so
meters need no other key than their site's.
"""

import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import faust

WINDOW_MS = 5_000
GRACE_MS = 30_000


def event_time(event: Any) -> float:  # noqa: ANN401  (Faust's own type says less than this needs)
    """When it was measured [s]."""
    return float(event.value["event_time_ms"]) / 1_000


def main() -> None:
    """Run until the process is ended."""
    bootstrap, source, target, group, partitions, commit_ms, place = sys.argv[1:]
    folder = Path(place)
    app = faust.App(
        group,
        broker=f"kafka://{bootstrap}",
        # Faust lets BROKER_URL and many more variables override its arguments.
        env={},
        processing_guarantee="exactly_once",
        store="memory://",
        table_standby_replicas=0,
        topic_disable_leader=True,
        topic_replication_factor=1,
        broker_commit_interval=int(commit_ms) / 1_000,
        producer_compression_type="lz4",
        producer_linger=0.05,  # twice as fast as the default, which waits for nothing
        datadir=folder / "state",
    )
    readings = app.topic(source, key_serializer="raw", value_serializer="json", allow_empty=True)
    means = app.topic(target, key_type=str, value_serializer="json")
    table = app.Table("sums", default=lambda: (0.0, 0), partitions=int(partitions))
    lasting_s = (WINDOW_MS + GRACE_MS) / 1_000
    windows: Any = table.tumbling(WINDOW_MS / 1_000, expires=lasting_s)  # its type lacks methods
    sums = windows.relative_to(event_time)
    began = folder / "began"

    async def take(stream: Any) -> None:  # noqa: ANN401  (Faust's streams are of what it decodes)
        events: AsyncIterator[Any] = stream.events()
        async for event in events:
            if not began.exists():
                began.write_text(str(time.monotonic()), encoding="ascii")
            if (reading := event.value) is None:  # a tick: time here moves by readings alone
                continue
            device, time_ms = reading["device"], reading["event_time_ms"]
            total, count = sums[device].value()
            total, count = total + reading["value"], count + 1
            sums[device] = (total, count)
            mean = {
                "device": device,
                "window_start_ms": time_ms - time_ms % WINDOW_MS,
                "mean": total / count,
                "count": count,
            }
            await means.send(key=device, value=mean)

    app.agent(readings)(take)
    # Only Faust's own command line makes it exactly once.
    sys.argv[1:] = ["worker", "--loglevel", "warn", "--without-web"]
    app.main()


if __name__ == "__main__":
    main()
