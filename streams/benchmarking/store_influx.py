"""The InfluxDB historian, and influxdb-client that posts the same lines."""

import time
from collections.abc import Sequence

from influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS

from schemas.settings import InfluxSettings
from schemas.windows import WINDOW_MS
from streams.benchmarking.store_windows import Window, writes_of
from streams.historians.influx import InfluxHistorian
from streams.historians.influx_lines import LineMaker


def write_points(settings: InfluxSettings, windows: Sequence[Window], most: int) -> float:
    """Write with the historian, ``most`` windows at a time; the time it takes [s]."""
    writes = writes_of(windows, most)
    with InfluxHistorian(settings) as historian:
        began_s = time.perf_counter()
        for points in writes:
            historian.write(points)
        return time.perf_counter() - began_s


def post_lines(settings: InfluxSettings, windows: Sequence[Window], most: int) -> float:
    """Post the same with the client alone, ``most`` windows as one body; the time it takes [s]."""
    maker = LineMaker()
    bodies = [
        "\n".join(line for point in points for line in maker.lines_of(point).lines).encode()
        for points in writes_of(windows, most)
    ]
    with InfluxDBClient(settings.url, settings.store_secret(), org=settings.org) as client:
        writer = client.write_api(write_options=SYNCHRONOUS)
        began_s = time.perf_counter()
        for body in bodies:
            writer.write(settings.bucket, record=body)
        return time.perf_counter() - began_s


def freshness_ms(settings: InfluxSettings, windows: Sequence[Window]) -> list[float]:
    """How long after its write began each window was in an answer [ms]."""
    delays_ms = []
    with InfluxHistorian(settings) as historian:
        for site, meters in windows:
            began_s = time.perf_counter()
            historian.write((site, meters))
            start_ms = site.window_start_ms
            while not historian.site_windows(site.site, start_ms, start_ms + WINDOW_MS):
                pass
            delays_ms.append(1_000 * (time.perf_counter() - began_s))
    return delays_ms
