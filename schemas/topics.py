"""THE MAP: every Kafka topic, what it carries, who writes and reads it, how long it lasts.

All topics that are keyed by site have the same number of partitions and the same partitioner
(CRC-32, librdkafka's default), so one site lives in one partition number everywhere.
"""

from collections.abc import Iterable
from typing import Final

import msgspec

from schemas.align_state import AlignPosition, CarriedChunk, SiteLedger
from schemas.clock import PipelineClock
from schemas.control import GlobalStop
from schemas.dead_letter import DeadLetter, Retry
from schemas.dispatch_plan import DispatchPlan
from schemas.setpoint import Ack, Setpoint
from schemas.site_model import SiteModel
from schemas.site_window import MeterWindows, SiteWindow
from schemas.stage_state import ActuateState, DispatchState, GateState
from schemas.telemetry import Batch, Reading
from schemas.units import TelemetryKind
from schemas.verdict import Accepted, Observed, Rejected, Renewed

DEFAULT_PARTITIONS: Final = 4
DAY_MS: Final = 86_400_000


class TopicSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One topic of the map.

    Attributes:
        name: topic name; ``<gateway>`` stands for each gateway's name.
        key: what the record key is.
        messages: what a record may be.
        producers, consumers: parts of Gridloom, or whom else.
        per_site: partitioned by site; otherwise it has one partition.
        retention_ms: how long records stay [ms]; None for a compacted topic.
        log_append_time: records are stamped by the broker, not by the producer.
    """

    name: str
    key: str
    messages: tuple[type, ...]
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    per_site: bool = True
    retention_ms: int | None = 7 * DAY_MS
    log_append_time: bool = False

    @property
    def compacted(self) -> bool:
        """Whether only the newest record of each key is kept."""
        return self.retention_ms is None

    def config(self) -> dict[str, str]:
        """Kafka's settings of the topic."""
        stamp = "LogAppendTime" if self.log_append_time else "CreateTime"
        if self.retention_ms is None:
            policy = {"cleanup.policy": "compact"}
        else:
            policy = {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}
        return {**policy, "message.timestamp.type": stamp}


def telemetry_topic(kind: TelemetryKind) -> str:
    """Topic that carries telemetry of ``kind``."""
    return f"telemetry.{kind}"


def setpoint_topic(gateway: str) -> str:
    """Topic that one gateway, and nobody else, reads its setpoints from."""
    return SETPOINTS.name.replace("<gateway>", gateway)


def _telemetry(kind: TelemetryKind, producers: tuple[str, ...]) -> TopicSpec:
    consumers = ("align", "devices") if kind is TelemetryKind.RELAY else ("align",)
    return TopicSpec(
        name=telemetry_topic(kind),
        key="site",
        messages=(Reading, Batch),
        producers=(*producers, "align (ticks)", "replay (ticks)", "dead-letters"),
        consumers=consumers,
        log_append_time=True,
    )


TELEMETRY: Final = {
    TelemetryKind.METER: _telemetry(TelemetryKind.METER, ("replay", "field", "head-ends")),
    TelemetryKind.WEATHER: _telemetry(TelemetryKind.WEATHER, ("replay", "field", "services")),
    TelemetryKind.RELAY: _telemetry(TelemetryKind.RELAY, ("boards",)),
    TelemetryKind.ASSET: _telemetry(TelemetryKind.ASSET, ("gateways",)),
}
"""The telemetry topics by kind."""

CLOCK: Final = TopicSpec(
    name="pipeline.clock",
    key="'clock'",
    messages=(PipelineClock,),
    producers=("up", "demo"),
    consumers=("align", "gate", "actuate", "field", "replay", "dead-letters", "explain"),
    per_site=False,
    retention_ms=None,
)
SITES: Final = TopicSpec(
    name="site.models",
    key="site",
    messages=(SiteModel,),
    producers=("up", "demo", "replay", "field"),
    consumers=("align", "dispatch", "gate", "actuate", "field", "replay", "explain"),
    per_site=False,
    retention_ms=None,
)
STOP: Final = TopicSpec(
    name="control.stop",
    key="'stop'",
    messages=(GlobalStop,),
    producers=("stop",),
    consumers=("gate", "actuate"),
    per_site=False,
    retention_ms=None,
)
SITE_WINDOWS: Final = TopicSpec(
    name="windows.site",
    key="site",
    messages=(SiteWindow,),
    producers=("align",),
    consumers=("store", "dispatch"),
)
METER_WINDOWS: Final = TopicSpec(
    name="windows.meter",
    key="site",
    messages=(MeterWindows,),
    producers=("align",),
    consumers=("store",),
)
ALIGN_STATE: Final = TopicSpec(
    name="align.state",
    key="position | site/<site> | chunk/<n>",
    messages=(AlignPosition, SiteLedger, CarriedChunk),
    producers=("align",),
    consumers=("align",),
    retention_ms=None,
)
PLANS: Final = TopicSpec(
    name="dispatch.plans",
    key="site",
    messages=(DispatchPlan,),
    producers=("dispatch",),
    consumers=("gate", "store"),
)
DISPATCH_STATE: Final = TopicSpec(
    name="dispatch.state",
    key="site",
    messages=(DispatchState,),
    producers=("dispatch",),
    consumers=("dispatch",),
    retention_ms=None,
)
VERDICTS: Final = TopicSpec(
    name="dispatch.verdicts",
    key="site",
    messages=(Accepted, Renewed, Observed, Rejected),
    producers=("gate",),
    consumers=("actuate", "store"),
)
GATE_STATE: Final = TopicSpec(
    name="gate.state",
    key="site",
    messages=(GateState,),
    producers=("gate",),
    consumers=("gate",),
    retention_ms=None,
)
SETPOINTS: Final = TopicSpec(
    name="actuator.setpoints.<gateway>",
    key="device",
    messages=(Setpoint,),
    producers=("actuate",),
    consumers=("the gateway", "store"),
    per_site=False,
    retention_ms=DAY_MS,
)
ACKS: Final = TopicSpec(
    name="actuator.acks",
    key="site",
    messages=(Ack,),
    producers=("gateways",),
    consumers=("actuate", "store", "devices"),
)
ACTUATE_STATE: Final = TopicSpec(
    name="actuate.state",
    key="site",
    messages=(ActuateState,),
    producers=("actuate",),
    consumers=("actuate",),
    retention_ms=None,
)
DEAD_LETTERS: Final = TopicSpec(
    name="dead.letters",
    key="site, where known",
    messages=(DeadLetter,),
    producers=("align", "store", "dispatch", "gate", "actuate", "field", "devices", "replay"),
    consumers=("dead-letters",),
    per_site=False,
    retention_ms=30 * DAY_MS,
)
DEAD_RETRIES: Final = TopicSpec(
    name="dead.retries",
    key="offset of the dead letter",
    messages=(Retry,),
    producers=("dead-letters",),
    consumers=("dead-letters",),
    per_site=False,
    retention_ms=DEAD_LETTERS.retention_ms,
)

TOPICS: Final = (
    *TELEMETRY.values(),
    CLOCK,
    SITES,
    STOP,
    SITE_WINDOWS,
    METER_WINDOWS,
    ALIGN_STATE,
    PLANS,
    DISPATCH_STATE,
    VERDICTS,
    GATE_STATE,
    SETPOINTS,
    ACKS,
    ACTUATE_STATE,
    DEAD_LETTERS,
    DEAD_RETRIES,
)
"""The whole map, in the order of the way through the house."""

DATA_TOPICS: Final = tuple(spec for spec in TOPICS if not spec.compacted)
"""The topics that stages consume as members of their groups; the others hold state."""


DEVICES_APP: Final = "gridloom-devices"
"""Faust's name for the device view: its consumer group, and the start of its transactional ids."""

DEVICES_CHANGELOG: Final = f"{DEVICES_APP}-table-changelog"
"""The device view's table; Faust makes it, with as many partitions as its sources have."""


def topic_names(gateways: Iterable[str]) -> dict[str, TopicSpec]:
    """Every concrete topic name with its spec; setpoint topics one per gateway."""
    fixed = {spec.name: spec for spec in TOPICS if spec is not SETPOINTS}
    return fixed | {setpoint_topic(gateway): SETPOINTS for gateway in gateways}
