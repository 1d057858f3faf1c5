"""The stage store, as a process, between a real Kafka and a historian that fails."""

import os
import signal
import sqlite3
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from deploy.local_influx import LocalInflux
from deploy.local_kafka import LocalKafka
from schemas.dead_letter import DeadLetter
from schemas.errors import BrokerError
from schemas.messages import Decoder, encode
from schemas.settings import Settings
from schemas.site_window import SiteWindow
from schemas.topics import DEAD_LETTERS, SITE_WINDOWS
from streams import intake
from streams.historians.mapping import StoredMessage, to_point
from streams.historians.opening import configured_place
from streams.historians.points import Measurement, SitePoint
from streams.historians.sqlite import SqliteHistorian
from streams.intake import Intake
from streams.kafka import ensure_topics, existing_topics, read_all
from tests.support import historian_messages as given
from tests.support.faulty_proxy import Fault, FaultyProxy
from tests.support.historian_messages import start_of
from tests.support.influx import InfluxBucket, new_bucket
from tests.support.storing import PATIENCE_S, Bench, eventually, windows_log

pytestmark = pytest.mark.kafka

LATER = 200_000
"""A window eleven days later: InfluxDB keeps it in another file than the first ones."""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A Kafka for all tests here; every test has sites of its own."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def in_file(kafka: LocalKafka, tmp_path: Path) -> Bench:
    """Store with SQLite."""
    settings = Settings.model_validate(
        {
            "folder": tmp_path,
            "kafka": {"bootstrap_servers": kafka.bootstrap_servers, "partitions": 2},
        }
    )
    ensure_topics(settings.kafka)
    return Bench(settings, tmp_path)


@pytest.fixture
def proxy(influx_bucket: InfluxBucket) -> Iterator[FaultyProxy]:
    """A proxy before the InfluxDB."""
    with FaultyProxy(influx_bucket.url).running() as running:
        yield running


@pytest.fixture
def through(in_file: Bench, influx_bucket: InfluxBucket, proxy: FaultyProxy) -> Bench:
    """Store with an InfluxDB behind a proxy."""
    influxdb = influx_bucket.settings.model_copy(update={"url": proxy.url})
    settings = in_file.settings.model_copy(update={"influxdb": influxdb})
    return Bench(settings, in_file.logs)


def test_sqlite_gets_everything_and_store_ends_when_asked(in_file: Bench) -> None:
    in_file.publish(windows_log("plain"))
    with in_file.store() as store:
        eventually(in_file.is_done)
        store.send_signal(signal.SIGTERM)
        assert store.wait(PATIENCE_S) == 0
    assert len(in_file.content("plain")) == 30 + 300
    assert "Traceback" not in in_file.log()


def undisturbed(log: Sequence[StoredMessage], path: Path, site: str) -> tuple[object, ...]:
    """What a historian holds that was given everything once, in its order."""
    with SqliteHistorian(path) as historian:
        historian.write([to_point(message) for message in log])
        return (*historian.site_windows(site, 0, 2**62), *historian.meter_windows(site, 0, 2**62))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else can write to an SQLite file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_store_killed_between_write_and_commit_to_sqlite_leaves_the_same_content(
    kafka: LocalKafka, in_file: Bench, tmp_path: Path
) -> None:
    """D-4: with a batch in hand it can write but not commit, since Kafka stands still and dies."""
    log = windows_log("unacknowledged")
    assert kafka.pid is not None
    with in_file.store() as store:
        in_file.publish(windows_log("before", 1))
        eventually(in_file.is_done)
        with locked(in_file.settings.historian_path):
            in_file.publish(log)
            eventually(lambda: "tried again" in in_file.log())
            os.kill(kafka.pid, signal.SIGSTOP)
        eventually(lambda: in_file.content("unacknowledged") != ())
        os.kill(kafka.pid, signal.SIGKILL)
        store.kill()
    kafka.stop()
    kafka.start()
    eventually(in_file.can_tell)
    assert not in_file.is_done()
    with in_file.store():
        eventually(in_file.is_done)
    expected = undisturbed(log, tmp_path / "undisturbed.sqlite", "unacknowledged")
    assert in_file.content("unacknowledged") == expected


def test_a_store_without_room_for_its_file_ends_with_a_sentence_and_goes_on_where_there_is(
    in_file: Bench, tmp_path: Path
) -> None:
    """Nothing is committed that is not stored; Kafka keeps the rest."""
    log = windows_log("full", 300)
    in_file.publish(log)
    with in_file.store(largest_file=200_000) as store:
        assert store.wait(PATIENCE_S) == 1
    assert "Kafka keeps" in in_file.log()
    assert "Traceback" not in in_file.log()
    assert not in_file.is_done()
    with in_file.store():
        eventually(in_file.is_done)
    assert in_file.content("full") == undisturbed(log, tmp_path / "undisturbed.sqlite", "full")


@pytest.mark.influxdb
def test_a_store_killed_between_write_and_commit_leaves_the_same_content(
    in_file: Bench, through: Bench, proxy: FaultyProxy
) -> None:
    """D-4: written, its answer lost, killed; whoever starts next writes it again."""
    log = windows_log("killed")
    proxy.judge = lambda _: Fault(0, after=True)
    through.publish(log)
    with through.store() as store:
        eventually(lambda: len(proxy.bodies) > 1)
        store.kill()
    assert not through.is_done()
    assert through.content("killed") != ()
    proxy.judge = lambda _: None
    with through.store():
        eventually(through.is_done)
    with in_file.store():
        in_file.publish(log)
        eventually(in_file.is_done)
    assert through.content("killed") == in_file.content("killed")


@pytest.mark.influxdb
def test_records_that_are_refused_become_dead_letters_and_all_others_are_stored(
    in_file: Bench, influx_bucket: InfluxBucket
) -> None:
    """DESIGN decision 5: 422 goes to dead letters, original bytes, place and reason included."""
    influxdb = influx_bucket.settings
    bench = Bench(in_file.settings.model_copy(update={"influxdb": influxdb}), in_file.logs)
    taken_ns = start_of(LATER) * 1_000_000
    influx_bucket.write([f'site_window,site=refused load_kw="text" {taken_ns}'])
    bad, good = given.site_window(LATER, 0, "refused"), given.site_window(2, 0, "taken")
    bench.publish([given.chunk(1, 0, "refused"), bad, good, given.chunk(3, 0, "refused")])
    with bench.store():
        eventually(bench.is_done)
    assert len(bench.content("refused")) == 20
    assert len(bench.content("taken")) == 1
    letters = _letters(bench)
    (letter,) = [each for each in letters if b64decode(each.original_base64) == encode(bad)]
    assert (letter.stage, letter.origin) == ("store", SITE_WINDOWS.name)
    assert "field type conflict" in letter.errors[-1]
    (record,) = [
        each
        for each in read_all(bench.settings.kafka, SITE_WINDOWS.name, [letter.partition])
        if each.offset() == letter.position
    ]
    assert record.value() == encode(bad)
    assert bench.log().count("are dead letters") == 1


def _letters(bench: Bench) -> list[DeadLetter]:
    decoder: Decoder[DeadLetter] = Decoder(DeadLetter)
    kafka = bench.settings.kafka
    records = read_all(kafka, DEAD_LETTERS.name, range(existing_topics(kafka)[DEAD_LETTERS.name]))
    return [decoder.decode(value) for each in records if isinstance(value := each.value(), bytes)]


@pytest.mark.influxdb
def test_store_waits_for_an_influxdb_that_is_away_and_can_be_stopped_meanwhile(
    in_file: Bench, tmp_path: Path
) -> None:
    """At its start, and in the midst of its work; Kafka keeps what is not written."""
    with ExitStack() as ending:
        server = ending.enter_context(LocalInflux(tmp_path / "influxdb"))
        influxdb = new_bucket(server).settings
        server.stop()
        bench = Bench(in_file.settings.model_copy(update={"influxdb": influxdb}), tmp_path)
        bench.publish(windows_log("patient", 3))
        with bench.store() as store:
            eventually(lambda: "no InfluxDB answers" in bench.log())
            store.send_signal(signal.SIGTERM)
            assert store.wait(PATIENCE_S) == 0
        assert not bench.is_done()
        with bench.store() as store:
            eventually(lambda: bench.log().count("no InfluxDB answers") > 1)
            server.start()
            eventually(bench.is_done)
            server.stop()
            told = bench.log().count("no InfluxDB answers")
            bench.publish([given.site_window(9, 0, "patient")])
            eventually(lambda: bench.log().count("no InfluxDB answers") > told)
            store.send_signal(signal.SIGTERM)
            assert store.wait(PATIENCE_S) == 0
        server.start()
        assert not bench.is_done()
        with bench.store():
            eventually(bench.is_done)
        assert len(bench.content("patient")) == 3 + 1 + 30


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own, in memory."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs"]
    subprocess.run(["/bin/mount", *options, str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room that is left."""
    path = folder / "filler"
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(b"\0" * 4_096):
            pass
    return path


@pytest.mark.mount
def test_store_on_a_full_disk_ends_with_a_sentence_and_goes_on_when_there_is_room(
    in_file: Bench, tmp_path: Path
) -> None:
    log = windows_log("no-room", 100)
    with small_disk(tmp_path / "disk", 8) as disk:
        settings = in_file.settings.model_copy(update={"folder": disk})
        bench = Bench(settings, tmp_path)
        with bench.store():
            bench.publish(windows_log("before-full", 1))
            eventually(bench.is_done)
        filler = fill(disk)
        bench.publish(log)
        with bench.store() as store:
            assert store.wait(PATIENCE_S) == 1
        assert "disk" in bench.log()
        assert "Traceback" not in bench.log()
        assert not bench.is_done()
        filler.unlink()
        with bench.store():
            eventually(bench.is_done)
        expected = undisturbed(log, tmp_path / "undisturbed.sqlite", "no-room")
        assert bench.content("no-room") == expected


@pytest.mark.influxdb
@pytest.mark.mount
def test_store_waits_for_an_influxdb_whose_disk_is_full(in_file: Bench, tmp_path: Path) -> None:
    """Nothing is lost. A shard that it could not open InfluxDB tries again after a new start."""
    log = windows_log("full-influx", 100)
    with small_disk(tmp_path / "disk", 200) as disk, LocalInflux(disk / "influxdb") as server:
        settings = in_file.settings.model_copy(update={"influxdb": new_bucket(server).settings})
        bench = Bench(settings, tmp_path)
        with bench.store() as store:
            bench.publish(windows_log("before-full", 1))
            eventually(bench.is_done)
            filler = fill(disk)
            bench.publish(log)
            eventually(lambda: "it is tried again, nothing is lost" in bench.log())
            assert not bench.is_done()
            filler.unlink()
            server.stop()
            server.start()
            eventually(bench.is_done)
            assert store.poll() is None
        expected = undisturbed(log, tmp_path / "undisturbed.sqlite", "full-influx")
        assert bench.content("full-influx") == expected


@pytest.mark.influxdb
def test_a_batch_whose_partitions_went_to_another_process_is_let_go_of(
    through: Bench, proxy: FaultyProxy
) -> None:
    """Its new owner writes it; the old one must not, when InfluxDB is back (DESIGN 5)."""
    proxy.judge = lambda _: Fault(503)
    through.publish(windows_log("moved", 6))
    with through.store(slot=0) as one:
        eventually(lambda: "is busy" in through.log(0))
        with through.store(slot=1) as other:
            eventually(lambda: "other processes of this stage" in through.log(0))
            proxy.judge = lambda _: None
            eventually(through.is_done)
            for process in (one, other):
                process.send_signal(signal.SIGTERM)
                assert process.wait(PATIENCE_S) == 0
    with configured_place(through.settings).open() as reader:
        assert reader.count(Measurement.SITE_WINDOW) == 6
    assert {point.revision for point in _first_windows(through)} == {1}


def _first_windows(bench: Bench) -> list[SitePoint]:
    with configured_place(bench.settings).open() as reader:
        return [
            point
            for point in reader.site_windows("moved", 0, 2**62)
            if point.window_start_ms in {start_of(0), start_of(3)}
        ]


@pytest.fixture
def taking(in_file: Bench) -> Iterator[Intake]:
    """A member of a group of its own."""
    member = Intake(in_file.settings.kafka, "intake-test", 0, [SITE_WINDOWS.name])
    yield member
    member.close()


def _taken(member: Intake, site: str) -> list[int]:
    """Windows of a site in the next batch that has any, which is committed."""
    deadline_s = time.monotonic() + PATIENCE_S
    decoder: Decoder[SiteWindow] = Decoder(SiteWindow)
    while time.monotonic() < deadline_s:
        messages = member.take(1_000, 0.1)
        values = [value for each in messages if isinstance(value := each.value(), bytes)]
        windows = [decoder.decode(value) for value in values]
        if messages:
            member.commit(messages)
        if found := [w.window_start_ms for w in windows if w.site == site]:
            return found
    return []


def test_a_batch_that_is_held_takes_nothing_and_what_came_meanwhile_comes_after_it(
    in_file: Bench, taking: Intake
) -> None:
    windows = [given.site_window(window, 0, "held") for window in range(6)]
    in_file.publish(windows[:3])
    assert _taken(taking, "held") == [start_of(n) for n in range(3)]
    in_file.publish(windows[3:])
    for _ in range(5):
        assert taking.hold(0.2)
    assert _taken(taking, "held") == [start_of(n) for n in range(3, 6)]


def test_a_process_that_stood_still_for_longer_than_its_session_does_not_write(
    taking: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    taking.take(1, 0.0)
    taking.require_awake()
    monkeypatch.setattr(intake, "SESSION_S", 0.0)
    time.sleep(0.01)
    with pytest.raises(BrokerError, match="stood still"):
        taking.require_awake()
