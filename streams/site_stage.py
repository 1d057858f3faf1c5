"""The host of stages that decide per site: dispatch, gate and actuate.

A stage is a pure function of one record and the site's state. The host reads committed
records, calls it, and writes outputs, changed states and offsets in one transaction. States
live in a compacted topic with the partitioning of the input, so they move with their sites.
"""

import logging
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from typing import Generic, Protocol, TypeVar

import msgspec
from confluent_kafka import Message, TopicPartition
from msgspec.structs import replace

from schemas.errors import MessageError
from schemas.messages import encode
from schemas.settings import KafkaSettings
from schemas.topics import DEAD_LETTERS, TopicSpec
from streams.clocks import wall_ms
from streams.dead_letters import letter_for
from streams.kafka import read_table, require_topics
from streams.logs.lines import about_record
from streams.membership import GroupMember
from streams.metrics import Hop, StageMetrics
from streams.stages import run_until_stopped
from streams.tracing import TraceContext, context_in
from streams.transactions import Output, Transactions

log = logging.getLogger(__name__)

StateT = TypeVar("StateT", bound=msgspec.Struct)

BATCH_RECORDS = 500
WAIT_S = 0.05


class SiteDecider(Protocol[StateT]):
    """What a stage decides. ``decide`` may be called again with the same input after a crash.

    Attributes:
        name: of the stage.
        hop: what the time from a record to the outputs that answer it is called.
        inputs: topics that it reads.
        state_topic: keeps what it remembers of every site.
    """

    name: str
    hop: Hop
    inputs: tuple[TopicSpec, ...]
    state_topic: TopicSpec

    def load_state(self, value: bytes) -> StateT:
        """A site's state as it was written."""
        ...

    def decide(
        self, topic: str, value: bytes | None, state: StateT | None
    ) -> tuple[Sequence[Output], StateT | None]:
        """Outputs for one record, and the site's new state (None: unchanged).

        Raises:
            MessageError: the record cannot be understood; it becomes a dead letter.
        """
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


class SiteStage(Generic[StateT]):
    """Hosts a :class:`SiteDecider` in one process."""

    def __init__(
        self,
        settings: KafkaSettings,
        decider: SiteDecider[StateT],
        slot: int,
        metrics: StageMetrics,
    ) -> None:
        topics = [spec.name for spec in decider.inputs]
        require_topics(settings, [*topics, decider.state_topic.name])
        self._settings = settings
        self._decider = decider
        self._states: dict[int, dict[str, StateT]] = {}
        self._metrics = metrics
        metrics.health.require(lambda: None if self._member.owned else "it has no partitions yet")
        self._transactions = Transactions(settings, decider.name, slot, metrics)
        self._member = GroupMember(
            settings, decider.name, slot, topics, self, metrics.take_statistics
        )

    def run(self) -> None:
        """Decide until the process is asked to stop."""
        run_until_stopped(self.step, self.close, self._metrics.health.turned)

    def step(self) -> None:
        """Take what has arrived, decide, commit."""
        messages = self._member.take(BATCH_RECORDS, WAIT_S)
        if not messages:
            return
        self._metrics.took(messages)
        outputs: list[Output] = []
        answered: list[Message] = []
        traced: list[tuple[Message, list[tuple[TraceContext, bytes]]]] = []
        changed: dict[tuple[int, str], StateT] = {}
        offsets: dict[tuple[str, int], int] = {}
        for message in messages:
            self._metrics.health.turned()  # a batch may take minutes to solve
            partition, topic = message.partition() or 0, str(message.topic())
            if partition in self._states:
                decided = self._decide(message, partition, changed)
                carried = list(_carried_on(message, decided))
                outputs += [output for output, _ in carried]
                traced.append((message, [(trace, one.value) for one, trace in carried if trace]))
                if any(output.topic != DEAD_LETTERS.name for output in decided):
                    answered.append(message)
                offsets[topic, partition] = (message.offset() or 0) + 1
        self._commit(outputs, changed, offsets)
        now_ms = wall_ms()
        self._metrics.passed_since(self._decider.hop, answered, now_ms)
        for message, answers in traced:
            self._metrics.spans.answers(self._decider.hop, message, answers, now_ms)

    def _decide(
        self, message: Message, partition: int, changed: dict[tuple[int, str], StateT]
    ) -> Sequence[Output]:
        key, value = message.key(), message.value()
        site = key.decode(errors="replace") if isinstance(key, bytes) else str(key)
        original = value if isinstance(value, bytes) else None
        try:
            outputs, state = self._decider.decide(
                str(message.topic()), original, self._states[partition].get(site)
            )
        except MessageError as error:
            log.warning("dead letter: %s", error, extra=about_record(message, site))
            problems = (error.message, *error.problems)
            letter = letter_for(self._decider.name, message, problems, site)
            return [Output(DEAD_LETTERS.name, site, encode(letter))]
        if state is not None:
            self._states[partition][site] = state
            changed[partition, site] = state
        return outputs

    def _commit(
        self,
        outputs: list[Output],
        changed: dict[tuple[int, str], StateT],
        offsets: dict[tuple[str, int], int],
    ) -> None:
        for (partition, site), state in changed.items():
            outputs.append(Output(self._decider.state_topic.name, site, encode(state), partition))
        ends = [TopicPartition(topic, part, offset) for (topic, part), offset in offsets.items()]
        if ends:
            self._transactions.commit(outputs, ends, self._member.consumer)
            self._member.note_committed(ends)

    def close(self) -> None:
        """Leave the group; everything decided is committed already."""
        self._member.close()
        self._decider.close()

    def take_over(self, kept: AbstractSet[int], new: AbstractSet[int]) -> None:
        """Load the states of new partitions; see :class:`streams.membership.PartitionHost`."""
        states = {number: self._states[number] for number in kept}
        self._states = states | {number: self._load(number) for number in sorted(new)}

    def start_of(self, committed: TopicPartition) -> int:
        """Everything before the committed offset is decided."""
        return committed.offset

    def _load(self, number: int) -> dict[str, StateT]:
        topic = self._decider.state_topic.name
        table = read_table(self._settings, topic, number, f"{self._decider.name}.state")
        return {site: self._decider.load_state(value) for site, value in table.items()}


def _carried_on(
    message: Message, outputs: Sequence[Output]
) -> Iterator[tuple[Output, TraceContext | None]]:
    """Outputs that carry on the trace of the record which they answer, with their spans."""
    trace = context_in(message) if outputs else None
    for number, output in enumerate(outputs):
        span = trace and trace.child(f"{output.topic}/{output.key}/{number}")
        yield (replace(output, headers=span.headers), span) if span else (output, None)
