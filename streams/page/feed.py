"""What the page shows, read from a historian, at most every two seconds for all who look.

Whether a pipeline runs cannot be seen in a historian: a demo or a replay plays another date, at
another speed. So what is judged is progress: windows that arrive while the page looks.
"""

from collections.abc import Callable
from threading import Lock
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from dashboards.page.notices import Service
from schemas.errors import GridloomError
from schemas.site_window import SiteWindow
from schemas.windows import WINDOW_MS
from streams.historians.mapping import event_message
from streams.historians.points import SitePoint
from streams.historians.protocol import HistorianReader, SiteSpan
from streams.page.books import DayBooks
from streams.page.looks import NO_WINDOW, Look, Snapshot, away_notice, silent_notice
from streams.page.progress import Progress

CACHE_S: Final = 2.0
"""How long an answer is good for [s] (S1-12)."""

SITES_S: Final = 30.0
"""How long the list of sites is good for [s]; making it may read the whole historian."""

_AHEAD_MS: Final = 86_400_000
"""How far beyond the newest known window newer ones are looked for [ms]."""


class Feed:
    """Reads a historian for the page; may be used by many threads.

    Args:
        open_reader: opens the historian for reading; called anew for every look, because a
            reader belongs to one thread.
        zone: whose midnight begins a day.
        offline_after_s: no new window for so long [s] means that the service is offline.
        clock: tells seconds and never runs backwards.
    """

    def __init__(
        self,
        open_reader: Callable[[], HistorianReader],
        zone: ZoneInfo,
        offline_after_s: float,
        clock: Callable[[], float],
    ) -> None:
        self._open_reader = open_reader
        self._books = DayBooks(zone)
        self._clock = clock
        self._lock = Lock()
        self._looks: dict[tuple[str | None, int], tuple[float, Look]] = {}
        self._sites: tuple[float, list[SiteSpan]] | None = None
        self._progress = Progress(offline_after_s)

    def look(self, site: str | None, span_ms: int) -> Look:
        """What there is of a site, or of the first one, over the last ``span_ms`` [ms]."""
        with self._lock:
            now_s = self._clock()
            known = self._looks.get((site, span_ms))
            if known is not None and now_s - known[0] < CACHE_S:
                return known[1]
            look = self._fresh(site, span_ms, now_s, None if known is None else known[1])
            self._looks[site, span_ms] = now_s, look
            return look

    def _fresh(self, site: str | None, span_ms: int, now_s: float, before: Look | None) -> Look:
        """Look at the historian; where it is away, keep what was there before."""
        try:
            with self._open_reader() as reader:
                return self._read(reader, site, span_ms, now_s)
        except GridloomError as error:
            self._sites = None
            kept = None if before is None else before.snapshot
            notice = away_notice(error, shows_more=kept is not None)
            return Look(service=Service.OFFLINE, notice=notice, snapshot=kept)

    def _read(self, reader: HistorianReader, site: str | None, span_ms: int, now_s: float) -> Look:
        spans = self._spans(reader, now_s)
        if not spans:
            self._sites = None
            return Look(service=Service.WAITING, notice=NO_WINDOW, snapshot=None)
        chosen = next((span for span in spans if span.site == site), spans[0])
        snapshot = self._snapshot(reader, chosen, spans, span_ms, now_s)
        if snapshot is None:
            self._sites = None  # the historian was replaced meanwhile; its list is stale
            return Look(service=Service.WAITING, notice=NO_WINDOW, snapshot=None)
        service, silent_s = self._progress.judge(chosen.site, snapshot.newest_ms, now_s)
        notice = silent_notice(silent_s) if service is Service.OFFLINE else None
        return Look(service=service, notice=notice, snapshot=snapshot)

    def _spans(self, reader: HistorianReader, now_s: float) -> list[SiteSpan]:
        """Every site that has windows."""
        if self._sites is None or now_s - self._sites[0] > SITES_S:
            self._sites = now_s, reader.sites()
        return self._sites[1]

    def _snapshot(
        self,
        reader: HistorianReader,
        span: SiteSpan,
        spans: list[SiteSpan],
        span_ms: int,
        now_s: float,
    ) -> Snapshot | None:
        """The newest windows of a site, and what belongs to them; None where there is none."""
        site, end_ms = span.site, span.last_ms + WINDOW_MS
        points = reader.site_windows(site, end_ms - span_ms, end_ms + _AHEAD_MS)
        if not points:
            return None
        newest_ms = points[-1].window_start_ms
        begin_ms = newest_ms + WINDOW_MS - span_ms
        windows = tuple(_window(point) for point in points if point.window_start_ms >= begin_ms)
        events = reader.events(site, begin_ms, newest_ms + WINDOW_MS)
        return Snapshot(
            source=reader.name,
            sites=tuple(each.site for each in spans),
            site=site,
            first_ms=span.first_ms,
            windows=windows,
            events=tuple(event_message(event) for event in events),
            figures=self._books.figures(reader, site, newest_ms, now_s),
        )


def _window(point: SitePoint) -> SiteWindow:
    """A stored window as the message that it was."""
    return SiteWindow(**msgspec.structs.asdict(point))
