"""A stage on the Faust host that works for sites, run by its tests as a process of its own.

``python -m tests.support.faust_work KAFKA WEB_PORT METRICS_PORT FOLDER GRACE_S``
"""

import asyncio
import os
import sys
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from schemas.clock import PipelineClock
from schemas.messages import Decoder
from schemas.settings import KafkaSettings, MetricsSettings, Settings
from streams.clocks import RunningClock
from streams.faust_host.executors import SiteExecutors
from streams.faust_host.running import FaustHost
from streams.faust_host.timers import keep_time
from streams.logs import log_to_stderr
from streams.metrics import serve

if TYPE_CHECKING:
    import faust
    from faust.types import EventT
    from faust.web import Request, Response, View

ORDERS = "test.orders"
PARTITIONS = 2
PROCESSES = 2
STEP_MS = 1_000
SPEED = 50.0


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for a site.

    Attributes:
        until: file to wait for, inside the work; none by default.
        fail: whether the host's own handler fails on it.
        die: whether the process that does it dies.
    """

    site: str
    until: str = ""
    fail: bool = False
    die: bool = False


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What was done for a site, with the place of the last record that counted."""

    done: int = 0
    offset: int = -1
    pids: tuple[int, ...] = ()
    compiled: int = 0


_ORDER: Decoder[Order] = Decoder(Order)
_ROW = msgspec.json.Decoder(Row)
_compiled: list[str] = []


@cache
def compiled(site: str) -> str:
    """Stands for a problem whose compilation takes seconds."""
    _compiled.append(site)
    return site


def work(order: Order) -> tuple[int, int]:
    """Busy until its file is there: the process, and how often it has compiled the site."""
    compiled(order.site)
    if order.die:
        os._exit(9)
    while order.until and not Path(order.until).exists():
        sum(range(10_000))
    return os.getpid(), _compiled.count(order.site)


def main(bootstrap: str, web_port: int, metrics_port: int, folder: Path, grace_s: float) -> None:
    """Run the stage until SIGTERM."""
    log_to_stderr("devices")
    settings = Settings(
        kafka=KafkaSettings(bootstrap_servers=bootstrap),
        metrics=MetricsSettings(port=metrics_port),
    )
    metrics = serve(settings, "devices")
    executors = SiteExecutors(PROCESSES)
    steps: list[int] = []

    def build() -> "faust.App":
        from streams.faust_host.agents import Agents
        from streams.faust_host.app import WebPlace, host_app
        from streams.faust_host.transport import TrackedTable

        app = host_app("test-work", settings.kafka, WebPlace("127.0.0.1", web_port), folder)
        table = app.Table("rows", key_type=bytes, value_type=bytes, partitions=PARTITIONS)
        rows = cast("TrackedTable", table)

        async def take(event: "EventT[Any]") -> None:
            order, offset = _ORDER.decode(event.message.value), event.message.offset
            if order.fail:
                message = "it was asked to fail"
                raise RuntimeError(message)
            pid, times = await executors.run(order.site, work, order)
            before = _ROW.decode(rows.get(order.site.encode()) or b"{}")
            if offset > before.offset:
                pids = tuple(sorted({*before.pids, pid}))
                row = Row(done=before.done + 1, offset=offset, pids=pids, compiled=times)
                rows[order.site.encode()] = msgspec.json.encode(row)

        Agents(app, "devices", settings.kafka, metrics).add_by_key(ORDERS, take, most=8)

        @app.page("/rows")
        async def show(view: "View", _request: "Request") -> "Response":
            found = {key.decode(): msgspec.Raw(value) for key, value in rows.items()}
            return view.bytes(msgspec.json.encode(found), content_type="application/json")

        @app.page("/steps")
        async def show_steps(view: "View", _request: "Request") -> "Response":
            return view.bytes(msgspec.json.encode(steps), content_type="application/json")

        now_ms = time.time_ns() // 1_000_000
        clock = RunningClock(PipelineClock(append_origin_ms=now_ms, speed=SPEED))

        async def step(time_ms: int) -> None:
            steps.append(time_ms)
            if len(steps) == 2:
                message = "the second step fails"
                raise RuntimeError(message)
            await asyncio.sleep(0)

        app.task(lambda: keep_time(clock, STEP_MS, step))
        return app

    async def finish() -> None:
        await executors.stop(grace_s)

    FaustHost("the work", metrics, build, "WEB_PORT", finish).run()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]), float(sys.argv[5]))
