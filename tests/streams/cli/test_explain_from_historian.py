"""Decisions that Kafka cannot tell of: the historian is asked, and the reader is told so."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from schemas.clock import PipelineClock
from schemas.errors import BrokerError, ConfigurationError, HistorianAwayError
from schemas.setpoint import Ack, Setpoint
from schemas.settings import Settings
from streams.explaining.asking import explain
from streams.explaining.listing import newest_switches
from streams.historians.influx import InfluxHistorian
from streams.historians.mapping import to_point
from streams.historians.sqlite import SqliteHistorian
from tests.streams.cli.chain import (
    CLOSES_MS,
    SHED_WINDOW,
    START_MS,
    Chain,
    calm_with_a_peak,
    publish,
    site,
    start_of,
)
from tests.streams.cli.conftest import Gridloom
from tests.support.influx import InfluxBucket

CLOCK = PipelineClock(event_origin_ms=START_MS, append_origin_ms=1_790_000_000_000, speed=10)
NOWHERE = "127.0.0.1:1"
"""An address where no Kafka answers."""


def settings_in(folder: Path, bootstrap_servers: str = NOWHERE) -> Settings:
    kafka = {"bootstrap_servers": bootstrap_servers}
    return Settings.model_validate({"folder": folder, "kafka": kafka})


def store(path: Path, chain: Chain) -> None:
    """Write a chain's records as `store` does."""
    historian = SqliteHistorian(path)
    historian.write([to_point(record.message) for record in chain.records])
    historian.close()


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Chain:
    """A site whose decisions are in the historian of a local stack that runs no longer."""
    folder = tmp_path_factory.mktemp("home")
    chain = calm_with_a_peak(Chain(site(), CLOCK, folder / "boards"))
    (folder / "local").mkdir()
    store(folder / "local" / "historian.sqlite", chain)
    return chain


@pytest.fixture
def home(stored: Chain) -> Path:
    """The home folder of that stack."""
    return stored.folder.parent


def test_a_decision_is_told_from_the_historian_where_kafka_is_away(
    home: Path, stored: Chain
) -> None:
    story = explain(settings_in(home), stored.decision(SHED_WINDOW))
    assert story.source == f"historian {home / 'local' / 'historian.sqlite'}"
    assert story.notes[0] == f"Kafka does not answer at {NOWHERE}"
    assert story.first_window is None
    assert story.last_window is not None
    assert (story.last_window.message.revision, story.last_window.message.load_kw) == (1, 94.5)
    assert [ack.message.changed for ack in story.acks] == [(4,)]


def test_the_historian_tells_delays_in_pipeline_time_only(home: Path, stored: Chain) -> None:
    """It keeps no log time; a delay between steps without a time of their own is unknown."""
    story = explain(settings_in(home), stored.decision(SHED_WINDOW))
    told = [(delay.start, delay.end, delay.log_ms, delay.pipeline_ms) for delay in story.delays]
    assert told == [
        ("plan", "verdict", None, None),
        ("verdict", "setpoint board-1", None, 80),
        ("setpoint board-1", "ack board-1", None, 310),
    ]
    assert story.verdict is not None
    assert story.verdict.pipeline_ms == start_of(SHED_WINDOW) + 5_000 + CLOSES_MS + 230


def test_the_newest_that_switched_are_listed_from_the_historian(home: Path, stored: Chain) -> None:
    listing = newest_switches(settings_in(home))
    assert [each.decision_id for each in listing.decisions] == [stored.decision(SHED_WINDOW)]
    assert listing.decisions[0].verdict == "accepted"
    assert listing.source.endswith(f"(Kafka does not answer at {NOWHERE})")


def test_an_unknown_decision_names_the_nearest_in_the_historian(home: Path, stored: Chain) -> None:
    with pytest.raises(ConfigurationError) as caught:
        explain(settings_in(home), stored.decision(10_000))
    assert stored.decision(39) in caught.value.hint
    assert caught.value.problems == (f"Kafka does not answer at {NOWHERE}",)


def test_without_kafka_and_historian_both_are_named(tmp_path: Path, stored: Chain) -> None:
    with pytest.raises(BrokerError, match="and there is no historian") as caught:
        explain(settings_in(tmp_path), stored.decision(3))
    assert "gridloom up" in caught.value.hint
    with pytest.raises(BrokerError):
        newest_switches(settings_in(tmp_path))


def test_the_command_says_where_it_looked(gridloom: Gridloom, home: Path, stored: Chain) -> None:
    told = gridloom(
        "explain",
        stored.decision(SHED_WINDOW),
        folder=home,
        GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS=NOWHERE,
    )
    assert told.returncode == 0
    assert f"note: Kafka does not answer at {NOWHERE}" in told.stdout
    assert "Confirmed by 1 device(s)." in told.stdout
    assert told.stderr == ""


@pytest.mark.influxdb
def test_influxdb_tells_the_same_story_as_sqlite(
    tmp_path: Path, home: Path, stored: Chain, influx_bucket: InfluxBucket
) -> None:
    """And where it is configured it is asked first; one that is away does not hide the others."""
    with InfluxHistorian(influx_bucket.settings) as historian:
        historian.write([to_point(record.message) for record in stored.records])
    settings = settings_in(tmp_path).model_copy(update={"influxdb": influx_bucket.settings})
    told = explain(settings, stored.decision(SHED_WINDOW))
    assert told.source.startswith(f"InfluxDB {influx_bucket.url}, bucket {influx_bucket.bucket}")
    by_sqlite = explain(settings_in(home), stored.decision(SHED_WINDOW))
    assert replace(told, source="") == replace(by_sqlite, source="")
    decisions = newest_switches(settings).decisions
    assert decisions == newest_switches(settings_in(home)).decisions
    away = influx_bucket.settings.model_copy(update={"url": f"http://{NOWHERE}"})
    settings = settings_in(home).model_copy(update={"influxdb": away})
    assert explain(settings, stored.decision(SHED_WINDOW)) == by_sqlite
    assert newest_switches(settings).decisions == decisions
    with pytest.raises(HistorianAwayError, match="no InfluxDB answers"):
        newest_switches(settings_in(tmp_path).model_copy(update={"influxdb": away}))


@pytest.mark.kafka
def test_what_kafka_no_longer_holds_is_told_from_the_historian(
    stack_settings: Settings, tmp_path: Path
) -> None:
    old = Chain(site("forgotten"), CLOCK, tmp_path / "boards").run([80.0] * 3)
    store(tmp_path / "historian.sqlite", old)
    kafka = stack_settings.kafka.bootstrap_servers
    story = explain(settings_in(tmp_path, kafka), old.decision(2))
    assert story.notes[0] == f"Kafka {kafka} does not hold this decision (any more)"


@pytest.mark.kafka
def test_setpoints_that_kafka_deleted_already_come_from_the_historian(
    stack_settings: Settings, clock: PipelineClock, tmp_path: Path
) -> None:
    """Kafka keeps setpoints for a day, and plans for a week."""
    chain = Chain(site("elapsed"), clock, tmp_path / "boards").run([80.0, 95.0])
    store(tmp_path / "historian.sqlite", chain)
    left = [each for each in chain.records if not isinstance(each.message, Setpoint | Ack)]
    publish(stack_settings, chain, left)
    settings = settings_in(tmp_path, stack_settings.kafka.bootstrap_servers)
    story = explain(settings, chain.decision(1))
    assert story.source.startswith("Kafka")
    assert [each.message.outputs[2].on for each in story.setpoints] == [False]
    assert [each.message.changed for each in story.acks] == [(4,)]
    (note,) = story.notes
    assert note.startswith("setpoints and acknowledgements are from historian")
