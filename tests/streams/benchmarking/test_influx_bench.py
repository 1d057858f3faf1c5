"""InfluxDB through the historian, beside the bare client: the same points end up stored."""

from collections.abc import Callable, Sequence

import pytest

from schemas.settings import InfluxSettings
from streams.benchmarking.influx_bench import post_lines, run, write_points
from streams.benchmarking.rounds import Bench
from streams.benchmarking.store_bench import SERIES, Window, make_windows
from streams.historians.influx_reader import open_influx_reader
from streams.historians.points import Measurement
from tests.streams.benchmarking.conftest import Steps
from tests.support.influx import InfluxBucket

pytestmark = pytest.mark.influxdb

WINDOWS = 7
Write = Callable[[InfluxSettings, Sequence[Window], int], float]


@pytest.mark.parametrize("write", [write_points, post_lines])
def test_both_ways_store_every_point(influx_bucket: InfluxBucket, write: Write) -> None:
    """Peers are given equal output (DESIGN, "Speed to reach")."""
    windows = make_windows(WINDOWS)
    assert write(influx_bucket.settings, windows, 3) > 0
    with open_influx_reader(influx_bucket.settings) as reader:
        stored = reader.site_windows("bench", 0, 2**60)
        assert stored == [site for site, _ in windows]
        assert reader.count(Measurement.METER_WINDOW) == WINDOWS * SERIES


def test_a_run_compares_write_sizes_and_tells_how_fresh_a_window_is(
    bench: Bench, steps: Steps
) -> None:
    result = run(bench)
    assert [bar.name for bar in result.bars] == [
        f"historian / bare client, {most} windows a write" for most in (1, 10, 100)
    ]
    assert [figure.unit for figure in result.figures].count("ms") == 1
    assert all(figure.measured.min > 0 for figure in result.figures)
    assert len(steps.done) == steps.expected
