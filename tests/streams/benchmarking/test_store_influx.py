"""InfluxDB through the historian, beside the bare client: the same points end up stored."""

from collections.abc import Callable, Sequence

import pytest

from schemas.settings import InfluxSettings
from streams.benchmarking.store_influx import freshness_ms, post_lines, write_points
from streams.benchmarking.store_windows import SERIES, Window, make_windows
from streams.historians.influx_reader import open_influx_reader
from streams.historians.points import Measurement
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


def test_a_window_is_in_an_answer_after_its_write(influx_bucket: InfluxBucket) -> None:
    delays_ms = freshness_ms(influx_bucket.settings, make_windows(WINDOWS))
    assert len(delays_ms) == WINDOWS
    assert min(delays_ms) > 0
