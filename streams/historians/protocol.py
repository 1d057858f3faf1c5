"""What every historian can do. Reading and writing are apart: a dashboard cannot write."""

from collections.abc import Collection, Sequence
from typing import Protocol, Self

import msgspec

from schemas.site_window import SeriesName
from streams.historians.points import (
    EventKind,
    EventPoint,
    Measurement,
    MeterPoint,
    Point,
    SitePoint,
)


class SiteSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A site that has windows: start of the first and the last one [ms], and how many."""

    site: str
    first_ms: int
    last_ms: int
    windows: int


class RefusedPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A point that the database will never take.

    Attributes:
        index: where it stands among the points that were to be written.
        reason: why, in words.
    """

    index: int
    reason: str


class HistorianReader(Protocol):
    """Queries. Spans are ``[from_ms, to_ms)`` of window starts.

    Answers are in the order of time; meters within it by device and quantity, events by step,
    device and when they happened.

    All of them raise :class:`~schemas.errors.HistorianAwayError` when another try may help, and
    ``HistorianError`` when it will not.
    """

    @property
    def name(self) -> str:
        """What and where it is, in words."""
        ...

    @property
    def about(self) -> str:
        """What an operator wants to know of it besides: version, size, how long points stay."""
        ...

    def count(self, measurement: Measurement) -> int:
        """Number of points, missing ones included."""
        ...

    def measured_meter_windows(self, site: str | None = None) -> int:
        """Number of active power points that were measured, of one site or of all."""
        ...

    def sites(self) -> list[SiteSpan]:
        """Every site that has windows, by name."""
        ...

    def series(self, site: str) -> list[SeriesName]:
        """Every series of a site, by device and quantity."""
        ...

    def site_windows(self, site: str, from_ms: int, to_ms: int) -> list[SitePoint]:
        """The windows of a site."""
        ...

    def meter_windows(
        self, site: str, from_ms: int, to_ms: int, series: Collection[SeriesName] | None = None
    ) -> list[MeterPoint]:
        """The windows of some series of a site, or of all of them."""
        ...

    def events(
        self, site: str, from_ms: int, to_ms: int, kinds: Collection[EventKind] = tuple(EventKind)
    ) -> list[EventPoint]:
        """What was decided and done about the windows of a site."""
        ...

    def decision(self, decision_id: str) -> list[EventPoint]:
        """Every step of one decision: plan, verdict, setpoints, acknowledgements."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 of everything that is stored.

        Of two historians of the same kind it is equal exactly where their content is equal.
        """
        ...

    def close(self) -> None:
        """Let go of the database; closing twice is harmless."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class Historian(HistorianReader, Protocol):
    """A historian that is written to.

    Writing the same again changes nothing. What is written comes in the order of its log, so a
    newer revision after those that it replaces; after a crash the log is written again from some
    earlier record on, and at its end the content is the same.
    """

    def write(self, points: Sequence[Point]) -> Sequence[RefusedPoint]:
        """Write points; on return they are safe, and Kafka may be told so.

        Returns:
            Those that the database will never take, in their order; all others are written. A
            column of meter points is told as a whole, even where it takes some of them.

        Raises:
            HistorianAwayError: some may have been written; the same call may succeed later.
            HistorianError: some may have been written, and the rest never will be.
        """
        ...
