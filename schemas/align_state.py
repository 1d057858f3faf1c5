"""What align remembers in the compacted topic ``align.state``, one partition each.

Three kinds of record, told apart by their key: ``position`` (one, in every transaction),
``site/<name>`` (a site's emitted revisions, when they change) and ``chunk/<n>`` (what final
windows left behind for 500 series, every ten seconds). All are written in the transaction that
carries the windows they belong to.
"""

from typing import Final

import msgspec

from schemas.messages import Message

CHUNK_SERIES: Final = 500
"""Series in one state chunk, and in one ``windows.meter`` message."""

POSITION_KEY: Final = "position"


class ReadingCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many readings had which fate; each reading has exactly one."""

    windowed: int = 0
    duplicate: int = 0
    too_late: int = 0
    dead_lettered: int = 0

    def __add__(self, other: "ReadingCounts") -> "ReadingCounts":
        return ReadingCounts(
            windowed=self.windowed + other.windowed,
            duplicate=self.duplicate + other.duplicate,
            too_late=self.too_late + other.too_late,
            dead_lettered=self.dead_lettered + other.dead_lettered,
        )

    @property
    def total(self) -> int:
        """All readings that were classified."""
        return self.windowed + self.duplicate + self.too_late + self.dead_lettered


class TopicPosition(msgspec.Struct, frozen=True, kw_only=True):
    """How far align has come in one topic of the partition.

    Attributes:
        next_offset: first offset not yet consumed.
        watermark_ms: watermark before ``next_offset`` [ms of pipeline time], or None at first.
        replay_offset: the committed offset: oldest record that an open window still needs.
        replay_watermark_ms: watermark before ``replay_offset``.
    """

    next_offset: int
    watermark_ms: int | None
    replay_offset: int
    replay_watermark_ms: int | None


class AlignPosition(Message, frozen=True, kw_only=True):
    """Where align stands in a partition.

    Attributes:
        topics: by telemetry kind.
        final_before_ms: windows that start before it are final [ms].
        carried_before_ms: the same as of the last chunks: readings before it are in them [ms].
        counts: fate of all readings up to ``next_offset``.
    """

    topics: dict[str, TopicPosition]
    final_before_ms: int | None
    carried_before_ms: int | None
    counts: ReadingCounts


class EmittedRevision(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The last published revision of one open window and a hash of what it said."""

    window_start_ms: int
    revision: int
    content_hash: str


class SiteLedger(Message, frozen=True, kw_only=True):
    """A site's published windows that are not final."""

    site: str
    emitted: tuple[EmittedRevision, ...]


class CarriedReading(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """The last reading of a series before the open windows, value in fixed point."""

    site: str
    device: str
    quantity: str
    event_time_ms: int
    value_micro: int


class CarriedChunk(Message, frozen=True, kw_only=True):
    """Carried readings of up to 500 series."""

    readings: tuple[CarriedReading, ...]
