"""Downsampling on a real server, against means that Python computes from the same points."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest
from influxdb_client import InfluxDBClient
from msgspec.structs import replace

from deploy import influx_downsampling
from deploy.influx_api import InfluxConnection, influx_client
from deploy.influx_downsampling import Written, downsample, stored_range
from deploy.influx_tasks import LEVELS
from deploy.local_influx import LocalInflux
from schemas.errors import HistorianError
from tests.deploy.influx.history import (
    MINUTE_MS,
    QUARTER_HOUR_MS,
    History,
    Means,
    made_history,
)
from tests.support.influx import InfluxBucket, new_bucket

pytestmark = pytest.mark.influxdb

Eventually = Callable[[Callable[[], bool]], None]

START_MS = 1_705_312_800_000  # 2024-01-15T10:00:00Z: the wall clock never comes by there
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
WINDOWS = 500  # not quite 42 minutes


def stored(fresh: InfluxBucket, bucket: str) -> Means:
    """All points of a bucket."""
    found = fresh.rows(f'from(bucket: "{bucket}") |> range(start: 0)')
    return {
        (
            "/".join(row[tag] for tag in ("site", "device", "quantity") if tag in row),
            row["_field"],
            round(row["_time"].timestamp() * 1_000),
        ): row["_value"]
        for row in found
    }


def store_of(fresh: InfluxBucket) -> InfluxConnection:
    return replace(fresh.operator, token=fresh.tokens.store)


@pytest.fixture
def history() -> History:
    return made_history(START_MS, WINDOWS)


def test_a_range_run_gives_the_means_that_python_computes(
    influx_bucket: InfluxBucket, history: History
) -> None:
    """S1-06: 5 s to 1 minute to 15 minutes; a point that is missing has no value, so none counts.

    The meter that never spoke has no mean, and neither has an interval without any value.
    """
    influx_bucket.write(history.lines())
    downsample(store_of(influx_bucket), START_MS, START_MS + HOUR_MS)
    _, minutes, quarters = (stored(influx_bucket, name) for name in influx_bucket.operator.buckets)
    assert minutes == pytest.approx(history.means(MINUTE_MS))
    assert quarters == pytest.approx(history.means(QUARTER_HOUR_MS))
    assert not any(name.startswith("home/dead") for name, _, _ in [*minutes, *quarters])


def test_running_again_changes_nothing(influx_bucket: InfluxBucket, history: History) -> None:
    influx_bucket.write(history.lines())
    first = downsample(store_of(influx_bucket), START_MS, START_MS + HOUR_MS)
    before = [stored(influx_bucket, name) for name in influx_bucket.operator.buckets]
    assert downsample(store_of(influx_bucket), START_MS, START_MS + HOUR_MS) == first
    assert [stored(influx_bucket, name) for name in influx_bucket.operator.buckets] == before


def test_what_was_written_is_counted(influx_bucket: InfluxBucket, history: History) -> None:
    influx_bucket.write(history.lines())
    minutes, quarters = (
        sum(field == "count" for _, field, _ in history.means(each))
        for each in (MINUTE_MS, QUARTER_HOUR_MS)
    )
    written = downsample(store_of(influx_bucket), START_MS, START_MS + HOUR_MS)
    assert written == Written(minutes, quarters)


def test_a_later_revision_replaces_the_means(influx_bucket: InfluxBucket) -> None:
    history = made_history(START_MS, 12)
    influx_bucket.write(history.lines())
    downsample(store_of(influx_bucket), START_MS, START_MS + 1)
    later = made_history(START_MS, 12, seed=2)
    influx_bucket.write(later.lines())
    downsample(store_of(influx_bucket), START_MS, START_MS + 1)
    minutes = stored(influx_bucket, influx_bucket.operator.minute_bucket)
    wanted = {key: value for key, value in later.means(MINUTE_MS).items() if key[1] == "value"}
    assert {key: minutes[key] for key in wanted} == pytest.approx(wanted)


def test_a_range_is_widened_to_whole_quarter_hours(
    influx_bucket: InfluxBucket, history: History
) -> None:
    influx_bucket.write(history.lines())
    inside_ms = START_MS + QUARTER_HOUR_MS + 7
    downsample(store_of(influx_bucket), inside_ms, inside_ms + 1)
    quarters = stored(influx_bucket, influx_bucket.operator.quarter_hour_bucket)
    means = history.means(QUARTER_HOUR_MS)
    wanted = {key: value for key, value in means.items() if key[2] == START_MS + QUARTER_HOUR_MS}
    assert quarters == pytest.approx(wanted)


def test_long_ranges_are_taken_in_chunks_that_fit_the_memory(
    influx_bucket: InfluxBucket, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four series of 180 points each are a quarter hour: two fit."""
    influx_bucket.write(history.lines())
    monkeypatch.setattr(influx_downsampling, "_POINTS_PER_CHUNK", 2 * 4 * 180)
    told: list[tuple[int, int]] = []
    downsample(
        store_of(influx_bucket), START_MS, START_MS + HOUR_MS, lambda *done: told.append(done)
    )
    assert told == [(HOUR_MS // 2, HOUR_MS), (HOUR_MS, HOUR_MS)]
    quarters = stored(influx_bucket, influx_bucket.operator.quarter_hour_bucket)
    assert quarters == pytest.approx(history.means(QUARTER_HOUR_MS))


def test_years_without_points_pass_day_by_day(influx_bucket: InfluxBucket) -> None:
    told: list[int] = []
    written = downsample(
        store_of(influx_bucket),
        START_MS,
        START_MS + 3 * DAY_MS,
        lambda done_ms, _: told.append(done_ms),
    )
    assert written == Written(0, 0)
    assert told == [DAY_MS, 2 * DAY_MS, 3 * DAY_MS]


def test_the_tasks_give_what_a_range_run_gives(
    influx: LocalInflux, influx_bucket: InfluxBucket, history: History, eventually: Eventually
) -> None:
    """The server's own tasks, each forced for a past time, which need not be an interval's end."""
    with_tasks = new_bucket(influx, with_tasks=True)
    for each in (with_tasks, influx_bucket):
        each.write(history.lines())
    end_ms = START_MS + 3 * QUARTER_HOUR_MS
    downsample(store_of(influx_bucket), START_MS, end_ms)
    minute, quarter = (level.task_name(with_tasks.bucket) for level in LEVELS)
    with influx_client(influx.operator) as client:
        times_ms = range(START_MS + 5 * MINUTE_MS, end_ms + 1, 5 * MINUTE_MS)
        force(client, minute, [at_ms + 17_000 for at_ms in times_ms], eventually)
        force(client, quarter, [end_ms + 17_000], eventually)
    for one, other in zip(with_tasks.operator.buckets, influx_bucket.operator.buckets, strict=True):
        assert stored(with_tasks, one) == stored(influx_bucket, other)
    with_tasks.delete()


def force(
    client: InfluxDBClient, name: str, times_ms: Iterable[int], eventually: Eventually
) -> None:
    """Run a task as if it were those times, to the end of each run."""
    api = client.tasks_api()
    [task] = api.find_tasks(name=name)
    stamps = [datetime.fromtimestamp(at_ms / 1_000, UTC) for at_ms in times_ms]
    waiting = {api.run_manually(task.id, stamp).id for stamp in stamps}

    def all_are_over() -> bool:
        for run in [each for each in api.get_runs(task.id, limit=100) if each.id in waiting]:
            assert run.status not in {"failed", "canceled"}, api.get_run_logs(task.id, run.id)
            if run.status == "success":
                waiting.discard(run.id)
        return not waiting

    eventually(all_are_over)


def test_the_stored_range_is_that_of_all_sites(influx_bucket: InfluxBucket) -> None:
    assert stored_range(store_of(influx_bucket)) is None
    influx_bucket.write(
        f"site_window,site={site} revision=0i,load_kw=1.0 {at_ms}000000"
        for site, at_ms in (("a", START_MS), ("a", START_MS + 5_000), ("b", START_MS + 10_000))
    )
    assert stored_range(store_of(influx_bucket)) == (START_MS, START_MS + 15_000)


def test_a_reader_may_not_downsample(influx_bucket: InfluxBucket, history: History) -> None:
    influx_bucket.write(history.lines())
    reader = replace(influx_bucket.operator, token=influx_bucket.tokens.reader)
    with pytest.raises(HistorianError):
        downsample(reader, START_MS, START_MS + HOUR_MS)
    assert stored(influx_bucket, influx_bucket.operator.minute_bucket) == {}


def test_a_task_waits_for_the_last_revision() -> None:
    """A window is final 30 s after its end: both levels run later than that."""
    assert [(level.interval, level.offset) for level in LEVELS] == [("1m", "45s"), ("15m", "2m")]
    for level in LEVELS:
        assert f"offset: {level.offset}" in level.task_flux("b")
