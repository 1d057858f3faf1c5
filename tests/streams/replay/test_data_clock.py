"""Replays of history on the data clock, into a real Kafka."""

import base64
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Message

from processors.aligning.partition import Emission, PartitionAligner
from schemas.clock import PipelineClock
from schemas.errors import ConfigurationError, ReplayError
from schemas.identity import partition_of, reading_id
from schemas.settings import AlignSettings
from schemas.site_model import SiteModel
from schemas.telemetry import Reading
from schemas.topics import DEAD_LETTERS, SITES, TELEMETRY, telemetry_topic
from schemas.units import TelemetryKind
from schemas.windows import LATENESS_MS, WINDOW_MS
from streams.aligning.arriving import to_records
from streams.kafka import read_all, read_table
from streams.replay.command import replay
from streams.replay.options import ReplayOptions, ReplayReport
from tests.support.replay_kafka import PARTITIONS, Place, Told, TopicView, readings_in, tick_of

pytestmark = pytest.mark.kafka

Write = Callable[[str, str], Path]

METERS = """meter_id,ts,kw,v
m1,{day}T00:00:00Z,1.5,230.1
m2,{day}T00:00:00Z,0.25,229.9
m1,{day}T00:01:00Z,2.5,230.2
m2,{day}T00:01:00Z,-0.75,
m1,{day}T00:02:00Z,,230.3
m2,{day}T00:02:00Z,0.5,229.8
"""
WEATHER = "ts,temp_c\n{day}T00:00:00Z,4\n{day}T00:00:30.500Z,4.5\n{day}T00:01:00.500Z,5\n"

_days = iter(range(1, 29))


@pytest.fixture
def day() -> str:
    """A day that no other test replays: the data clock of a Kafka never runs backwards."""
    return f"2024-03-{next(_days):02d}"


def play(topics: TopicView, *files: Path, told: Told | None = None, **options: Any) -> ReplayReport:  # noqa: ANN401  the options under test
    return replay(files, topics.settings, ReplayOptions(**options), told or Told())


def model_of(topics: TopicView, site: str) -> SiteModel:
    table = read_table(topics.settings.kafka, SITES.name)
    return SiteModel.model_validate_json(table[site])


def telemetry(records: dict[Place, list[Message]]) -> dict[Place, list[Message]]:
    return {place: found for place, found in records.items() if place[0] != DEAD_LETTERS.name}


def align(topics: TopicView, site: SiteModel, aligner: PartitionAligner) -> Emission:
    """What align makes of the records of the site's partition."""
    records = topics.records()
    for kind in TelemetryKind:
        messages = records[telemetry_topic(kind), aligner.partition]
        aligner.consume(kind, to_records(messages))
    assert site.name in aligner.table.sites
    return aligner.emit()


def test_the_topics_hold_what_the_files_say(topics: TopicView, write: Write, day: str) -> None:
    """D-3: meter and weather telemetry each enter their Kafka topic."""
    meters = write("meters.csv", METERS.format(day=day))
    weather = write("weather.csv.gz", WEATHER.format(day=day))
    report = play(topics, meters, weather, site="both", device="station")
    partition = partition_of("both", PARTITIONS)
    sent: dict[str, list[Reading]] = {}
    for (topic, number), messages in telemetry(topics.records()).items():
        with_readings = [message for message in messages if tick_of(message) is None]
        assert not with_readings or number == partition
        assert {message.key() for message in with_readings} <= {b"both"}
        sent[topic] = [r for message in with_readings for r in readings_in(message)]
    midnight_ms = report.first_ms
    assert midnight_ms is not None
    source = "replay:meters.csv"
    expected = [("m1", 0, 1.5), ("m2", 0, 0.25), ("m1", 60, 2.5), ("m2", 60, -0.75)]
    assert sent.pop("telemetry.meter") == [
        Reading(
            event_id=reading_id(source, device, "active_power", midnight_ms + 1000 * second),
            site="both",
            source=source,
            device=device,
            quantity="active_power",
            unit="kW",
            value=value,
            event_time_ms=midnight_ms + 1000 * second,
        )
        for device, second, value in [*expected, ("m2", 120, 0.5)]
    ]
    assert [
        (r.source, r.device, r.quantity, r.unit, r.value, r.event_time_ms - midnight_ms)
        for r in sent.pop("telemetry.weather")
    ] == [
        ("replay:weather.csv.gz", "station", "air_temperature", "degC", value, after_ms)
        for value, after_ms in [(4.0, 0), (4.5, 30_500), (5.0, 60_500)]
    ]
    assert not any(sent.values())
    assert (report.rows, report.bad_rows, report.readings, report.declared) == (9, 1, 8, False)
    assert report.last_ms == midnight_ms + 120_000


def test_ticks_go_before_their_readings_on_every_partition(
    topics: TopicView, write: Write, day: str
) -> None:
    rows = "".join(f"m,{day}T00:00:{number * 0.4:06.3f}Z,1\n" for number in range(25))
    report = play(topics, write("fast.csv", "device,ts,kw\n" + rows))
    records = telemetry(topics.records())
    assert records.keys() == {(s.name, n) for s in TELEMETRY.values() for n in range(PARTITIONS)}
    assert report.first_ms is not None
    times = [report.first_ms + 1_200 * number for number in range(9)]
    times.append(report.first_ms + 2 * WINDOW_MS + LATENESS_MS)
    for found in records.values():
        assert [tick_of(m) for m in found if tick_of(m) is not None] == times
    assert report.ticks == len(times) * len(records)
    now_ms = 0
    for message in records["telemetry.meter", partition_of("fast", PARTITIONS)]:
        now_ms = tick_of(message) or now_ms
        assert all(0 <= r.event_time_ms - now_ms < 1_000 for r in readings_in(message))


def test_align_makes_every_window_of_a_replay_final_and_counts_every_reading(
    topics: TopicView, write: Write, day: str
) -> None:
    """DESIGN, Time 7: replayed = windowed + duplicate + too late + dead-lettered."""
    text = METERS.format(day=day) + f"m1,{day}T00:00:00Z,1.5,230.1\n"
    path = write("final.csv", text)
    report = play(topics, path)
    site = model_of(topics, "final")
    partition = partition_of("final", PARTITIONS)
    clock = PipelineClock(speed=0)
    aligner = PartitionAligner(partition, PARTITIONS, clock, AlignSettings(), {site.name: site}.get)
    emission = align(topics, site, aligner)
    assert report.first_ms is not None
    last_ms = report.first_ms + 180_000
    starts = {window.window_start_ms for window in emission.windows}
    assert starts >= set(range(report.first_ms, last_ms, WINDOW_MS))
    assert aligner.final_before_ms == last_ms
    by_start = {window.window_start_ms: window for window in emission.windows}
    assert by_start[report.first_ms].load_kw == pytest.approx(1.75)
    counts = aligner.counts
    assert (counts.windowed, counts.duplicate, counts.too_late) == (5, 1, 0)
    assert counts.total + report.bad_rows == report.readings + report.bad_rows == report.rows

    topics.mark()
    told = Told()
    again = play(topics, path, told=told)
    assert "6 of 6 readings will count as too late or duplicate" in told.notes[-1]
    assert align(topics, site, aligner).windows == []
    assert aligner.counts.total == report.readings + again.readings
    assert aligner.counts.windowed == 5


def test_a_second_replay_sends_the_same_ids_to_the_declared_site(
    topics: TopicView, write: Write, day: str
) -> None:
    path = write("again.csv", METERS.format(day=day))
    first = play(topics, path)
    sent = topics.readings()
    topics.mark()
    second = play(topics, path)
    assert topics.readings() == sent
    assert (first.declared, second.declared) == (False, True)


def test_bad_rows_become_dead_letters_with_their_text_and_every_reason(
    topics: TopicView, write: Write, day: str
) -> None:
    """D-3: malformed records go to a dead-letter topic with the reason."""
    bad = ",never,x,\n" + "".join(f"m1,{day}T01:{minute}Z,,\n" for minute in range(10, 22))
    told = Told()
    report = play(topics, write("bad.csv", METERS.format(day=day) + bad), told=told)
    letters = topics.dead_letters()
    assert (report.bad_rows, len(letters)) == (14, 14)
    assert {(x.stage, x.origin, x.partition, x.readings, x.site) for x in letters} == {
        ("replay", "bad.csv", -1, 1, "bad")
    }
    assert [letter.position for letter in letters] == [6, *range(8, 21)]
    worst = letters[1]
    assert base64.b64decode(worst.original_base64) == b",never,x,"
    assert worst.errors == (
        "device: empty",
        "time: 'never' is not an ISO 8601 time",
        "kw: 'x' is not a number",
    )
    rows = [note for note in told.notes if note.startswith("bad.csv, line ")]
    assert rows[0] == "bad.csv, line 6: kw: empty"
    assert len(rows) == 10
    assert "... and 4 more bad rows" in told.notes


def test_a_bad_row_counts_once_and_keeps_its_bytes(
    topics: TopicView, write: Write, day: str
) -> None:
    path = write("bytes.csv", METERS.format(day=day))
    path.write_bytes(path.read_bytes() + b"m1,never,\xff\xfe,\n")
    report = play(topics, path, quantities=("active_power", "voltage"))
    letters = topics.dead_letters()
    assert [letter.position for letter in letters] == [5, 6, 8]
    assert base64.b64decode(letters[-1].original_base64) == b"m1,never,\xff\xfe,"
    assert (report.rows, report.bad_rows, report.readings) == (7, 3, 10)


def test_a_row_that_fits_no_record_is_cut(topics: TopicView, write: Write, day: str) -> None:
    endless = "m1," + "9" * 2_000_000
    report = play(topics, write("long.csv", METERS.format(day=day) + endless + "\n"))
    letter = topics.dead_letters()[-1]
    assert base64.b64decode(letter.original_base64) == endless[:500_000].encode()
    assert letter.errors[-1] == "cut: the row has 2000003 bytes"
    assert report.bad_rows == 2


def test_batches_hold_the_same_readings(topics: TopicView, write: Write, day: str) -> None:
    rows = "".join(f"m{n},{day}T00:0{t}Z,{n + t}\n" for t in range(3) for n in range(7))
    path = write("batch.csv", "device,ts,kw\n" + rows)
    play(topics, path)
    single = topics.readings()
    topics.mark()
    report = play(topics, path, batch=3)
    assert topics.readings() == single
    place = ("telemetry.meter", partition_of("batch", PARTITIONS))
    sizes = [len(readings_in(message)) for message in topics.records()[place]]
    assert sizes == [0, 3, 3, 1] * 3 + [0]
    assert report.readings == 21


def test_a_derived_site_is_told_and_published_before_its_readings(
    topics: TopicView, write: Write, day: str
) -> None:
    told = Told()
    play(topics, write("derived.csv", METERS.format(day=day)), told=told)
    model = model_of(topics, "derived")
    assert {meter.id: meter.rated_kw for meter in model.meters} == {"m1": 2.5, "m2": 0.8}
    assert any(
        "'derived' is not declared: derived from the files, 2 meters rated 3.3 kW" in note
        for note in told.notes
    )
    published = read_all(topics.settings.kafka, SITES.name, [0])
    (published_ms,) = [m.timestamp()[1] for m in published if m.key() == b"derived"]
    sent = telemetry(topics.records()).values()
    assert all(published_ms <= message.timestamp()[1] for found in sent for message in found)


def test_devices_that_the_site_does_not_declare_are_sent_after_a_warning(
    topics: TopicView, write: Write, day: str
) -> None:
    site_file = write(
        "site.toml",
        'name = "partly"\ncapacity_kw = 10\n[[meters]]\nid = "m1"\nrated_kw = 3\ninterval_s = 60\n',
    )
    path = write("partly.csv", METERS.format(day=day))
    told = Told()
    report = play(topics, path, site_file=site_file, told=told)
    assert report.declared is False
    assert [meter.id for meter in model_of(topics, "partly").meters] == ["m1"]
    warning = "does not declare 1 series of the files; their readings will become dead letters"
    assert f"{warning}: m2 active_power" in told.notes[-1]
    assert {reading.device for reading in topics.readings()} == {"m1", "m2"}
    assert play(topics, path, site="partly").declared is True
    site_file.write_text('name = "partly"\ncapacity_kw = 11\n')
    with pytest.raises(ConfigurationError, match="declared already, with another model"):
        play(topics, path, site_file=site_file)


def test_ctrl_c_ends_between_two_stamps_with_a_report(
    topics: TopicView, write: Write, day: str
) -> None:
    def interrupt(sent: int) -> None:
        if sent == 4:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    path = write("stopped.csv", METERS.format(day=day))
    report = play(topics, path, told=Told(on_advance=interrupt))
    assert report.interrupted
    assert len(topics.readings()) == report.readings == 4
    assert report.ticks == 2 * len(TELEMETRY) * PARTITIONS
    assert report.first_ms is not None
    assert report.last_ms == report.first_ms + 60_000
    assert signal.getsignal(signal.SIGINT) is before
    topics.mark()
    rest = play(topics, path)
    assert (rest.interrupted, rest.readings) == (False, 5)


def test_nothing_is_sent_when_the_clock_does_not_fit(
    topics: TopicView, write: Write, day: str
) -> None:
    path = write("unfit.csv", METERS.format(day=day))
    with pytest.raises(ReplayError, match="on the data clock"):
        play(topics, path, speed=10)
    with pytest.raises(ReplayError, match="no present"):
        play(topics, path, rebase=True)
    assert topics.records() == {}
    assert "unfit" not in read_table(topics.settings.kafka, SITES.name)
