"""What align is measured with: the same readings, singly and in batches, none of them refused."""

from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from schemas.identity import partition_of
from schemas.settings import AlignSettings
from schemas.telemetry import Batch, Reading
from schemas.topics import TELEMETRY
from schemas.windows import LATENESS_MS, WINDOW_MS, window_start
from streams.benchmarking.align_workload import (
    METERS,
    SITES,
    OutgoingRecord,
    Workload,
    whole_readings,
)
from streams.kafka import TICK_HEADER

READINGS = 20_000
PARTITIONS = 4
BATCH = 1_000

Measured = tuple[str, str, int, float]
"""Site, device, time [ms] and value."""


def workload(batch: int) -> Workload:
    """A small one."""
    return Workload(READINGS, batch, PARTITIONS)


def measured(record: OutgoingRecord) -> list[Measured]:
    """The readings of a record; none in a tick."""
    if record.value is None:
        return []
    message: Reading | Batch = msgspec.json.decode(record.value, type=Reading | Batch)
    readings = (message,) if isinstance(message, Reading) else message.readings
    return [(message.site, r.device, r.event_time_ms, r.value) for r in readings]


def ticks_before(records: Iterator[OutgoingRecord]) -> Iterator[tuple[int, Measured]]:
    """Every reading with the last tick [ms] before it."""
    tick_ms = 0
    for record in records:
        if record.headers is not None:
            tick_ms = int(record.headers[TICK_HEADER] or 0)
        for reading in measured(record):
            yield tick_ms, reading


def test_batches_hold_the_very_readings_that_are_sent_singly() -> None:
    """Peers are given the same (DESIGN, "Speed to reach")."""
    singles, batches = (
        sorted(each for record in workload(batch).records() for each in measured(record))
        for batch in (1, BATCH)
    )
    assert singles == batches
    assert len(set(singles)) == READINGS


@pytest.mark.parametrize(("batch", "messages"), [(1, READINGS), (BATCH, READINGS // BATCH)])
def test_a_message_holds_as_many_readings_as_it_should(batch: int, messages: int) -> None:
    sizes = Counter(len(measured(record)) for record in workload(batch).records())
    assert {size: times for size, times in sizes.items() if size} == {batch: messages}


@pytest.mark.parametrize("batch", [1, BATCH])
def test_no_reading_comes_too_late_or_too_early(batch: int) -> None:
    """On the data clock time advances by the ticks alone (DESIGN, "Time" 1 and 4)."""
    ahead_ms = 1_000 * AlignSettings().max_ahead_s
    for tick_ms, (_, _, time_ms, _) in ticks_before(workload(batch).records()):
        assert window_start(time_ms) + WINDOW_MS + LATENESS_MS > tick_ms
        assert time_ms <= tick_ms + ahead_ms


@pytest.mark.parametrize("batch", [1, BATCH])
def test_the_last_tick_makes_the_last_window_final_in_every_topic(batch: int) -> None:
    load = workload(batch)
    places = len(TELEMETRY) * PARTITIONS
    last = list(load.records())[-places:]
    assert len({(record.topic, record.partition) for record in last}) == places
    for record in last:
        assert record.headers is not None
        assert int(record.headers[TICK_HEADER] or 0) >= load.last_start_ms + WINDOW_MS + LATENESS_MS


def test_every_record_is_in_the_partition_of_its_site() -> None:
    for record in workload(1).records():
        if record.key is not None:
            assert record.partition == partition_of(record.key, PARTITIONS)


def test_the_sites_declare_every_meter_once() -> None:
    models = workload(1).models()
    meters = [meter.id for model in models for meter in model.meters]
    assert (len(models), len(meters), len(set(meters))) == (SITES, METERS, METERS)


@pytest.mark.parametrize(
    ("readings", "batch", "whole"),
    [(20_000, 1_000, 20_000), (29_999, 1_000, 20_000), (29_999, 1, 29_000)],
)
def test_readings_are_cut_to_whole_batches_of_every_site(
    readings: int, batch: int, whole: int
) -> None:
    assert whole_readings(readings, batch) == whole
