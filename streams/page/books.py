"""The day's figures of every site, kept up to date by reading little."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from processors.accounting.days import day_of
from processors.accounting.figures import DayFigures
from processors.accounting.ledger import DayLedger, Entry
from schemas.setpoint import Ack
from schemas.windows import WINDOW_MS
from streams.historians.mapping import event_message
from streams.historians.points import EventKind
from streams.historians.protocol import HistorianReader

OVERLAP_MS: Final = 120 * WINDOW_MS
"""What is read again each time [ms]: events of a window are stored some time after it."""

RECOUNT_S: Final = 300.0
"""After this long [s] a day is counted anew, should anything have come later than that."""

_COUNTED: Final = (EventKind.PLAN, EventKind.VERDICT, EventKind.SETPOINT)


@dataclass(slots=True)
class _Book:
    """A ledger, up to where it was read [ms], and when it was begun [s]."""

    ledger: DayLedger
    read_to_ms: int
    begun_s: float


class DayBooks:
    """The ledger of the newest window's day, by site.

    Args:
        zone: whose midnight begins a day.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._books: dict[str, _Book] = {}

    def figures(
        self, reader: HistorianReader, site: str, newest_ms: int, now_s: float
    ) -> DayFigures:
        """Figures of the day that holds the window ``newest_ms``.

        Args:
            reader: where the events are.
            site: the site's name.
            newest_ms: start of its newest window [ms since the epoch].
            now_s: a clock that never runs backwards [s].

        Raises:
            HistorianError: the historian cannot be read.
            MessageError: it holds an event that this version cannot read.
        """
        day = day_of(newest_ms, self._zone)
        book = self._books.get(site)
        if book is None or book.ledger.day != day or now_s - book.begun_s > RECOUNT_S:
            book = _Book(DayLedger(site, day), day.start_ms, now_s)
        end_ms = min(newest_ms + WINDOW_MS, day.end_ms)
        for message in _counted(reader, site, book.read_to_ms, end_ms):
            book.ledger.enter(message)
        book.read_to_ms = max(day.start_ms, end_ms - OVERLAP_MS)
        self._books[site] = book  # only now: a read that failed is done again
        return book.ledger.figures


def _counted(reader: HistorianReader, site: str, from_ms: int, to_ms: int) -> Iterable[Entry]:
    """The events of a span that count."""
    for event in reader.events(site, from_ms, to_ms, _COUNTED):
        message = event_message(event)
        if not isinstance(message, Ack):
            yield message
