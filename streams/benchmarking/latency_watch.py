"""When records can be read as committed, and when windows can be asked for."""

import threading
from dataclasses import dataclass, field
from typing import Final

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from schemas.dispatch_plan import DispatchPlan
from schemas.identity import partition_of
from schemas.messages import Decoder
from schemas.setpoint import Ack, Setpoint
from schemas.settings import KafkaSettings
from schemas.site_model import SiteModel
from schemas.site_window import SiteWindow
from schemas.topics import ACKS, PLANS, SITE_WINDOWS, VERDICTS, setpoint_topic
from schemas.verdict import Verdict
from schemas.windows import WINDOW_MS
from streams.clocks import wall_ms
from streams.historians.opening import Place
from streams.kafka import arrived, reader

ASK_EVERY_S: Final = 0.02
"""Time between two questions to the historian [s]; what is found is late by up to that."""

_WINDOW: Decoder[SiteWindow] = Decoder(SiteWindow)
_PLAN: Decoder[DispatchPlan] = Decoder(DispatchPlan)
_VERDICT: Decoder[Verdict] = Decoder(Verdict)
_SETPOINT: Decoder[Setpoint] = Decoder(Setpoint)
_ACK: Decoder[Ack] = Decoder(Ack)

Command = tuple[str, int]
"""Device and sequence number."""


@dataclass(slots=True)
class Sightings:
    """When each record was first read as committed, or found [ms of wall time].

    Attributes:
        windows, plans, verdicts, queryable: by start of the window [ms].
        commands, acks: by device and sequence number.
        decision_of: id of the decision that each command carries out.
        window_of: start of the window [ms] that each decision is about.
    """

    windows: dict[int, int] = field(default_factory=dict)
    plans: dict[int, int] = field(default_factory=dict)
    verdicts: dict[int, int] = field(default_factory=dict)
    queryable: dict[int, int] = field(default_factory=dict)
    commands: dict[Command, int] = field(default_factory=dict)
    acks: dict[Command, int] = field(default_factory=dict)
    decision_of: dict[Command, str] = field(default_factory=dict)
    window_of: dict[str, int] = field(default_factory=dict)


class Reading:
    """Reads a site's committed records as soon as they can be read.

    Args:
        settings: where Kafka is.
        model: the site.
        seen: filled.
    """

    def __init__(self, settings: KafkaSettings, model: SiteModel, seen: Sightings) -> None:
        self._seen = seen
        partition = partition_of(model.name, settings.partitions)
        per_site = (SITE_WINDOWS, PLANS, VERDICTS, ACKS)
        places = [TopicPartition(each.name, partition, OFFSET_BEGINNING) for each in per_site]
        places += [
            TopicPartition(setpoint_topic(name), 0, OFFSET_BEGINNING) for name in model.gateways
        ]
        self._consumer: Consumer = reader(settings, "latency", end_marks=False)
        self._consumer.assign(places)

    def poll(self, wait_s: float) -> None:
        """Note what has arrived; waits at most so long for the first record."""
        messages = arrived(self._consumer, 10_000, wait_s)
        at_ms = wall_ms()
        for message in messages:
            value = message.value()
            if message.error() is None and isinstance(value, bytes):
                self._note(message, value, at_ms)

    def _note(self, message: Message, value: bytes, at_ms: int) -> None:
        seen, topic = self._seen, message.topic()
        if topic == SITE_WINDOWS.name:
            seen.windows.setdefault(_WINDOW.decode(value).window_start_ms, at_ms)
        elif topic == PLANS.name:
            seen.plans.setdefault(_PLAN.decode(value).window_start_ms, at_ms)
        elif topic == VERDICTS.name:
            verdict = _VERDICT.decode(value)
            seen.verdicts.setdefault(verdict.window_start_ms, at_ms)
            seen.window_of[verdict.decision_id] = verdict.window_start_ms
        elif topic == ACKS.name:
            ack = _ACK.decode(value)
            seen.acks.setdefault((ack.device, ack.seq), at_ms)
        else:
            setpoint = _SETPOINT.decode(value)
            command = (setpoint.device, setpoint.seq)
            seen.commands.setdefault(command, at_ms)
            seen.decision_of[command] = setpoint.decision_id

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()


def ask_for_windows(
    place: Place, site: str, delay_ms: int, seen: Sightings, ended: threading.Event
) -> None:
    """Ask the historian for each window from when it is due, until it is in an answer.

    Args:
        place: the historian.
        site: whose windows.
        delay_ms: how long after its end a window is due [ms].
        seen: its ``queryable`` is filled, from the window after the first published one on.
        ended: when to leave.

    Raises:
        HistorianError: the historian fails.
    """
    while not seen.windows:
        if ended.wait(ASK_EVERY_S):
            return
    start_ms = max(seen.windows) + WINDOW_MS
    with place.open() as historian:
        while not ended.wait(max(0.0, (start_ms + WINDOW_MS + delay_ms - wall_ms()) / 1000)):
            while not historian.site_windows(site, start_ms, start_ms + WINDOW_MS):
                if ended.wait(ASK_EVERY_S):
                    return
            seen.queryable[start_ms] = wall_ms()
            start_ms += WINDOW_MS
