"""Agents that no record can stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, cast

import faust
from faust.types import EventT, StreamT, TopicT
from faust.types.tuples import Message

from schemas.dead_letter import DeadLetter, as_base64
from schemas.errors import MessageError
from schemas.settings import KafkaSettings
from streams.dead_letters import LetterWriter
from streams.faust_host.transport import TransactionalTransport
from streams.logs.lines import about
from streams.metrics import StageMetrics

log = logging.getLogger(__name__)

Handle = Callable[[EventT[Any]], Awaitable[None] | None]
"""Takes one record. It may be called again with the same record after a crash: a row of a table
that holds the record's place knows it (see ``streams/devices/view.py``)."""


class Agents:
    """Adds agents to an app; each record that one cannot take is buried, and it goes on.

    Args:
        app: where they run.
        stage: names itself in dead letters.
        kafka: where dead letters are written.
        metrics: count what is taken, and what is buried.
    """

    def __init__(
        self, app: faust.App, stage: str, kafka: KafkaSettings, metrics: StageMetrics
    ) -> None:
        self._app = app
        self._stage = stage
        self._metrics = metrics
        self._letters = LetterWriter(kafka, stage, metrics)

    def add(self, topic: str, handle: Handle) -> None:
        """Hand every committed record of a topic to ``handle``, one after the other."""

        async def take(stream: StreamT[bytes]) -> None:
            async for event in stream.events():
                self._metrics.consumed(topic, 1)
                await self._handed(event, handle)

        self._app.agent(raw_topic(self._app, topic), name=f"take {topic}")(take)

    def add_by_key(self, topic: str, handle: Handle, most: int) -> None:
        """The same, one after the other for each key (site), and ``most`` at once in all.

        A record is acknowledged when it is done with, and offsets are committed up to the first
        that is not. So after a crash some that were done come again: their rows know them.
        """
        lanes = _Lanes(most)
        cast("TransactionalTransport", self._app.transport).unfinished.append(lanes.give_back)

        # Faust's interface of streams lacks `noack`.
        async def take(stream: Any) -> None:  # noqa: ANN401
            async for event in stream.noack().events():
                self._metrics.consumed(topic, 1)
                await lanes.enter(event, lambda event: self._handed(event, handle))

        self._app.agent(raw_topic(self._app, topic), name=f"take {topic}")(take)

    async def _handed(self, event: EventT[Any], handle: Handle) -> None:
        try:
            work = handle(event)
            if work is not None:
                await work
        except Exception as error:  # noqa: BLE001  one record may not stop the others
            await self._bury(event, error)

    async def _bury(self, event: EventT[Any], error: Exception) -> None:
        """Make a dead letter of a record, and see it safe in Kafka before the record is done with.

        A crash in between repeats it, as it does store's.
        """
        message = event.message
        place = about(topic=message.topic, partition=message.partition, offset=message.offset)
        if isinstance(error, MessageError):
            reasons: tuple[str, ...] = (error.message, *error.problems)
            log.warning("dead letter: %s", error, extra=place)
        else:
            reasons = (f"{self._stage} fails on it: {error!r}",)
            log.error("dead letter: a defect", exc_info=error, extra=place)
        letter = DeadLetter(
            stage=self._stage,
            origin=message.topic,
            partition=message.partition,
            position=message.offset,
            readings=0,
            errors=reasons,
            original_base64=as_base64(message.value),
        )
        self._letters.send(letter)
        await asyncio.to_thread(self._letters.flush)


class _Lanes:
    """Records under way: in the order of the log within a key, side by side otherwise."""

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._last: dict[bytes | None, asyncio.Task[None]] = {}
        self._tasks: dict[asyncio.Task[None], Message] = {}
        self._failure: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def enter(
        self, event: EventT[Any], handle: Callable[[EventT[Any]], Awaitable[None]]
    ) -> None:
        """Begin with a record as soon as there is room; waits until then.

        Raises:
            BrokerError: an earlier one could be neither handled nor buried.
        """
        if self._failure.done():
            await self._failure
        await self._free.acquire()
        before = self._last.get(event.message.key)
        task = asyncio.create_task(self._take(event, handle, before))
        self._tasks[task] = event.message
        self._last[event.message.key] = task
        task.add_done_callback(self._left)

    async def give_back(self) -> list[Message]:
        """Let go of everything under way; its records, which are delivered again."""
        given_back = dict(self._tasks)
        for task in given_back:
            task.cancel()
        if given_back:
            await asyncio.wait(given_back)
        return list(given_back.values())

    async def _take(
        self,
        event: EventT[Any],
        handle: Callable[[EventT[Any]], Awaitable[None]],
        before: asyncio.Task[None] | None,
    ) -> None:
        if before is not None:
            await asyncio.wait({before})
            before.result()  # one that was given back gives back those behind it
        await handle(event)
        event.ack()

    def _left(self, task: asyncio.Task[None]) -> None:
        self._free.release()
        self._tasks.pop(task, None)
        for key in [key for key, last in self._last.items() if last is task]:
            del self._last[key]
        error = None if task.cancelled() else task.exception()
        if error is not None and not self._failure.done():
            self._failure.set_exception(error)


def raw_topic(app: faust.App, name: str) -> TopicT:
    """A topic of undecoded records. The types alone are not enough: agents would read JSON."""
    return app.topic(
        name,
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        allow_empty=True,
    )
