"""Telemetry: what meters, weather stations, relay boards and assets publish.

One *reading* is one (device, quantity, time). A message holds either a single reading or a
batch of readings of one site; both kinds may be mixed in a topic. Field ``type`` tells which.
"""

import msgspec

from schemas.messages import Message


class Reading(Message, frozen=True, kw_only=True, tag_field="type", tag="reading"):
    """One measured value.

    Attributes:
        event_id: identity of the reading; on a conflict the greatest one is kept.
        site: site that the device belongs to, and the Kafka key.
        source: who publishes, e.g. a head-end or a board.
        device: device within the site.
        quantity: name in ``schemas.units.QUANTITIES``.
        unit: unit of ``value``; one of the quantity's accepted units.
        value: measured value [``unit``]; consumption positive, generation negative.
        event_time_ms: when it was measured [ms since the epoch]; it holds forward from here.
    """

    event_id: str
    site: str
    source: str
    device: str
    quantity: str
    unit: str
    value: float
    event_time_ms: int


class BatchItem(msgspec.Struct, frozen=True, kw_only=True):
    """One reading within a batch; fields as in :class:`Reading`."""

    event_id: str
    device: str
    quantity: str
    unit: str
    value: float
    event_time_ms: int


class Batch(Message, frozen=True, kw_only=True, tag_field="type", tag="batch"):
    """Many readings of one site from one source, e.g. a head-end's collection run."""

    site: str
    source: str
    readings: tuple[BatchItem, ...]


class RawBatch(Message, frozen=True, kw_only=True, tag_field="type", tag="batch"):
    """A batch whose items are not decoded yet, so that one bad item spoils no other."""

    site: str
    source: str
    readings: tuple[msgspec.Raw, ...]


TelemetryMessage = Reading | Batch
"""What a record on a ``telemetry.*`` topic holds."""
