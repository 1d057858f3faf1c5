"""Runs a Faust app in this process until it is told to stop."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final

from schemas.errors import StackError
from streams.faust_host.logs import log_warnings
from streams.metrics import StageMetrics

if TYPE_CHECKING:
    import faust

log = logging.getLogger(__name__)

_BEAT_S: Final = 1.0
_STOP_TIMEOUT_S: Final = 15.0
"""Time for Faust to commit and to leave its group; what is left undone, a restart repeats."""

Finish = Callable[[], Awaitable[None]]
"""Finishes, or gives back, what was begun; called before Faust stops."""


async def _nothing() -> None:
    """Nothing is left to finish."""


class FaustHost:
    """One Faust app as a stage.

    Args:
        name: the stage in words, as "the device view".
        metrics: show its health, and how far it is behind.
        build: makes the app, within the event loop; Faust may be imported only then.
        web_setting: the variable that sets the port of its pages.
        finish: finishes what runs outside the app.
    """

    def __init__(
        self,
        name: str,
        metrics: StageMetrics,
        build: "Callable[[], faust.App]",
        web_setting: str,
        finish: Finish = _nothing,
    ) -> None:
        self._name = name
        self._metrics = metrics
        self._build = build
        self._web_setting = web_setting
        self._finish = finish

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Only warnings are logged.

        Raises:
            StackError: the web view's port cannot be had, or Faust broke off.
        """
        log_warnings()
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        """The app from start to stop; returns when a signal comes."""
        told_to_stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            # Who supervises stages has them ignore Ctrl-C.
            if signal.getsignal(number) is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
        app = self._built()
        living = asyncio.create_task(self._live(app))
        stopping = asyncio.create_task(told_to_stop.wait())
        beating = asyncio.create_task(self._beat(app))
        try:
            await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if not told_to_stop.is_set():
                await living  # raises: it never ends well
        finally:
            await self._finish()
            await self._stop(app)
            for task in (living, stopping, beating):
                task.cancel()

    def _built(self) -> "faust.App":
        """The app. Faust, when imported, looks for its own options in ours: it finds none."""
        given, sys.argv = sys.argv, sys.argv[:1]
        try:
            pass
        finally:
            sys.argv = given
        return self._build()

    async def _beat(self, app: "faust.App") -> None:
        """Show that the event loop turns, and how far the app is behind."""
        from streams.faust_host.app import is_ready
        from streams.faust_host.lag import lags

        self._metrics.health.require(
            lambda: None if is_ready(app) else "its tables are being read back"
        )
        while True:
            self._metrics.health.turned()
            self._metrics.take_lags(lags(app))
            await asyncio.sleep(_BEAT_S)

    async def _live(self, app: "faust.App") -> None:
        """Start, and wait until Faust breaks off.

        Raises:
            StackError: always; it says why.
        """
        try:
            app.conf.datadir.mkdir(parents=True, exist_ok=True)
            await app.start()
            await app.wait_until_stopped()
        except OSError as error:
            place = f"{app.conf.web_bind}:{app.conf.web_port}"
            hint = f"if something else listens on {place}, set {self._web_setting}"
            raise StackError(f"{self._name} cannot start: {error}", hint=hint) from error
        raise StackError(f"{self._name} broke off: {app.crash_reason!r}") from app.crash_reason

    async def _stop(self, app: "faust.App") -> None:
        """Stop in order; where that takes too long, end the process.

        Faust waits for a broker that does not answer, and shields its waits from being
        cancelled: nothing gentler ends it. It loses nothing, as a restart begins at what was
        committed.
        """
        _, late = await asyncio.wait({asyncio.create_task(app.stop())}, timeout=_STOP_TIMEOUT_S)
        if late:
            log.warning("%s did not stop in order", self._name)
            os._exit(1)
