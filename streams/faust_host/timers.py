"""Work at fixed steps of the pipeline clock, whatever its speed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from streams.clocks import RunningClock, wall_ms

log = logging.getLogger(__name__)

Act = Callable[[int], Awaitable[None]]
"""Told the step's time [ms of pipeline time]."""


async def keep_time(clock: RunningClock, step_ms: int, act: Act) -> None:
    """Call ``act`` whenever the clock passes a multiple of ``step_ms`` [ms], for ever.

    Where it takes longer than a step, the steps passed over are left out: only the newest counts.
    One that fails is logged, and the next one comes all the same.
    """
    done = clock.now_ms() // step_ms
    while True:
        due_ms = clock.clock.append_time_of((done + 1) * step_ms)
        await asyncio.sleep(max(0, due_ms - wall_ms()) / 1000)
        now = clock.now_ms() // step_ms
        if now <= done:
            continue
        done = now
        try:
            await act(done * step_ms)
        except Exception:
            log.exception("a timer's work failed")
