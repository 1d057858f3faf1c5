"""Runs the device view in this process until it is told to stop."""

import asyncio
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING, Final

from schemas.errors import BrokerError, StackError
from schemas.settings import KafkaSettings, Settings
from schemas.topics import DEVICES_CHANGELOG
from streams.devices.changelog import SOURCES
from streams.devices.logs import log_warnings
from streams.kafka import existing_topics, require_topics
from streams.metrics import StageMetrics

if TYPE_CHECKING:
    import faust

_BEAT_S: Final = 1.0
_STOP_TIMEOUT_S: Final = 15.0
"""Time for Faust to commit and to leave its group; what is left undone, a restart repeats."""


def run_devices(settings: Settings, metrics: StageMetrics) -> int:
    """Keep the device view and serve it, until SIGTERM or SIGINT; 0 after either.

    Only warnings are logged, to stderr. Files go to ``settings.home / "faust"``.

    Raises:
        BrokerError: Kafka is away, lacks a topic, or has topics that do not fit together.
        StackError: the web view's port cannot be had, or Faust broke off.
    """
    require_topics(settings.kafka, SOURCES)
    partitions = _common_partitions(settings.kafka)
    log_warnings()
    asyncio.run(_serve(settings, partitions, metrics))
    return 0


def _common_partitions(settings: KafkaSettings) -> int:
    """How many partitions the topics, and the changelog if it exists, have each.

    Raises:
        BrokerError: they differ, so that a site's records would not stay together.
    """
    there = existing_topics(settings)
    counts = {name: there[name] for name in (*SOURCES, DEVICES_CHANGELOG) if name in there}
    if len(set(counts.values())) > 1:
        raise BrokerError(
            "the device view needs topics with equally many partitions",
            problems=[f"{name} has {count}" for name, count in counts.items()],
            hint="delete the one that differs, and start again",
        )
    return next(iter(counts.values()))


async def _serve(settings: Settings, partitions: int, metrics: StageMetrics) -> None:
    """The app from start to stop; returns when a signal comes."""
    told_to_stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Who supervises stages has them ignore Ctrl-C.
        if signal.getsignal(number) is not signal.SIG_IGN:
            asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
    app = _build(settings, partitions, metrics)
    from streams.devices.web import is_ready  # Faust, once it has been imported as it must

    metrics.health.require(lambda: None if is_ready(app) else "its table is being read back")
    living = asyncio.create_task(_live(app, settings))
    beating = asyncio.create_task(_beat(metrics))
    stopping = asyncio.create_task(told_to_stop.wait())
    try:
        await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not told_to_stop.is_set():
            await living  # raises: it never ends well
    finally:
        await _stop(app)
        living.cancel()
        beating.cancel()
        stopping.cancel()


async def _beat(metrics: StageMetrics) -> None:
    """Show that the event loop turns."""
    while True:
        metrics.health.turned()
        await asyncio.sleep(_BEAT_S)


def _build(settings: Settings, partitions: int, metrics: StageMetrics) -> "faust.App":
    """The app. Faust, when imported, looks for its own options in ours: it finds none."""
    given, sys.argv = sys.argv, sys.argv[:1]
    try:
        from streams.devices.app import build_app
    finally:
        sys.argv = given
    return build_app(settings, partitions, metrics)


async def _live(app: "faust.App", settings: Settings) -> None:
    """Start, and wait until Faust breaks off.

    Raises:
        StackError: always; it says why.
    """
    try:
        app.conf.datadir.mkdir(parents=True, exist_ok=True)
        await app.start()
        await app.wait_until_stopped()
    except OSError as error:
        web = settings.devices
        hint = f"if something else listens on {web.host}:{web.port}, set GRIDLOOM_DEVICES__PORT"
        raise StackError(f"the device view cannot start: {error}", hint=hint) from error
    raise StackError(f"the device view broke off: {app.crash_reason!r}") from app.crash_reason


async def _stop(app: "faust.App") -> None:
    """Stop in order; where that takes too long, end the process.

    Faust waits for a broker that does not answer, and shields its waits from being cancelled:
    nothing gentler ends it. It loses nothing, as a restart begins at what was committed.
    """
    _, late = await asyncio.wait({asyncio.create_task(app.stop())}, timeout=_STOP_TIMEOUT_S)
    if late:
        logging.getLogger(__name__).warning("the device view did not stop in order")
        os._exit(1)
