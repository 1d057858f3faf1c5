"""The stage store, as a process, between a real Kafka and a historian that fails."""

import os
import signal
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.local_influx import LocalInflux
from deploy.local_kafka import LocalKafka
from schemas.dead_letter import DeadLetter
from schemas.errors import BrokerError
from schemas.messages import Decoder, encode
from schemas.settings import Settings
from schemas.site_window import MeterWindows, SiteWindow
from schemas.topics import DEAD_LETTERS, METER_WINDOWS, SITE_WINDOWS
from streams import intake
from streams.historians.mapping import StoredMessage
from streams.historians.opening import configured_place
from streams.historians.points import Measurement, SitePoint
from streams.intake import Intake
from streams.kafka import ensure_topics, existing_topics, is_drained, producer, read_all
from tests.support import historian_messages as given
from tests.support.faulty_proxy import Fault, FaultyProxy
from tests.support.historian_messages import start_of
from tests.support.influx import InfluxBucket, new_bucket

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).resolve().parents[3]
TOPICS = [SITE_WINDOWS.name, METER_WINDOWS.name]
PATIENCE_S = 60.0
LATER = 200_000
"""A window eleven days later: InfluxDB keeps it in another file than the first ones."""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A Kafka for all tests here; every test has sites of its own."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@dataclass
class Bench:
    """Settings, and everything that a test does with store."""

    settings: Settings
    logs: Path

    @contextmanager
    def store(self, slot: int = 0) -> Iterator[subprocess.Popen[bytes]]:
        """Store as a process; it is killed where the body leaves it running."""
        log = self.logs / f"store-{slot}.log"
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, "-m", "streams.stage_process", "store", str(slot)],
                env=self._environment(),
                cwd=ROOT,
                stderr=file,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _environment(self) -> dict[str, str]:
        kept = {key: text for key, text in os.environ.items() if not key.startswith("GRIDLOOM_")}
        influxdb = self.settings.influxdb
        own = {
            "GRIDLOOM_FOLDER": str(self.settings.folder),
            "GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS": self.settings.kafka.bootstrap_servers,
            "GRIDLOOM_METRICS__PORT": "0",
        }
        if influxdb.url:
            own |= {
                "GRIDLOOM_INFLUXDB__URL": influxdb.url,
                "GRIDLOOM_INFLUXDB__BUCKET": influxdb.bucket,
                "GRIDLOOM_INFLUXDB__TOKEN": influxdb.store_secret(),
            }
        return kept | own

    def publish(self, messages: Sequence[StoredMessage]) -> None:
        """Write windows into their topics."""
        client = producer(self.settings.kafka, "test")
        for message in messages:
            topic = SITE_WINDOWS if isinstance(message, SiteWindow) else METER_WINDOWS
            client.produce(topic.name, key=message.site, value=encode(message))
        assert client.flush(30) == 0

    def is_done(self) -> bool:
        """Whether store has committed everything."""
        return is_drained(self.settings.kafka, "store", TOPICS)

    def content(self, site: str) -> tuple[object, ...]:
        """What the historian holds of a site."""
        with configured_place(self.settings).open() as reader:
            span = (site, 0, 2**62)
            return (*reader.site_windows(*span), *reader.meter_windows(*span))

    def log(self, slot: int = 0) -> str:
        """What store has logged."""
        return (self.logs / f"store-{slot}.log").read_text(encoding="utf-8")


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


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


def _log(site: str, windows: int = 30) -> list[SiteWindow | MeterWindows]:
    """Windows of a site, every third with a later revision."""
    log: list[SiteWindow | MeterWindows] = []
    for window in range(windows):
        log += [given.site_window(window, 0, site), given.chunk(window, 0, site)]
        if window % 3 == 2:
            log += [given.site_window(window - 2, 1, site), given.chunk(window - 2, 1, site)]
    return log


def test_sqlite_gets_everything_and_store_ends_when_asked(in_file: Bench) -> None:
    in_file.publish(_log("plain"))
    with in_file.store() as store:
        eventually(in_file.is_done)
        store.send_signal(signal.SIGTERM)
        assert store.wait(PATIENCE_S) == 0
    assert len(in_file.content("plain")) == 30 + 300
    assert "Traceback" not in in_file.log()


@pytest.mark.influxdb
def test_a_store_killed_between_write_and_commit_leaves_the_same_content(
    in_file: Bench, through: Bench, proxy: FaultyProxy
) -> None:
    """D-4: written, its answer lost, killed; whoever starts next writes it again."""
    log = _log("killed")
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
        bench.publish(_log("patient", 3))
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


@pytest.mark.influxdb
def test_a_batch_whose_partitions_went_to_another_process_is_let_go_of(
    through: Bench, proxy: FaultyProxy
) -> None:
    """Its new owner writes it; the old one must not, when InfluxDB is back (DESIGN 5)."""
    proxy.judge = lambda _: Fault(503)
    through.publish(_log("moved", 6))
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
