"""What is written is what is read; writing again changes nothing."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.site_window import SeriesName, SeriesStatus
from streams.historians.mapping import StoredMessage, event_message, to_point
from streams.historians.points import EventKind, Measurement, MeterPoint, MeterPoints, SitePoint
from streams.historians.protocol import Historian, HistorianReader, SiteSpan
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


def test_replaying_the_log_changes_nothing(historian: SqliteHistorian) -> None:
    """D-4: replay twice -> identical point count and values."""
    _write(historian, _log())
    counts, fingerprint = _counts(historian), historian.fingerprint()
    _write(historian, _log(), at_once=7)
    assert _counts(historian) == counts
    assert historian.fingerprint() == fingerprint
    assert counts == {
        Measurement.SITE_WINDOW: WINDOWS,
        Measurement.METER_WINDOW: 10 * WINDOWS,
        Measurement.EVENT: 4 * WINDOWS,
    }


def test_every_stored_time_is_on_the_grid(historian: SqliteHistorian) -> None:
    """D-4: every point timestamp mod 5 s = 0."""
    _write(historian, _log())
    times = [
        *(point.window_start_ms for point in historian.site_windows(SITE, 0, END_MS)),
        *(point.window_start_ms for point in historian.meter_windows(SITE, 0, END_MS)),
        *(point.window_start_ms for point in historian.events(SITE, 0, END_MS)),
    ]
    assert len(times) == sum(_counts(historian).values())
    assert {time_ms % 5_000 for time_ms in times} == {0}


def test_fingerprint_tells_a_single_changed_value(historian: SqliteHistorian) -> None:
    _write(historian, _log())
    before = historian.fingerprint()
    _write(historian, [given.chunk(3, revision=1, series=given.names(2))])
    assert historian.fingerprint() != before


def test_older_revision_never_overwrites_a_newer_one(historian: SqliteHistorian) -> None:
    for maker in (given.site_window, given.chunk):
        _write(historian, [maker(3, revision=2)])
    newest = historian.fingerprint()
    for maker in (given.site_window, given.chunk):
        _write(historian, [maker(3, revision=1), maker(3, revision=0)])
    assert historian.fingerprint() == newest
    assert [point.revision for point in historian.site_windows(SITE, 0, END_MS)] == [2]


def test_newer_revision_replaces_every_field(historian: SqliteHistorian) -> None:
    first = given.site_window(3)
    newer = replace(
        first,
        revision=1,
        model_hash="other",
        energy_import_kwh=0.25,
        load_kw=77.0,
        generation_kw=0.0,
        measured=9,
        valid=8,
        missing=7,
        missing_rated_kw=6.0,
        missing_series=(),
        relays=(),
        weather={},
    )
    _write(historian, [first, newer])
    assert historian.site_windows(SITE, 0, END_MS) == [to_point(newer)]


def test_value_that_turns_up_late_fills_its_gap(historian: SqliteHistorian) -> None:
    missing = given.chunk(0, series=given.names(1))
    _write(historian, [missing])
    _write(historian, [replace(missing, revision=1, values=(4.5,), status="m")])
    (point,) = historian.meter_windows(SITE, 0, END_MS)
    assert (point.status, point.value, point.revision) == (SeriesStatus.MEASURED, 4.5, 1)


def test_missing_is_stored_as_null_and_never_as_zero(historian: SqliteHistorian) -> None:
    _write(historian, [given.chunk(window) for window in range(WINDOWS)])
    points = historian.meter_windows(SITE, 0, END_MS)
    gaps = [point for point in points if point.status is SeriesStatus.MISSING]
    assert len(gaps) > WINDOWS
    assert {point.value for point in gaps} == {None}
    assert all(point.value is not None for point in points if point not in gaps)


def test_zero_is_stored_as_zero(historian: SqliteHistorian) -> None:
    message = replace(given.chunk(1, series=given.names(1)), values=(0.0,), status="m")
    _write(historian, [message])
    assert [point.value for point in historian.meter_windows(SITE, 0, END_MS)] == [0.0]


def test_windows_are_read_back_as_written(historian: SqliteHistorian) -> None:
    _write(historian, _log())
    written = [to_point(given.site_window(window)) for window in range(WINDOWS)]
    assert historian.site_windows(SITE, 0, END_MS) == written


def test_meter_values_are_read_back_to_the_last_bit(historian: SqliteHistorian) -> None:
    message = replace(
        given.chunk(1, series=given.names(3)), values=(0.1 + 0.2, 1e-300, -1e9), status="mvm"
    )
    _write(historian, [message])
    assert historian.meter_windows(SITE, 0, END_MS) == [
        MeterPoint(start_of(1), "meter-000", "active_power", 0, SeriesStatus.MEASURED, 0.1 + 0.2),
        MeterPoint(start_of(1), "meter-001", "active_power", 0, SeriesStatus.VALID, 1e-300),
        MeterPoint(start_of(1), "meter-002", "active_power", 0, SeriesStatus.MEASURED, -1e9),
    ]


def test_span_holds_its_start_and_not_its_end(historian: SqliteHistorian) -> None:
    _write(historian, _log())
    span = (SITE, start_of(4), start_of(6))
    expected = [start_of(4), start_of(5)]
    one = [given.names(3)[2]]
    assert [point.window_start_ms for point in historian.site_windows(*span)] == expected
    assert [point.window_start_ms for point in historian.meter_windows(*span, one)] == expected
    assert sorted({point.window_start_ms for point in historian.meter_windows(*span)}) == expected
    assert sorted({point.window_start_ms for point in historian.events(*span)}) == expected


@pytest.mark.parametrize(
    "wanted",
    [given.names(0), given.names(1), given.names(4), (*given.names(10), *given.names(1, "none"))],
    ids=["none", "one", "some", "all and an unknown one"],
)
def test_some_series_are_the_same_as_all_of_them_sifted(
    historian: SqliteHistorian, wanted: tuple[SeriesName, ...]
) -> None:
    for window in (0, 1, 5, 6, 20):  # with holes between
        _write(historian, [given.chunk(window), given.chunk(window, site="other")])
    span = (SITE, start_of(1), start_of(20))
    sifted = [
        point
        for point in historian.meter_windows(*span)
        if SeriesName(device=point.device, quantity=point.quantity) in wanted
    ]
    assert historian.meter_windows(*span, wanted) == sifted


def test_unknown_site_has_nothing(historian: SqliteHistorian) -> None:
    _write(historian, _log())
    assert historian.site_windows("nowhere", 0, END_MS) == []
    assert historian.meter_windows("nowhere", 0, END_MS) == []
    assert historian.meter_windows("nowhere", 0, END_MS, given.names(1)) == []
    assert historian.events("nowhere", 0, END_MS) == []
    assert historian.series("nowhere") == []
    assert historian.measured_meter_windows("nowhere") == 0
    assert historian.decision("nowhere.1.0") == []


def test_measured_meter_windows_counts_measured_active_power_only(
    historian: SqliteHistorian,
) -> None:
    power, voltage = given.names(4), given.names(4, "voltage")
    told = {"values": (1.0, 2.0, 3.0, None), "status": "mmvx"}
    for site, series in ((SITE, power), (SITE, voltage), ("other", power)):
        _write(historian, [replace(given.chunk(1, site=site, series=series), **told)])
    assert historian.measured_meter_windows(SITE) == 2
    assert historian.measured_meter_windows() == 4


def test_sites_tell_what_they_hold(historian: SqliteHistorian) -> None:
    _write(historian, [given.site_window(2), given.site_window(9)])
    _write(historian, [given.site_window(5, site="a-site")])
    assert historian.sites() == [
        SiteSpan(site="a-site", first_ms=start_of(5), last_ms=start_of(5), windows=1),
        SiteSpan(site=SITE, first_ms=start_of(2), last_ms=start_of(9), windows=2),
    ]


def test_series_are_listed_by_device_and_quantity(historian: SqliteHistorian) -> None:
    _write(historian, [given.chunk(1, series=given.names(2, "voltage"))])
    _write(historian, [given.chunk(1, series=given.names(1))])
    _write(historian, [given.chunk(1, series=given.names(3), site="other")])
    assert [(name.device, name.quantity) for name in historian.series(SITE)] == [
        ("meter-000", "active_power"),
        ("meter-000", "voltage"),
        ("meter-001", "voltage"),
    ]


def test_decision_is_told_from_plan_to_confirmed_state(historian: SqliteHistorian) -> None:
    """D-5: command, state change and ack under one correlation id."""
    messages: list[StoredMessage] = [
        given.ack(7),
        given.setpoint(7),
        given.verdict(7),
        given.plan(7),
    ]
    _write(historian, [*messages, given.plan(8)])
    steps = historian.decision(given.plan(7).decision_id)
    assert [step.kind for step in steps] == list(EventKind)
    assert [event_message(step) for step in steps] == messages[::-1]


def test_steps_keep_their_order_whatever_the_clocks_say(historian: SqliteHistorian) -> None:
    early = replace(given.ack(7), acked_ms=1)
    _write(historian, [early, given.setpoint(7), given.verdict(7)])
    kinds = [step.kind for step in historian.decision(early.decision_id)]
    assert kinds == [EventKind.VERDICT, EventKind.SETPOINT, EventKind.ACK]


def test_events_can_be_asked_for_by_kind(historian: SqliteHistorian) -> None:
    """S1-12: commands sent can be counted from stored events."""
    _write(historian, _log())
    _write(historian, [replace(given.setpoint(WINDOWS - 1), seq=2**40, renewal=True)])
    sent = historian.events(SITE, 0, 2**62, [EventKind.SETPOINT])
    assert {event.kind for event in sent} == {EventKind.SETPOINT}
    assert [event.outcome for event in sent].count("command") == WINDOWS
    assert historian.events(SITE, 0, END_MS, []) == []


def test_first_of_two_differing_events_stays(historian: SqliteHistorian) -> None:
    """Decisions are functions of the log: what was recorded is not rewritten."""
    first = given.verdict(1)
    _write(historian, [first, replace(first, decided_ms=first.decided_ms + 1)])
    (event,) = historian.events(SITE, 0, END_MS)
    assert event_message(event) == first


def test_two_acks_of_one_setpoint_are_both_kept(historian: SqliteHistorian) -> None:
    once = given.ack(1)
    _write(historian, [once, replace(once, event_id="again", acked_ms=once.acked_ms + 9)])
    assert historian.count(Measurement.EVENT) == 2


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


def test_site_model_that_grows_adds_series_without_renumbering(
    historian: SqliteHistorian,
) -> None:
    _write(historian, [given.chunk(0, series=given.names(2))])
    before = historian.meter_windows(SITE, 0, END_MS)
    _write(historian, [given.chunk(1, series=given.names(5))])
    assert historian.meter_windows(SITE, 0, start_of(1)) == before


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


def test_writing_nothing_is_allowed(historian: SqliteHistorian) -> None:
    historian.write([])
    assert set(_counts(historian).values()) == {0}


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
