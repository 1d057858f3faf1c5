"""Downsampling a range of any age: history that was replayed, or a demo on another date.

The tasks inside InfluxDB follow the wall clock and never come by there.
"""

from collections.abc import Callable
from typing import Final

from influxdb_client import InfluxDBClient
from influxdb_client.client.flux_table import FluxRecord
from msgspec import Struct

from deploy.influx_api import InfluxConnection, influx_client
from deploy.influx_tasks import LEVELS
from schemas.windows import WINDOW_MS, iso_utc

QUARTER_HOUR_MS: Final = 900_000
"""The longest interval [ms]: ranges are whole multiples of it."""

_LONGEST_CHUNK: Final = 96  # quarter hours: a day
_END_MS: Final = (
    9_214_646_400_000  # the year 2262, the end of nanoseconds; Flux alone stops at now()
)
# What a query holds in memory at once: some 100 bytes each.
_POINTS_PER_CHUNK: Final = 500_000


class Written(Struct, frozen=True):
    """How many points of each level were written, of meters and sites together."""

    minutes: int
    quarter_hours: int


def downsample(
    connection: InfluxConnection,
    from_ms: int,
    to_ms: int,
    report: Callable[[int, int], None] = lambda _done_ms, _of_ms: None,
) -> Written:
    """Write the means of ``[from_ms, to_ms)``, widened to whole quarter hours.

    It runs the text of the tasks, in chunks that fit the server's memory; what is written
    already stays the same.

    Args:
        connection: with the token of the role store.
        from_ms: start of the range [ms since the epoch].
        to_ms: its end [ms since the epoch].
        report: told how much [ms] of how much [ms] is done.

    Raises:
        HistorianError: the database is away, or refuses.
    """
    start_ms = from_ms - from_ms % QUARTER_HOUR_MS
    stop_ms = to_ms + -to_ms % QUARTER_HOUR_MS
    counts = [0 for _ in LEVELS]
    with influx_client(connection) as client:
        chunk_ms = _chunk_ms(client, connection.bucket, start_ms, stop_ms)
        for at_ms in range(start_ms, stop_ms, chunk_ms):
            until_ms = min(at_ms + chunk_ms, stop_ms)
            for index, level in enumerate(LEVELS):
                flux = level.range_flux(connection.bucket, at_ms, until_ms)
                counts[index] += _written(client, flux)
            report(until_ms - start_ms, stop_ms - start_ms)
    return Written(*counts)


def stored_range(connection: InfluxConnection) -> tuple[int, int] | None:
    """Start of the first and end of the last stored window [ms]; None where there is none.

    Raises:
        HistorianError: the database is away, or refuses.
    """
    windows = f"""from(bucket: "{connection.bucket}")
        |> range(start: 0, stop: {iso_utc(_END_MS)})
        |> filter(fn: (r) => r._measurement == "site_window" and r._field == "revision")"""
    with influx_client(connection) as client:
        first, last = (
            [_milliseconds(row) for row in _rows(client, f"{windows} |> {end}()")]
            for end in ("first", "last")
        )
    return (min(first), max(last) + WINDOW_MS) if first else None


def _chunk_ms(client: InfluxDBClient, bucket: str, start_ms: int, stop_ms: int) -> int:
    """How much [ms] one query may take in, by the number of series that the range holds."""
    rows = _rows(
        client,
        f"""from(bucket: "{bucket}")
            |> range(start: {iso_utc(start_ms)}, stop: {iso_utc(stop_ms)})
            |> filter(fn: (r) => r._measurement == "meter_window" and r._field == "status")
            |> last() |> group() |> count()""",
    )
    series: int = sum(row.values["_value"] for row in rows)
    points = series * QUARTER_HOUR_MS // WINDOW_MS
    quarters = _POINTS_PER_CHUNK // max(points, 1)
    return QUARTER_HOUR_MS * max(1, min(quarters, _LONGEST_CHUNK))


def _written(client: InfluxDBClient, flux: str) -> int:
    """Run a level's text; how many points it wrote."""
    counts = [row.values["count"] for row in _rows(client, flux) if "count" in row.values]
    return int(sum(counts))


def _rows(client: InfluxDBClient, flux: str) -> list[FluxRecord]:
    return [row for table in client.query_api().query(flux) for row in table.records]


def _milliseconds(row: FluxRecord) -> int:
    return round(1_000 * float(row.get_time().timestamp()))
