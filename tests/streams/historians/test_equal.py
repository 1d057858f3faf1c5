"""Both historians answer every question equally, types and order included."""

from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as for_all
from hypothesis import strategies as st
from msgspec.structs import replace

from streams.historians.influx import InfluxHistorian
from streams.historians.points import EventPoint
from streams.historians.protocol import Historian
from streams.historians.sqlite import SqliteHistorian
from tests.support import historian_messages as given
from tests.support.historian_logs import Stored, answers, points, sites_of, stored, whole_log

EXAMPLES = count()

pytestmark = pytest.mark.influxdb


def _write(historian: Historian, log: list[Stored], at_once: int) -> None:
    for first in range(0, len(log), at_once):
        assert not historian.write(log[first : first + at_once])


def test_the_same_log_gives_the_same_answers(
    historian: SqliteHistorian, in_influxdb: InfluxHistorian
) -> None:
    """D-4, on both: the same log stored twice changes neither counts nor values."""
    log = stored(whole_log())
    sites = [*sites_of(log), "nowhere"]
    for each in (historian, in_influxdb):
        _write(each, log, at_once=10)
    told = answers(historian, sites)
    assert answers(in_influxdb, sites) == told
    before = [each.fingerprint() for each in (historian, in_influxdb)]
    for each in (historian, in_influxdb):
        _write(each, log, at_once=3)
    assert answers(historian, sites) == told
    assert answers(in_influxdb, sites) == told
    assert [each.fingerprint() for each in (historian, in_influxdb)] == before


@pytest.mark.parametrize("crash_at", [0, 1, 40, 77])
def test_a_store_that_begins_again_from_an_earlier_record_ends_with_the_same_content(
    historian: SqliteHistorian, in_influxdb: InfluxHistorian, crash_at: int
) -> None:
    """D-4: older revisions are written again, and the newer ones after them."""
    log = stored(whole_log())
    _write(historian, log, at_once=10)
    _write(in_influxdb, log[: crash_at + 20], at_once=10)
    _write(in_influxdb, log[crash_at:], at_once=7)
    assert answers(in_influxdb, sites_of(log)) == answers(historian, sites_of(log))


def test_many_series_are_picked_like_few(
    historian: SqliteHistorian, in_influxdb: InfluxHistorian
) -> None:
    series = given.names(120)
    log = stored([given.chunk(window, series=series) for window in range(3)])
    for each in (historian, in_influxdb):
        each.write(log)
    span = (given.SITE, given.start_of(0), given.start_of(3))
    told = historian.meter_windows(*span, series[:70])
    assert len(told) == 3 * 70
    assert in_influxdb.meter_windows(*span, series[:70]) == told


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@for_all(log=points(), at_once=st.integers(1, 5))
def test_any_log_gives_the_same_answers(
    in_influxdb: InfluxHistorian, log: list[Stored], at_once: int
) -> None:
    """Every example has sites of its own, for the bucket is the same."""
    number = next(EXAMPLES)
    log = [_of_example(point, number) for point in log]
    with TemporaryDirectory() as folder, SqliteHistorian(Path(folder) / "h") as in_sqlite:
        for each in (in_sqlite, in_influxdb):
            _write(each, log, at_once)
        sites = sites_of(log)
        told, expected = answers(in_influxdb, sites), answers(in_sqlite, sites)
    for question, answer in expected.items():
        if any(question.startswith(f"{site} ") for site in sites):
            assert told[question] == answer, question


def _of_example(point: Stored, number: int) -> Stored:
    """The same point of a site of this example's own."""
    site = f"{number} {point.site}"
    if not isinstance(point, EventPoint):
        return replace(point, site=site)
    identity = point.decision_id.replace(point.site, site, 1)
    key = identity if point.key == point.decision_id else point.key
    return replace(point, site=site, decision_id=identity, key=key)
