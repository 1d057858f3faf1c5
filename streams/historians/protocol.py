"""What every historian can do. Reading and writing are apart: a dashboard cannot write."""

from collections.abc import Collection, Sequence
from typing import Protocol

import msgspec

from schemas.errors import HistorianError
from schemas.site_window import SeriesName
from streams.historians.points import (
    EventKind,
    EventPoint,
    Measurement,
    MeterPoint,
    Point,
    SitePoint,
)


class HistorianAwayError(HistorianError):
    """The historian is away, starting, or locked: try the same again later."""


class SiteSpan(msgspec.Struct, frozen=True, kw_only=True):
    """A site that has windows: start of the first and the last one [ms], and how many."""

    site: str
    first_ms: int
    last_ms: int
    windows: int


class HistorianReader(Protocol):
    """Queries. Spans are ``[from_ms, to_ms)`` of window starts; answers are in time order.

    All of them raise :class:`HistorianAwayError` when another try may help, and
    ``HistorianError`` when it will not.
    """

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

    def close(self) -> None:
        """Let go of the database; closing twice is harmless."""
        ...


class Historian(HistorianReader, Protocol):
    """A historian that is written to."""

    def write(self, points: Sequence[Point]) -> None:
        """Write all points, or none; on return they are safe, and Kafka may be told so.

        Writing the same again, or an older revision, changes nothing.

        Raises:
            HistorianAwayError: nothing was written, and the same call may succeed later.
            HistorianError: nothing was written, and it never will be.
        """
        ...
