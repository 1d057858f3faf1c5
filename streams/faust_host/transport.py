"""Faust's Kafka driver, with what exactly_once needs put right (found in faust 0.15.3).

1. *Recovery can restore nothing.* In transactions the driver takes a changelog's end from what
   its fetcher happens to have seen; before the first fetch that is unknown, counts as empty,
   and the table starts blank. And as a changelog in transactions ends with a marker that is
   never delivered, recovery waits 10 s for a last record. Here the end is looked up.
2. *Recovery lets go too early.* Topics are taken up again before they are set to what is
   committed. Some records then are taken twice, others not at all. Here the seek comes first.
3. *Offsets stand still.* Transactions leave gaps in the offsets (markers, aborted records).
   The driver's book of gaps overlooks one after offset 0, and enters the record after a gap
   twice, at which a commit stops: each advances by one gap, however many there are. Memory
   grows, and a restart reads all that is left again. Here the book is of what was delivered.
4. *A commit can overtake a change.* Changes of a table wait in a buffer that a commit in
   transactions does not drain: the offset is committed, the change only by the next
   transaction. Here a commit waits for them.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from functools import cached_property
from typing import Any

import faust
from faust.exceptions import ProducerSendError
from faust.transport.drivers import aiokafka
from faust.types import TP, AppT, CodecArg
from faust.types.tuples import FutureMessage, Message
from yarl import URL

from schemas.settings import KafkaSettings
from streams.faust_host.offsets import committed_ends

GiveBack = Callable[[], Awaitable[Iterable[Message]]]
"""Lets go of records under way, without acknowledging them, and tells which they were."""


class TrackedTable(faust.Table[bytes, bytes]):
    """A table that knows which of its changes Kafka has not taken yet."""

    @cached_property
    def unsent(self) -> set[asyncio.Future[Any]]:
        """Changes that are under way, or were refused."""
        return set()

    def send_changelog(
        self,
        partition: int | None,
        key: bytes,
        value: bytes,
        key_serializer: CodecArg = None,
        value_serializer: CodecArg = None,
    ) -> FutureMessage:
        """Send a change; see :class:`faust.Table`."""
        change = super().send_changelog(partition, key, value, key_serializer, value_serializer)
        self.unsent.add(change)
        change.add_done_callback(self._done)
        return change

    def _done(self, change: asyncio.Future[Any]) -> None:
        if not change.cancelled() and change.exception() is None:
            self.unsent.discard(change)


class TransactionalConsumer(aiokafka.Consumer):
    """Faust's consumer with the repairs named above."""

    transport: "TransactionalTransport"

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int]:
        """Offset after the last committed record of every partition."""
        ends = await asyncio.to_thread(committed_ends, self.transport.kafka, partitions)
        return {partition: ends[partition] for partition in partitions}

    @cached_property
    def _waiting(self) -> set[TP]:
        """Partitions that were taken up again, but not yet set to what is committed."""
        return set()

    @cached_property
    def _delivered(self) -> defaultdict[TP, deque[int]]:
        """Offsets handed to the agents since the last seek and not committed, in order."""
        return defaultdict(deque)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Message]]:  # noqa: ASYNC109
        """Records as they come; what an agent will acknowledge is noted."""
        async for partition, message in super().getmany(timeout):
            if self.app.topics.acks_enabled_for(message.topic):
                self._delivered[partition].append(message.offset)
            yield partition, message

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Take changelogs up again at once, the topics that agents read after the next seek."""
        partitions = set(tps)
        self._waiting |= {tp for tp in partitions if not self._is_changelog_tp(tp)}
        super().resume_partitions(partitions - self._waiting)

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """Take no more from these partitions."""
        partitions = set(tps)
        self._waiting -= partitions
        super().pause_partitions(partitions)

    async def perform_seek(self) -> None:
        """Go back to what is committed; everything after it is delivered again."""
        await super().perform_seek()
        self._delivered.clear()
        super().resume_partitions(self._waiting)
        self._waiting.clear()

    def _new_offset(self, tp: TP) -> int | None:
        """Offset after the last record before which all that was delivered is done with."""
        delivered, done = self._delivered[tp], self._acked_index[tp]
        newest: int | None = None
        while delivered and delivered[0] in done:
            newest = delivered.popleft()
        if newest is None:
            return None
        self._acked[tp] = [offset for offset in self._acked[tp] if offset > newest]
        done.intersection_update(self._acked[tp])
        return newest + 1

    def lags(self) -> dict[tuple[str, ...], int]:
        """Records that no agent is done with yet, by topic and partition; unknown ones absent.

        Markers of transactions among what was not fetched yet count, too.
        """
        client = self._thread._consumer  # noqa: SLF001  Faust shows it nowhere
        held = None if client is None else client._subscription.subscription  # noqa: SLF001  so does aiokafka
        if held is None or held.assignment is None:
            return {}
        found: dict[tuple[str, ...], int] = {}
        for place in held.assignment.tps:
            state = held.assignment.state_value(place)
            is_known = state is not None and state.lso is not None and state.has_valid_position
            if is_known and self.app.topics.acks_enabled_for(place.topic):
                tp = TP(place.topic, place.partition)
                begun = max(0, len(self._delivered[tp]) - len(self._acked_index[tp]))
                found[tp.topic, str(tp.partition)] = max(0, state.lso - state.position) + begun
        return found

    async def wait_empty(self) -> None:
        """Wait for what agents have begun, but for what they can give back, and commit.

        Faust calls it before it lets go of partitions; by then nothing new reaches an agent.
        """
        for give_back in self.transport.unfinished:
            self._unacked_messages -= set(await give_back())
        await super().wait_empty()

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps need no book: nothing was delivered in them."""

    async def _handle_attached(self, commit_offsets: Mapping[TP, int]) -> None:
        await super()._handle_attached(commit_offsets)
        tables = (table for table in self.app.tables.values() if isinstance(table, TrackedTable))
        if unsent := {change for table in tables for change in table.unsent}:
            await asyncio.wait(unsent)
            # A refused change stays in the set: a commit without it would lose it.
            if refused := [change for change in unsent if change.cancelled() or change.exception()]:
                raise ProducerSendError(f"Kafka did not take a change of a table: {refused[0]!r}")


class TransactionalTransport(aiokafka.Transport):
    """Faust's transport with :class:`TransactionalConsumer`.

    Attributes:
        unfinished: called for what agents have begun and can give back.
    """

    Consumer = TransactionalConsumer

    def __init__(self, urls: list[URL], app: AppT, kafka: KafkaSettings) -> None:
        super().__init__(urls, app)
        self.kafka = kafka
        self.unfinished: list[GiveBack] = []
