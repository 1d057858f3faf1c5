"""The newest plans in Kafka that somebody cares about, and the gate's verdicts on them."""

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Message as Record

from schemas.dispatch_plan import DispatchPlan
from schemas.errors import MessageError
from schemas.messages import Decoder
from schemas.settings import KafkaSettings
from schemas.topics import PLANS, VERDICTS
from schemas.verdict import Verdict
from streams.explaining.collecting import AROUND_MS
from streams.explaining.logs import log_ms_of, read_backwards, read_from, value_of
from streams.kafka import existing_topics

LOOK_BACK: Final = 20_000
"""How many plans of a partition are looked through at most (ours): a day of one site."""

_PLAN: Final[Decoder[DispatchPlan]] = Decoder(DispatchPlan)
_VERDICT: Final[Decoder[Verdict]] = Decoder(Verdict)


@dataclass(frozen=True, slots=True)
class FoundPlan:
    """A plan and where it stands; ``log_ms`` is its record's stamp [ms of wall time]."""

    plan: DispatchPlan
    partition: int
    log_ms: int


def newest_plans(
    settings: KafkaSettings, most: int, is_wanted: Callable[[DispatchPlan], bool]
) -> list[FoundPlan]:
    """The newest plans that are wanted, over all partitions, newest window first.

    Raises:
        BrokerError: Kafka cannot be read.
    """
    partitions = existing_topics(settings).get(PLANS.name, 0)
    found = [
        plan
        for partition in range(partitions)
        for plan in _newest_of(settings, partition, most, is_wanted)
    ]
    return heapq.nlargest(most, found, key=lambda each: each.plan.window_start_ms)


def outcomes_since(settings: KafkaSettings, plans: Iterable[FoundPlan]) -> dict[str, str]:
    """The gate's outcome for each of these plans, by decision id, where there is one.

    Raises:
        BrokerError: Kafka cannot be read.
    """
    outcomes: dict[str, str] = {}
    starts: dict[int, int] = {}
    for each in plans:
        starts[each.partition] = min(each.log_ms, starts.get(each.partition, each.log_ms))

    def take(topic: str, record: Record) -> bool:
        del topic
        try:
            verdict = _VERDICT.decode(value_of(record))
        except MessageError:
            return False
        outcomes[verdict.decision_id] = str(verdict.__struct_config__.tag)
        return False

    if VERDICTS.name in existing_topics(settings):
        for partition, log_ms in starts.items():
            read_from(settings, {VERDICTS.name: partition}, log_ms - AROUND_MS, take)
    return outcomes


def _newest_of(
    settings: KafkaSettings,
    partition: int,
    most: int,
    is_wanted: Callable[[DispatchPlan], bool],
) -> list[FoundPlan]:
    """The newest wanted plans of one partition."""
    found: list[FoundPlan] = []
    for chunk in read_backwards(settings, PLANS.name, partition, LOOK_BACK):
        decoded = [(_decoded(record), log_ms_of(record)) for record in chunk]
        found = [
            FoundPlan(plan, partition, log_ms)
            for plan, log_ms in decoded
            if plan is not None and is_wanted(plan)
        ] + found
        if len(found) >= most:
            break
    return found[-most:]


def _decoded(record: Record) -> DispatchPlan | None:
    """The plan in a record; None where it is no plan, which only its stages have to report."""
    try:
        return _PLAN.decode(value_of(record))
    except MessageError:
        return None
