"""Replays of real and published meter files."""

from pathlib import Path

import pytest

from processors.aligning.partition import PartitionAligner
from schemas.clock import PipelineClock
from schemas.errors import ReplayError
from schemas.identity import partition_of
from schemas.settings import AlignSettings
from schemas.site_model import SiteModel
from schemas.topics import SITES, telemetry_topic
from schemas.units import TelemetryKind
from streams.aligning.arriving import to_records
from streams.kafka import read_table
from streams.replay.command import replay
from streams.replay.loading import load_recording
from streams.replay.options import ReplayOptions
from tests.support.replay_kafka import PARTITIONS, Told, TopicView

pytestmark = pytest.mark.data


def test_missing_values_of_a_real_house_are_bad_rows_and_no_zeros(reference_data: Path) -> None:
    path = reference_data / "B_meters" / "uci_house_days_as_meters_1min.csv.gz"
    recording = load_recording([path], ReplayOptions(), Told().note)
    assert (recording.rows, len(recording)) == (31_680, 31_676)
    assert [(row.position, row.errors) for _, row in recording.bad_rows] == [
        (line, ("kw: empty",)) for line in (13_391, 13_413, 15_032, 15_054)
    ]


def test_a_real_house_in_watts_is_read_as_watts(reference_data: Path) -> None:
    path = reference_data / "B_meters" / "storenet_h6w_1min_6days.csv.gz"
    recording = load_recording([path], ReplayOptions(), Told().note)
    (track,) = recording.tracks
    assert [(v.name, v.unit) for v in track.layout.values] == [("load_w", "W")]
    assert track.interval_ms.tolist() == [60_000]


def test_weather_of_a_load_file_is_replayed_when_asked_for(reference_data: Path) -> None:
    path = reference_data / "A_load" / "load_train.csv.gz"
    options = ReplayOptions(quantities=("air_temperature",), device="melbourne")
    recording = load_recording([path], options, Told().note)
    (track,) = recording.tracks
    assert (len(recording), track.interval_ms.tolist()) == (35_088, [1_800_000])


def test_a_file_without_times_says_so(reference_data: Path) -> None:
    path = reference_data / "B_meters" / "citylearn17_hourly.csv.gz"
    with pytest.raises(ReplayError, match="no time column"):
        load_recording([path], ReplayOptions(), Told().note)


@pytest.mark.kafka
def test_every_reading_of_a_feeder_arrives_once(topics: TopicView, reference_data: Path) -> None:
    path = reference_data / "B_meters" / "eulv_meters_1min.csv.gz"
    report = replay([path], topics.settings, ReplayOptions(site="feeder"), Told())
    assert (report.rows, report.bad_rows, report.readings) == (52_800, 0, 52_800)
    model = read_table(topics.settings.kafka, SITES.name)["feeder"]
    site = SiteModel.model_validate_json(model)
    assert (len(site.meters), {meter.interval_s for meter in site.meters}) == (55, {60.0})
    partition = partition_of("feeder", PARTITIONS)
    clock = PipelineClock(speed=0)
    aligner = PartitionAligner(partition, PARTITIONS, clock, AlignSettings(), {"feeder": site}.get)
    records = topics.records()
    for kind in TelemetryKind:
        messages = records[telemetry_topic(kind), partition]
        aligner.consume(kind, to_records(messages))
    assert aligner.counts.windowed == aligner.counts.total == 52_800
    assert len({reading.event_id for reading in topics.readings()}) == 52_800
