"""The InfluxDB historian: line protocol, one request after the other, in the order of the log.

A write ends in one of three ways: every point is safe; some are refused for good, and every
other one is safe; or it is to be repeated as it is. Repeating is harmless, for a point is
identified by its tags and time.

InfluxDB keeps what comes last, whatever its revision. What comes last is the newest revision,
because the next points are sent only after the ones before are safe. There is one way around
that: a request that was given up, because no answer came in time, and that InfluxDB carries out
later. While its points are repeated that does no harm. Before any others are sent, the historian
waits until InfluxDB itself must have ended it.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from influxdb_client.rest import ApiException
from urllib3.exceptions import ReadTimeoutError

from deploy.influx_api import what_influx_says
from schemas.errors import HistorianAwayError
from schemas.settings import InfluxSettings
from streams.historians.influx_lines import LineMaker
from streams.historians.influx_reader import InfluxReader
from streams.historians.influx_session import InfluxSession
from streams.historians.points import Point
from streams.historians.protocol import RefusedPoint

REQUEST_LINES: Final = 10_000
"""Most lines of one request, but for a column that has more by itself."""

WRITE_LIMIT_S: Final = 10.0
"""How long influxd works on one write before it ends it [s]: its ``storage-write-timeout``."""

_BAD_REQUEST: Final = 400
_TOO_LARGE: Final = 413
_UNPROCESSABLE: Final = 422
_REFUSALS: Final = frozenset({_BAD_REQUEST, _TOO_LARGE, _UNPROCESSABLE})
_RETENTION: Final = "retention policy"
"""What InfluxDB says of points that are too old."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """Lines of the point with this number."""

    index: int
    lines: list[str]


class InfluxHistorian(InfluxReader):
    """The historian in an InfluxDB 2 that is there, with its bucket.

    Use it in one thread, and one process for one site: see the module.

    Args:
        settings: the section ``[influxdb]``; its ``token`` may write and read.

    Raises:
        HistorianAwayError: nothing answers, or not now.
        HistorianError: it is no InfluxDB 2, or token, organisation or bucket are wrong.
        ConfigurationError: there is no token, or its file cannot be read.
    """

    def __init__(self, settings: InfluxSettings) -> None:
        super().__init__(InfluxSession(settings, settings.store_secret()))
        self._maker = LineMaker()
        self._unanswered = False
        self._settled_s = 0.0
        try:
            with self._connection.errors(starting=True):
                self._connection.post(b"")  # whether we may write at all
        except BaseException:
            self.close()
            raise

    def write(self, points: Sequence[Point]) -> tuple[RefusedPoint, ...]:
        """Write points; on return all but those that are returned are on InfluxDB's disk.

        Raises:
            HistorianAwayError: some may be written; the same call may succeed later.
        """
        self._require_settled()
        refused: dict[int, str] = {}
        for request in _requests(self._entries(points, refused)):
            self._send(request, refused)
        if self._unanswered:
            self._unanswered, self._settled_s = False, time.monotonic() + WRITE_LIMIT_S
        return tuple(RefusedPoint(index=n, reason=why) for n, why in sorted(refused.items()))

    def _require_settled(self) -> None:
        """An error while a write that was given up, and has been repeated, may be under way."""
        wait_s = self._settled_s - time.monotonic()
        if wait_s > 0:
            raise HistorianAwayError(
                f"InfluxDB {self._connection.settings.url} may still be at a write that it never"
                " answered: what is newer waits for that",
                reason="settling",
                retry_after_s=wait_s,
            )

    def _entries(self, points: Sequence[Point], refused: dict[int, str]) -> Iterator[_Entry]:
        """What can be sent; what cannot is noted in ``refused``."""
        retention = self._connection.retention
        for index, point in enumerate(points):
            with self._connection.errors():
                is_too_old = retention.refuses(point.window_start_ms)
            if is_too_old:
                refused[index] = retention.refusal()
                continue
            made = self._maker.lines_of(point)
            if made.problem:
                refused[index] = made.problem
            if made.lines:
                yield _Entry(index, made.lines)

    def _send(self, request: list[_Entry], refused: dict[int, str]) -> None:
        """Send entries, in halves where they are refused together; note those that are meant."""
        waiting = [request]
        while waiting:
            entries = waiting.pop()
            refusal = self._post(entries)
            if refusal is None:
                continue
            if halves := _halves(entries, refusal):
                waiting += reversed(halves)
            else:
                refused[entries[0].index] = self._reason(refusal)

    def _post(self, entries: list[_Entry]) -> ApiException | None:
        """Send one request; the refusal where InfluxDB will not take it as it is.

        Raises:
            HistorianAwayError: for every other failure.
        """
        body = "\n".join([line for entry in entries for line in entry.lines]).encode()
        with self._connection.errors():
            try:
                self._connection.post(body)
            except ReadTimeoutError:
                self._unanswered = True
                raise
            except ApiException as error:
                if error.status in _REFUSALS:
                    return error
                raise
        return None

    def _reason(self, refusal: ApiException) -> str:
        """Why a point is refused, in words."""
        said = what_influx_says(refusal)
        if _RETENTION in said:  # the bucket was changed, or the clocks differ
            with self._connection.errors():
                self._connection.retention.refresh()
            return self._connection.retention.refusal()
        return f"InfluxDB refuses it ({refusal.status}): {said}"


def _requests(entries: Iterator[_Entry]) -> Iterator[list[_Entry]]:
    """Entries in lists that are good to send at once, in their order."""
    request: list[_Entry] = []
    lines = 0
    for entry in entries:
        if request and lines + len(entry.lines) > REQUEST_LINES:
            yield request
            request, lines = [], 0
        request.append(entry)
        lines += len(entry.lines)
    if request:
        yield request


def _halves(entries: list[_Entry], refusal: ApiException) -> list[list[_Entry]]:
    """What to send in place of entries that were refused together; nothing where it is known.

    Of a column that is unprocessable InfluxDB has taken what it can; in all other cases it has
    taken nothing, and some of its lines may do.
    """
    middle = len(entries) // 2
    if middle:
        return [entries[:middle], entries[middle:]]
    (entry,) = entries
    middle = len(entry.lines) // 2
    if refusal.status == _UNPROCESSABLE or not middle:
        return []
    parts = entry.lines[:middle], entry.lines[middle:]
    return [[_Entry(entry.index, lines)] for lines in parts]
