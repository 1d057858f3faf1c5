"""A real InfluxDB with real faults, and those it cannot be asked for by a proxy before it.

Each ends the same way: nothing is lost, nothing is doubled, and what can never be written is told.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from influxdb_client import BucketRetentionRules

from deploy.influx_api import influx_client
from deploy.influx_provisioning import Retention
from deploy.local_influx import LocalInflux
from schemas.errors import HistorianAwayError, HistorianError
from streams.historians import influx as writer
from streams.historians.influx import InfluxHistorian
from streams.historians.influx_reader import open_influx_reader
from streams.historians.influx_session import Retention as BucketRetention
from streams.historians.points import Measurement, MeterPoints, Point
from streams.historians.protocol import Historian, RefusedPoint
from streams.patience import Patience
from tests.support import historian_messages as given
from tests.support.faulty_proxy import Fault, FaultyProxy
from tests.support.historian_logs import answers, stored, whole_log
from tests.support.historian_messages import SITE, start_of
from tests.support.influx import InfluxBucket, new_bucket

pytestmark = pytest.mark.influxdb

DAY_MS = 86_400_000


@pytest.fixture
def proxy(influx_bucket: InfluxBucket) -> Iterator[FaultyProxy]:
    """A proxy before the server."""
    with FaultyProxy(influx_bucket.url).running() as running:
        yield running


@pytest.fixture
def through(proxy: FaultyProxy, influx_bucket: InfluxBucket) -> Iterator[InfluxHistorian]:
    """An empty historian behind the proxy."""
    settings = influx_bucket.settings.model_copy(update={"url": proxy.url, "timeout_s": 1.0})
    with InfluxHistorian(settings) as opened:
        yield opened


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[LocalInflux]:
    """A server that may be killed and stopped."""
    with LocalInflux(tmp_path / "influxdb") as server:
        yield server


class Waits:
    """What the retry loop was told: pauses and reasons; ``then`` runs after so many tries."""

    def __init__(self, then: Callable[[], None] = lambda: None, tries: int = 1) -> None:
        self.pauses_s: list[float] = []
        self.reasons: list[str] = []
        self._then, self._tries = then, tries

    def write(self, historian: Historian, points: Sequence[Point]) -> Sequence[RefusedPoint]:
        """Write as store does, without its pauses."""
        patience = Patience(self._wait, self.reasons.append)
        refused = patience.until_done(lambda: historian.write(points))
        assert refused is not None
        return refused

    def _wait(self, pause_s: float) -> bool:
        self.pauses_s.append(pause_s)
        if len(self.pauses_s) == self._tries:
            self._then()
        assert len(self.pauses_s) < 200
        time.sleep(0.05)
        return True


def _points(count: int = 5) -> list[Point]:
    return [point for window in range(count) for point in _window(window)]


def _window(window: int) -> list[Point]:
    return list(stored([given.site_window(window), given.chunk(window)]))


@pytest.fixture
def undisturbed(influx: LocalInflux) -> Iterator[InfluxHistorian]:
    """A second historian, to compare with."""
    bucket = new_bucket(influx)
    with InfluxHistorian(bucket.settings) as opened:
        yield opened
    bucket.delete()


FAULTS = {
    "busy": (Fault(429), "busy"),
    "unavailable": (Fault(503, {"Retry-After": "2"}), "busy"),
    "fails": (Fault(500), "failing"),
    "bad gateway": (Fault(502), "failing"),
    "fails after it has written": (Fault(500, after=True), "failing"),
    "no answer": (Fault(0), "away"),
    "no answer, but written": (Fault(0, after=True), "away"),
}


@pytest.mark.parametrize(("fault", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_server_that_fails_gets_the_same_again_and_nothing_is_lost_or_doubled(
    proxy: FaultyProxy,
    through: InfluxHistorian,
    undisturbed: InfluxHistorian,
    fault: Fault,
    reason: str,
) -> None:
    log = list(stored(whole_log()))
    undisturbed.write(log)
    proxy.first(3, fault)
    waits = Waits()
    assert waits.write(through, log) == ()
    assert waits.reasons == [reason] * 3
    assert set(proxy.bodies) == {proxy.bodies[0]}
    sites = ["feeder-1", "feeder-2"]
    assert answers(through, sites) == answers(undisturbed, sites)


@pytest.mark.parametrize(
    ("header", "expected_s"),
    [
        ("7", 7.0),
        ("3600", 60.0),
        ("Wed, 21 Oct 2015 07:28:05 GMT", 5.0),
        ("soon", 0.1),
        ("-3", 0.1),
    ],
)
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks_within_reason(
    proxy: FaultyProxy, through: InfluxHistorian, header: str, expected_s: float
) -> None:
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    proxy.first(1, Fault(429, {"Retry-After": header, "Date": date}))
    waits = Waits()
    waits.write(through, _points(1))
    assert waits.pauses_s == [expected_s]


def test_pauses_grow_to_a_limit(proxy: FaultyProxy, through: InfluxHistorian) -> None:
    proxy.first(9, Fault(500))
    waits = Waits()
    waits.write(through, _points(1))
    assert waits.pauses_s == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]


def test_a_request_that_is_too_large_is_split_and_every_point_arrives(
    proxy: FaultyProxy, through: InfluxHistorian
) -> None:
    proxy.judge = lambda body: Fault(413) if len(body) > 700 else None
    points = _points(6)
    assert through.write(points) == ()
    assert max(map(len, proxy.bodies)) > 700
    assert through.count(Measurement.SITE_WINDOW) == 6
    assert through.count(Measurement.METER_WINDOW) == 60


def test_a_point_that_is_too_large_by_itself_is_refused_and_no_other(
    proxy: FaultyProxy, through: InfluxHistorian
) -> None:
    proxy.judge = lambda body: Fault(413) if len(body) > 700 else None
    points = [*_points(3), *stored([given.plan(1)]), *_points(4)]
    (refused,) = through.write(points)
    assert refused.index == 6
    assert "413" in refused.reason
    assert through.count(Measurement.SITE_WINDOW) == 4
    assert through.count(Measurement.EVENT) == 0


def test_points_that_do_not_fit_what_is_stored_are_found_among_many(
    influx_bucket: InfluxBucket, in_influxdb: InfluxHistorian
) -> None:
    """422 of the real server: another program wrote a text where ours has a number."""
    taken_ns = start_of(4) * 1_000_000
    line = (
        f'meter_window,device=meter-003,quantity=active_power,site={SITE} value="text" {taken_ns}'
    )
    influx_bucket.write([line])
    series = given.names(10)
    points = [
        *_points(3),
        *stored([given.chunk(4, series=series), given.chunk(5, series=given.names(3))]),
        *stored([given.site_window(6)]),
    ]
    refused = in_influxdb.write(points)
    assert [each.index for each in refused] == [1, 3, 5, 6, 7]
    assert {"field type conflict" in each.reason for each in refused} == {True}
    assert in_influxdb.count(Measurement.SITE_WINDOW) == 4


def test_a_line_that_cannot_be_parsed_is_found_and_its_neighbours_are_written(
    in_influxdb: InfluxHistorian,
) -> None:
    """400 of the real server. A number that JSON cannot bring stands for what we do not foresee."""
    (good,) = stored([given.chunk(4)])
    assert isinstance(good, MeterPoints)
    values = (float("nan"), *(1.0 for _ in good.values[1:]))
    bad = MeterPoints(
        site=SITE,
        window_start_ms=start_of(7),
        revision=0,
        series=good.series,
        values=values,
        status="m" * 10,
    )
    (refused,) = in_influxdb.write([*_points(4), bad, good])
    assert refused.index == 8
    assert "invalid number" in refused.reason
    assert in_influxdb.count(Measurement.METER_WINDOW) == 50 + 9


def test_points_older_than_the_retention_are_refused_without_asking(
    influx: LocalInflux, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = new_bucket(influx, Retention(raw_days=30))
    posted: list[bytes] = []
    with InfluxHistorian(bucket.settings) as historian:
        post = historian._connection.post  # noqa: SLF001

        def note(body: bytes) -> None:
            posted.append(body)
            post(body)

        monkeypatch.setattr(
            historian._connection,  # noqa: SLF001
            "post",
            note,
        )
        now_ms = time.time_ns() // 1_000_000 // 5_000 * 5_000
        old, fresh = now_ms - 31 * DAY_MS, now_ms - 29 * DAY_MS
        points = [_at(old), _at(fresh), _at(old - DAY_MS), _at(now_ms)]
        refused = historian.write(points)
        assert [each.index for each in refused] == [0, 2]
        assert refused[0].reason.startswith("older than the bucket's retention of 30 days: enlarge")
        assert "historian setup" in refused[0].reason
        assert len(posted) == 1
        assert historian.count(Measurement.METER_WINDOW) == 20
    bucket.delete()


def _at(start_ms: int) -> MeterPoints:
    """A chunk of another time."""
    (chunk,) = stored([given.chunk(0)])
    assert isinstance(chunk, MeterPoints)
    values = {name: getattr(chunk, name) for name in chunk.__struct_fields__}
    return MeterPoints(**{**values, "window_start_ms": start_ms})


def test_a_retention_that_is_shortened_is_noticed_and_one_that_is_enlarged_too(
    influx: LocalInflux, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = new_bucket(influx)
    old_ms = time.time_ns() // 1_000_000 // 5_000 * 5_000 - 10 * DAY_MS
    with InfluxHistorian(bucket.settings) as historian:
        assert historian.write([_at(old_ms)]) == ()
        _set_retention(bucket, 86_400)
        refused = historian.write([_at(old_ms), _at(old_ms + 10 * DAY_MS)])
        assert [(each.index, "retention of 1 days" in each.reason) for each in refused] == [
            (0, True)
        ]
        _set_retention(bucket, 0)
        assert [each.index for each in historian.write([_at(old_ms)])] == [0]
        monkeypatch.setattr(BucketRetention, "_ASKED_AGAIN_S", 0.0)
        assert historian.write([_at(old_ms)]) == ()
    bucket.delete()


def _set_retention(bucket: InfluxBucket, seconds: int) -> None:
    with influx_client(bucket.operator) as client:
        found = client.buckets_api().find_buckets(name=bucket.bucket).buckets[0]
        found.retention_rules = [
            BucketRetentionRules(every_seconds=seconds, shard_group_duration_seconds=3_600)
        ]
        client.buckets_api().update_bucket(found)


def test_a_token_that_is_revoked_stops_writing_until_it_is_valid_again(
    influx: LocalInflux,
) -> None:
    bucket = new_bucket(influx)
    with InfluxHistorian(bucket.settings) as historian:
        historian.write(_points(2))
        _switch_token(bucket, "inactive")
        with pytest.raises(HistorianAwayError, match="does not let us use bucket") as caught:
            historian.write(_points(3))
        assert caught.value.reason == "denied"
        assert "token_file" in caught.value.hint
        waits = Waits(lambda: _switch_token(bucket, "active"), tries=3)
        assert waits.write(historian, _points(3)) == ()
        assert waits.reasons == ["denied"] * 3
        assert historian.count(Measurement.SITE_WINDOW) == 3
    bucket.delete()


def _switch_token(bucket: InfluxBucket, status: str) -> None:
    with influx_client(bucket.operator) as client:
        api = client.authorizations_api()
        (found,) = [
            each
            for each in api.find_authorizations(org=bucket.org)
            if each.token == bucket.tokens.store
        ]
        found.status = status
        api.update_authorization(found)


def test_a_bucket_that_is_deleted_is_waited_for(influx: LocalInflux) -> None:
    bucket = new_bucket(influx)
    with InfluxHistorian(bucket.settings) as historian:
        historian.write(_points(2))
        with influx_client(bucket.operator) as client:
            found = client.buckets_api().find_buckets(name=bucket.bucket).buckets[0]
            client.buckets_api().delete_bucket(found)
        with pytest.raises(HistorianAwayError, match=f'bucket "{bucket.bucket}" not found') as told:
            historian.write(_points(3))
        assert told.value.reason == "unknown"
        assert "historian setup" in told.value.hint
        with pytest.raises(HistorianError):
            historian.count(Measurement.EVENT)
    bucket.delete()


def test_a_server_that_is_killed_has_everything_that_was_acknowledged(
    own_server: LocalInflux,
) -> None:
    """SIGKILL leaves what a write returned for; what it did not return for is written again."""
    settings = new_bucket(own_server).settings
    with InfluxHistorian(settings) as historian:
        historian.write(_points(3))
        before = historian.fingerprint()
        assert own_server.pid is not None
        os.kill(own_server.pid, signal.SIGKILL)
        with pytest.raises(HistorianAwayError, match="no InfluxDB answers") as caught:
            _until_away(historian)
        assert caught.value.reason == "away"

        def start_again() -> None:
            own_server.stop(0)
            own_server.start()
            assert historian.fingerprint() == before

        waits = Waits(start_again, tries=2)
        assert waits.write(historian, _points(5)) == ()
        assert set(waits.reasons) == {"away"}
        assert historian.count(Measurement.METER_WINDOW) == 50


def _until_away(historian: InfluxHistorian) -> None:
    """A process takes a moment to die."""
    for _ in range(100):
        historian.write(_points(3))
        time.sleep(0.02)


def test_a_server_that_stands_still_is_given_up_and_what_is_newer_waits_for_its_late_write(
    own_server: LocalInflux, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late retry must not overwrite a newer revision: SIGSTOP, then what it had in its ear."""
    monkeypatch.setattr(writer, "WRITE_LIMIT_S", 1.5)
    settings = new_bucket(own_server).settings.model_copy(update={"timeout_s": 0.5})
    first = stored([given.site_window(1, 0), given.chunk(1, 0)])
    newer = stored([given.site_window(1, 1), given.chunk(1, 1)])
    with InfluxHistorian(settings) as historian:
        assert own_server.pid is not None
        os.kill(own_server.pid, signal.SIGSTOP)
        wake = Waits(lambda: os.kill(own_server.pid or 0, signal.SIGCONT), tries=2)
        assert wake.write(historian, first) == ()
        assert set(wake.reasons) == {"slow"}
        with pytest.raises(HistorianAwayError, match="what is newer waits") as caught:
            historian.write(newer)
        assert caught.value.reason == "settling"
        assert 0 < (caught.value.retry_after_s or 0) <= 1.5
        settled = Waits()
        assert settled.write(historian, newer) == ()
        assert set(settled.reasons) == {"settling"}
        revisions = [
            *(point.revision for point in historian.site_windows(SITE, 0, 2**62)),
            *(point.revision for point in historian.meter_windows(SITE, 0, 2**62)),
        ]
        assert set(revisions) == {1}
        assert historian.write(_points(1)) == ()


def test_a_reader_of_a_server_that_is_away_is_told_to_try_again(tmp_path: Path) -> None:
    with LocalInflux(tmp_path / "influxdb") as server:
        reader = open_influx_reader(new_bucket(server).settings)
    with pytest.raises(HistorianAwayError, match="no InfluxDB answers"):
        reader.count(Measurement.EVENT)
    with pytest.raises(HistorianAwayError, match="no InfluxDB answers"):
        reader.site_windows(SITE, 0, 2**62)
    reader.close()
    reader.close()


def test_what_others_write_into_the_bucket_is_told_and_half_a_point_is_not_shown(
    influx_bucket: InfluxBucket, in_influxdb: InfluxHistorian
) -> None:
    in_influxdb.write(_points(2))
    ns = start_of(3) * 1_000_000
    span = (SITE, 0, 2**62)
    meter = f"meter_window,device=x,quantity=voltage,site={SITE}"
    influx_bucket.write(
        [
            f"site_window,site={SITE} load_kw=1.0 {ns}",
            f"{meter} revision=0i {ns}",
            f'{meter} revision=0i,status="m" {ns}',
            f"event,kind=plan,site={SITE} load_kw=1.0 {ns}",
        ]
    )
    assert len(in_influxdb.site_windows(*span)) == 2
    assert len(in_influxdb.meter_windows(*span)) == 20
    assert in_influxdb.events(*span) == []
    junk = f'window_start_ms={start_of(3)}i,seq=1i,reasons="no JSON"'
    influx_bucket.write([f"event,kind=plan,site={SITE} {junk} {ns}"])
    with pytest.raises(HistorianError, match="did not write") as caught:
        in_influxdb.events(*span)
    assert "bucket" in caught.value.hint
