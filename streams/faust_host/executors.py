"""Heavy work in processes of its own, away from the event loop; a site always in the same one.

So the loop goes on answering Kafka and whoever asks over HTTP, and what a process keeps for a
site (a compiled problem, a trained model) is made once.
"""

import asyncio
import logging
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Final, ParamSpec, TypeVar

from deploy.tether import die_with_parent
from schemas.identity import partition_of

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_SPAWN: Final = multiprocessing.get_context("spawn")
"""A fork would copy Kafka's clients without the threads that they need."""


class SiteExecutors:
    """Single-process executors; which of them does a site's work follows from its name.

    Args:
        processes: how many there are.
    """

    def __init__(self, processes: int) -> None:
        self._executors = [_executor() for _ in range(processes)]
        self._running: set[asyncio.Future[Any]] = set()
        self._stopping = False

    async def run(
        self, site: str, work: Callable[P, T], *arguments: P.args, **named: P.kwargs
    ) -> T:
        """What ``work`` returns, done in the site's process; what comes later for it waits.

        A process that dies in the middle is replaced, and the work is done again, once.

        Args:
            site: whose work it is.
            work: a function of a module, as it has to be found again in the process.
            arguments: sent there, like what comes back, by pickling.
            named: likewise.

        Where the host stops, it never returns: who waits is cancelled, the record stays
        uncommitted, and is done again after the next start.

        Raises:
            BrokenProcessPool: the process died of it, twice.
        """
        place = partition_of(site, len(self._executors))
        try:
            return await self._submitted(place, work, *arguments, **named)
        except BrokenProcessPool:
            log.warning("a process died over the work of %s; it is tried again", site)
            return await self._submitted(place, work, *arguments, **named)

    async def _submitted(
        self, place: int, work: Callable[P, T], *arguments: P.args, **named: P.kwargs
    ) -> T:
        executor = self._executors[place]
        try:
            if not self._stopping:
                future = asyncio.wrap_future(executor.submit(work, *arguments, **named))
                self._running.add(future)
                future.add_done_callback(self._running.discard)
                return await future
        except BrokenProcessPool:
            if not self._stopping:
                if self._executors[place] is executor:  # others of its sites may have been faster
                    self._executors[place] = _executor()
                raise
        return await _never()

    async def stop(self, grace_s: float) -> None:
        """Take no more work, and let what runs finish for so long [s]; the rest is given back."""
        self._stopping = True
        if self._running:
            await asyncio.wait(set(self._running), timeout=grace_s)
        for child in multiprocessing.active_children():
            child.kill()
        for executor in self._executors:
            await asyncio.to_thread(executor.shutdown)


async def _never() -> T:
    """Until who waits is cancelled."""
    future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
    return await future


def _executor() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=1, mp_context=_SPAWN, initializer=_begin, initargs=(os.getpid(),)
    )


def _begin(parent_pid: int) -> None:
    """Of the process: it ends with its host, and leaves Ctrl-C to it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(parent_pid)
