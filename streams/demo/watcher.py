"""Follows what a site's windows, decisions and commands say, as it is committed to Kafka."""

from dataclasses import dataclass, field

from confluent_kafka import OFFSET_BEGINNING, Consumer, Message, TopicPartition

from schemas.dispatch_plan import DispatchPlan
from schemas.identity import partition_of
from schemas.messages import Decoder
from schemas.setpoint import Ack, AckResult, RefusalReason, Setpoint
from schemas.settings import KafkaSettings
from schemas.site_model import SiteModel
from schemas.site_window import SiteWindow
from schemas.topics import ACKS, PLANS, SITE_WINDOWS, VERDICTS, setpoint_topic
from schemas.verdict import Rejected, Verdict
from streams.kafka import arrived, reader

_WINDOW: Decoder[SiteWindow] = Decoder(SiteWindow)
_PLAN: Decoder[DispatchPlan] = Decoder(DispatchPlan)
_VERDICT: Decoder[Verdict] = Decoder(Verdict)
_SETPOINT: Decoder[Setpoint] = Decoder(Setpoint)
_ACK: Decoder[Ack] = Decoder(Ack)


@dataclass(slots=True)
class Observed:
    """Everything seen so far.

    Attributes:
        windows: last revision by window start [ms]; ``revisions`` counts all of them.
        window_published_ms: when each window's revision 0 was written [ms of wall time].
        plans: by window start [ms].
        setpoints: by (device, seq), with the time they were written.
        acks: every acknowledgement, in order, with the time it was written [ms of wall time].
    """

    windows: dict[int, SiteWindow] = field(default_factory=dict)
    revisions: int = 0
    window_published_ms: dict[int, int] = field(default_factory=dict)
    plans: dict[int, DispatchPlan] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    setpoints: dict[tuple[str, int], tuple[Setpoint, int]] = field(default_factory=dict)
    acks: list[tuple[Ack, int]] = field(default_factory=list)

    @property
    def confirmed(self) -> set[tuple[str, int]]:
        """(device, seq) of every command that a device confirmed, or had confirmed before."""
        return {
            (ack.device, ack.seq)
            for ack, _ in self.acks
            if ack.result is AckResult.APPLIED or ack.reason is RefusalReason.DUPLICATE
        }

    @property
    def unconfirmed(self) -> set[tuple[str, int]]:
        """Commands that no device has confirmed yet."""
        return set(self.setpoints) - self.confirmed

    def unsettled(self, now_ms: int) -> set[tuple[str, int]]:
        """Commands that may still be confirmed at ``now_ms`` [ms of pipeline time]."""
        return {key for key in self.unconfirmed if self.setpoints[key][0].valid_until_ms > now_ms}

    @property
    def rejected(self) -> int:
        """Plans that the gate refused."""
        return sum(isinstance(verdict, Rejected) for verdict in self.verdicts)


class Watcher:
    """Reads a site's topics from their beginning; ``poll`` takes what is new."""

    def __init__(self, settings: KafkaSettings, model: SiteModel) -> None:
        self.seen = Observed()
        partition = partition_of(model.name, settings.partitions)
        per_site = (SITE_WINDOWS.name, PLANS.name, VERDICTS.name, ACKS.name)
        topics = [TopicPartition(name, partition, OFFSET_BEGINNING) for name in per_site]
        topics += [
            TopicPartition(setpoint_topic(gateway), 0, OFFSET_BEGINNING)
            for gateway in model.gateways
        ]
        self._site = model.name
        self._consumer: Consumer = reader(settings, "watch")
        self._consumer.assign(topics)

    def poll(self, timeout_s: float) -> None:
        """Take what has arrived; waits at most ``timeout_s`` for the first record."""
        for message in arrived(self._consumer, 10_000, timeout_s):
            value = message.value()
            if message.error() is None and isinstance(value, bytes):
                self._take(message, value)

    def _take(self, message: Message, value: bytes) -> None:
        at_ms = message.timestamp()[1]
        topic = message.topic()
        if topic == SITE_WINDOWS.name:
            self._take_window(_WINDOW.decode(value), at_ms)
        elif topic == PLANS.name:
            plan = _PLAN.decode(value)
            self.seen.plans[plan.window_start_ms] = plan
        elif topic == VERDICTS.name:
            self.seen.verdicts.append(_VERDICT.decode(value))
        elif topic == ACKS.name:
            self.seen.acks.append((_ACK.decode(value), at_ms))
        else:
            setpoint = _SETPOINT.decode(value)
            self.seen.setpoints[setpoint.device, setpoint.seq] = (setpoint, at_ms)

    def _take_window(self, window: SiteWindow, at_ms: int) -> None:
        if window.site != self._site:
            return
        start = window.window_start_ms
        self.seen.revisions += 1
        self.seen.window_published_ms.setdefault(start, at_ms)
        known = self.seen.windows.get(start)
        if known is None or window.revision > known.revision:
            self.seen.windows[start] = window

    def close(self) -> None:
        """Leave the broker."""
        self._consumer.close()
