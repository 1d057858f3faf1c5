"""The SQLite historian beyond what every historian does; see ``test_contract``."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from streams.historians.mapping import StoredMessage, event_message, to_point
from streams.historians.points import Measurement, MeterPoints, SitePoint
from streams.historians.protocol import Historian, HistorianReader
from streams.historians.sqlite import SqliteHistorian
from streams.historians.sqlite_reader import open_reader
from tests.support import historian_messages as given
from tests.support.historian_messages import SITE, start_of

WINDOWS = 24
END_MS = start_of(WINDOWS)


def _log() -> list[StoredMessage]:
    """Every kind of message about every window."""
    makers = (
        given.site_window,
        given.chunk,
        given.plan,
        given.verdict,
        given.setpoint,
        given.ack,
    )
    return [maker(window) for window in range(WINDOWS) for maker in makers]


def _write(historian: Historian, messages: Sequence[StoredMessage], at_once: int = 50) -> None:
    for first in range(0, len(messages), at_once):
        historian.write([to_point(message) for message in messages[first : first + at_once]])


def _counts(historian: HistorianReader) -> dict[Measurement, int]:
    return {measurement: historian.count(measurement) for measurement in Measurement}


def test_older_revision_never_overwrites_a_newer_one(historian: SqliteHistorian) -> None:
    for maker in (given.site_window, given.chunk):
        _write(historian, [maker(3, revision=2)])
    newest = historian.fingerprint()
    for maker in (given.site_window, given.chunk):
        _write(historian, [maker(3, revision=1), maker(3, revision=0)])
    assert historian.fingerprint() == newest
    assert [point.revision for point in historian.site_windows(SITE, 0, END_MS)] == [2]


def test_first_of_two_differing_events_stays(historian: SqliteHistorian) -> None:
    """Decisions are functions of the log: what was recorded is not rewritten."""
    first = given.verdict(1)
    _write(historian, [first, replace(first, decided_ms=first.decided_ms + 1)])
    (event,) = historian.events(SITE, 0, END_MS)
    assert event_message(event) == first


def test_reader_sees_what_is_written_and_cannot_write(
    historian: SqliteHistorian, path: Path
) -> None:
    with open_reader(path) as reader:
        assert not hasattr(reader, "write")
        _write(historian, _log())
        assert reader.fingerprint() == historian.fingerprint()


def test_writer_sees_the_series_that_another_writer_made(path: Path) -> None:
    with SqliteHistorian(path) as one, SqliteHistorian(path) as other:
        for window in range(4):
            _write(one, [given.chunk(window, series=given.names(3 + window))])
            _write(other, [given.chunk(window, revision=1, series=given.names(6))])
        assert one.series(SITE) == list(given.names(6))
        assert one.count(Measurement.METER_WINDOW) == 4 * 6


def test_historian_keeps_its_content_over_a_restart(path: Path) -> None:
    with SqliteHistorian(path) as first:
        _write(first, _log())
        fingerprint = first.fingerprint()
    with SqliteHistorian(path) as again:
        assert again.fingerprint() == fingerprint
        _write(again, _log())
        assert again.fingerprint() == fingerprint


def test_closing_twice_is_harmless(path: Path) -> None:
    historian = SqliteHistorian(path)
    historian.close()
    historian.close()


def test_commits_wait_for_the_disk(historian: SqliteHistorian) -> None:
    """STYLE 14, the flush gates the commit. A power cut cannot be staged: hold the setting."""
    connection = historian._connection  # noqa: SLF001
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_file_name_may_hold_any_character(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "a b#c?d%41.sqlite"
    with SqliteHistorian(path) as historian, open_reader(path) as reader:
        _write(historian, [given.site_window(1)])
        assert reader.count(Measurement.SITE_WINDOW) == 1


def test_failed_write_leaves_nothing_behind(historian: SqliteHistorian) -> None:
    """Neither points nor the ids of series that only the failed write knew."""
    _write(historian, [given.chunk(0)])
    before = historian.fingerprint()
    unfit = to_point(given.chunk(1, series=given.names(3, "voltage")))
    assert isinstance(unfit, MeterPoints)
    with pytest.raises(OverflowError):
        historian.write([to_point(given.site_window(1)), unfit, replace(unfit, revision=2**64)])
    assert historian.fingerprint() == before
    historian.write([unfit])
    assert len(historian.series(SITE)) == 13


def test_sqlite_serves_the_protocol(historian: SqliteHistorian) -> None:
    """The signatures are held by mypy; here a caller that knows the Protocol alone."""

    def store(protocol: Historian) -> list[SitePoint]:
        protocol.write([to_point(given.site_window(1))])
        return protocol.site_windows(SITE, 0, END_MS)

    assert store(historian) == [to_point(given.site_window(1))]
