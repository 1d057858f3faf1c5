"""What every historian does: what is written is read, and writing it again changes nothing."""

from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from schemas.site_window import SeriesName, SeriesStatus
from streams.historians.mapping import StoredMessage, event_message, to_point
from streams.historians.points import EventKind, Measurement, MeterPoint
from streams.historians.protocol import Historian, HistorianReader, SiteSpan
from tests.support import historian_messages as given
from tests.support.historian_messages import SITE, start_of

WINDOWS = 24
END_MS = start_of(WINDOWS)


@pytest.fixture(params=["historian", pytest.param("in_influxdb", marks=pytest.mark.influxdb)])
def kept(request: pytest.FixtureRequest) -> Historian:
    """An empty historian of either kind."""
    opened: Historian = request.getfixturevalue(request.param)
    return opened


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


def test_replaying_the_log_changes_nothing(kept: Historian) -> None:
    """D-4: replay twice -> identical point count and values."""
    _write(kept, _log())
    counts, fingerprint = _counts(kept), kept.fingerprint()
    _write(kept, _log(), at_once=7)
    assert _counts(kept) == counts
    assert kept.fingerprint() == fingerprint
    assert counts == {
        Measurement.SITE_WINDOW: WINDOWS,
        Measurement.METER_WINDOW: 10 * WINDOWS,
        Measurement.EVENT: 4 * WINDOWS,
    }


def test_every_stored_time_is_on_the_grid(kept: Historian) -> None:
    """D-4: every point timestamp mod 5 s = 0."""
    _write(kept, _log())
    times = [
        *(point.window_start_ms for point in kept.site_windows(SITE, 0, END_MS)),
        *(point.window_start_ms for point in kept.meter_windows(SITE, 0, END_MS)),
        *(point.window_start_ms for point in kept.events(SITE, 0, END_MS)),
    ]
    assert len(times) == sum(_counts(kept).values())
    assert {time_ms % 5_000 for time_ms in times} == {0}


def test_fingerprint_tells_a_single_changed_value(kept: Historian) -> None:
    _write(kept, _log())
    before = kept.fingerprint()
    _write(kept, [given.chunk(3, revision=1, series=given.names(2))])
    assert kept.fingerprint() != before


def test_newer_revision_replaces_every_field(kept: Historian) -> None:
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
    _write(kept, [first, newer])
    assert kept.site_windows(SITE, 0, END_MS) == [to_point(newer)]


def test_value_that_turns_up_late_fills_its_gap(kept: Historian) -> None:
    missing = given.chunk(0, series=given.names(1))
    _write(kept, [missing])
    _write(kept, [replace(missing, revision=1, values=(4.5,), status="m")])
    (point,) = kept.meter_windows(SITE, 0, END_MS)
    assert (point.status, point.value, point.revision) == (SeriesStatus.MEASURED, 4.5, 1)


def test_missing_is_stored_as_null_and_never_as_zero(kept: Historian) -> None:
    _write(kept, [given.chunk(window) for window in range(WINDOWS)])
    points = kept.meter_windows(SITE, 0, END_MS)
    gaps = [point for point in points if point.status is SeriesStatus.MISSING]
    assert len(gaps) > WINDOWS
    assert {point.value for point in gaps} == {None}
    assert all(point.value is not None for point in points if point not in gaps)


def test_zero_is_stored_as_zero(kept: Historian) -> None:
    message = replace(given.chunk(1, series=given.names(1)), values=(0.0,), status="m")
    _write(kept, [message])
    assert [point.value for point in kept.meter_windows(SITE, 0, END_MS)] == [0.0]


def test_windows_are_read_back_as_written(kept: Historian) -> None:
    _write(kept, _log())
    written = [to_point(given.site_window(window)) for window in range(WINDOWS)]
    assert kept.site_windows(SITE, 0, END_MS) == written


def test_meter_values_are_read_back_to_the_last_bit(kept: Historian) -> None:
    message = replace(
        given.chunk(1, series=given.names(3)), values=(0.1 + 0.2, 1e-300, -1e9), status="mvm"
    )
    _write(kept, [message])
    assert kept.meter_windows(SITE, 0, END_MS) == [
        MeterPoint(start_of(1), "meter-000", "active_power", 0, SeriesStatus.MEASURED, 0.1 + 0.2),
        MeterPoint(start_of(1), "meter-001", "active_power", 0, SeriesStatus.VALID, 1e-300),
        MeterPoint(start_of(1), "meter-002", "active_power", 0, SeriesStatus.MEASURED, -1e9),
    ]


def test_span_holds_its_start_and_not_its_end(kept: Historian) -> None:
    _write(kept, _log())
    span = (SITE, start_of(4), start_of(6))
    expected = [start_of(4), start_of(5)]
    one = [given.names(3)[2]]
    assert [point.window_start_ms for point in kept.site_windows(*span)] == expected
    assert [point.window_start_ms for point in kept.meter_windows(*span, one)] == expected
    assert sorted({point.window_start_ms for point in kept.meter_windows(*span)}) == expected
    assert sorted({point.window_start_ms for point in kept.events(*span)}) == expected


@pytest.mark.parametrize(
    "wanted",
    [given.names(0), given.names(1), given.names(4), (*given.names(10), *given.names(1, "none"))],
    ids=["none", "one", "some", "all and an unknown one"],
)
def test_some_series_are_the_same_as_all_of_them_sifted(
    kept: Historian, wanted: tuple[SeriesName, ...]
) -> None:
    for window in (0, 1, 5, 6, 20):  # with holes between
        _write(kept, [given.chunk(window), given.chunk(window, site="other")])
    span = (SITE, start_of(1), start_of(20))
    sifted = [
        point
        for point in kept.meter_windows(*span)
        if SeriesName(device=point.device, quantity=point.quantity) in wanted
    ]
    assert kept.meter_windows(*span, wanted) == sifted


def test_unknown_site_has_nothing(kept: Historian) -> None:
    _write(kept, _log())
    assert kept.site_windows("nowhere", 0, END_MS) == []
    assert kept.meter_windows("nowhere", 0, END_MS) == []
    assert kept.meter_windows("nowhere", 0, END_MS, given.names(1)) == []
    assert kept.events("nowhere", 0, END_MS) == []
    assert kept.series("nowhere") == []
    assert kept.measured_meter_windows("nowhere") == 0
    assert kept.decision("nowhere.1.0") == []


def test_measured_meter_windows_counts_measured_active_power_only(
    kept: Historian,
) -> None:
    power, voltage = given.names(4), given.names(4, "voltage")
    told = {"values": (1.0, 2.0, 3.0, None), "status": "mmvx"}
    for site, series in ((SITE, power), (SITE, voltage), ("other", power)):
        _write(kept, [replace(given.chunk(1, site=site, series=series), **told)])
    assert kept.measured_meter_windows(SITE) == 2
    assert kept.measured_meter_windows() == 4


def test_sites_tell_what_they_hold(kept: Historian) -> None:
    _write(kept, [given.site_window(2), given.site_window(9)])
    _write(kept, [given.site_window(5, site="a-site")])
    assert kept.sites() == [
        SiteSpan(site="a-site", first_ms=start_of(5), last_ms=start_of(5), windows=1),
        SiteSpan(site=SITE, first_ms=start_of(2), last_ms=start_of(9), windows=2),
    ]


def test_series_are_listed_by_device_and_quantity(kept: Historian) -> None:
    _write(kept, [given.chunk(1, series=given.names(2, "voltage"))])
    _write(kept, [given.chunk(1, series=given.names(1))])
    _write(kept, [given.chunk(1, series=given.names(3), site="other")])
    assert [(name.device, name.quantity) for name in kept.series(SITE)] == [
        ("meter-000", "active_power"),
        ("meter-000", "voltage"),
        ("meter-001", "voltage"),
    ]


def test_decision_is_told_from_plan_to_confirmed_state(kept: Historian) -> None:
    """D-5: command, state change and ack under one correlation id."""
    messages: list[StoredMessage] = [
        given.ack(7),
        given.setpoint(7),
        given.verdict(7),
        given.plan(7),
    ]
    _write(kept, [*messages, given.plan(8)])
    steps = kept.decision(given.plan(7).decision_id)
    assert [step.kind for step in steps] == list(EventKind)
    assert [event_message(step) for step in steps] == messages[::-1]


def test_steps_keep_their_order_whatever_the_clocks_say(kept: Historian) -> None:
    early = replace(given.ack(7), acked_ms=1)
    _write(kept, [early, given.setpoint(7), given.verdict(7)])
    kinds = [step.kind for step in kept.decision(early.decision_id)]
    assert kinds == [EventKind.VERDICT, EventKind.SETPOINT, EventKind.ACK]


def test_events_can_be_asked_for_by_kind(kept: Historian) -> None:
    """S1-12: commands sent can be counted from stored events."""
    _write(kept, _log())
    _write(kept, [replace(given.setpoint(WINDOWS - 1), seq=2**40, renewal=True)])
    sent = kept.events(SITE, 0, 2**62, [EventKind.SETPOINT])
    assert {event.kind for event in sent} == {EventKind.SETPOINT}
    assert [event.outcome for event in sent].count("command") == WINDOWS
    assert kept.events(SITE, 0, END_MS, []) == []


def test_two_acks_of_one_setpoint_are_both_kept(kept: Historian) -> None:
    once = given.ack(1)
    _write(kept, [once, replace(once, event_id="again", acked_ms=once.acked_ms + 9)])
    assert kept.count(Measurement.EVENT) == 2


def test_site_model_that_grows_adds_series_without_renumbering(
    kept: Historian,
) -> None:
    _write(kept, [given.chunk(0, series=given.names(2))])
    before = kept.meter_windows(SITE, 0, END_MS)
    _write(kept, [given.chunk(1, series=given.names(5))])
    assert kept.meter_windows(SITE, 0, start_of(1)) == before


def test_writing_nothing_is_allowed(kept: Historian) -> None:
    kept.write([])
    assert set(_counts(kept).values()) == {0}
