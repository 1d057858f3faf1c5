"""How many points InfluxDB takes per second, and how soon a window can be asked for."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from itertools import count
from typing import Final

from deploy.local_influx import LocalInflux
from schemas.settings import InfluxSettings
from schemas.windows import WINDOW_MS
from streams.benchmarking.figures import Bar, Figure, Result, bar, spread
from streams.benchmarking.rounds import WARM_UPS, Bench, interleaved
from streams.benchmarking.store_bench import SERIES, Window, make_windows
from streams.historians.influx import InfluxHistorian
from streams.historians.influx_lines import LineMaker
from streams.historians.influx_session import InfluxSession
from streams.historians.points import Point

_WINDOWS: Final = 1_000
_QUICK_WINDOWS: Final = 100
_PER_WRITE: Final = (1, 10, 100)
_LOOKS: Final = 20
"""Windows that are asked for, one after the other, right after each was written."""

_FRESH: Final = "written to queryable, 1 window"
_NOTES: Final = (
    "server, historian and peer share this machine",
    "every write is one request; on its return the points are on the server's disk",
    "the peer posts the same lines, made beforehand, with influxdb-client and no checks",
    f"'{_FRESH}' is the 95th percentile of {_LOOKS} in each round",
)


def run(bench: Bench) -> Result:
    """Run ``influx``.

    Raises:
        StackError: no influxd has been built on this machine.
    """
    many = _QUICK_WINDOWS if bench.quick else _WINDOWS
    bench.progress.start("influx", (2 * len(_PER_WRITE) + 1) * (WARM_UPS + bench.rounds))
    with LocalInflux(bench.folder / "influx") as server:
        settings = InfluxSettings(
            url=server.url, org=server.org, bucket=server.bucket, token_file=server.token_file
        )
        sites = (f"bench-{number}" for number in count())

        def timed(
            write: Callable[[InfluxSettings, Sequence[Window], int], float], most: int
        ) -> float:
            windows = make_windows(many, next(sites))
            return many * (SERIES + 1) / write(settings, windows, most)

        cases: dict[str, Callable[[], float]] = {
            _title(most, peer=peer): partial(timed, post_lines if peer else write_points, most)
            for most in _PER_WRITE
            for peer in (False, True)
        }
        cases[_FRESH] = lambda: freshness_ms(settings, make_windows(_LOOKS, next(sites)))
        found = interleaved(cases, bench)
    return Result(
        name="influx",
        sizes={"windows": many, "series": SERIES},
        figures=tuple(
            Figure(name=name, unit="ms" if name == _FRESH else "points/s", measured=spread(rates))
            for name, rates in found.items()
        ),
        bars=tuple(_bar(found, most) for most in _PER_WRITE),
        notes=_NOTES,
    )


def _title(most: int, *, peer: bool) -> str:
    return f"{'peer: bare client' if peer else 'historian'}, {most} windows a write"


def _bar(found: dict[str, list[float]], most: int) -> Bar:
    own, peer = found[_title(most, peer=False)], found[_title(most, peer=True)]
    return bar(f"historian / bare client, {most} windows a write", own, peer)


def write_points(settings: InfluxSettings, windows: Sequence[Window], most: int) -> float:
    """Write with the historian, ``most`` windows at a time; the time it takes [s]."""
    writes = _writes(windows, most)
    with InfluxHistorian(settings) as historian:
        began_s = time.perf_counter()
        for points in writes:
            historian.write(points)
        return time.perf_counter() - began_s


def post_lines(settings: InfluxSettings, windows: Sequence[Window], most: int) -> float:
    """Post the same as lines, ``most`` windows at a time; the time it takes [s]."""
    maker = LineMaker()
    bodies = [
        "\n".join(line for point in points for line in maker.lines_of(point).lines).encode()
        for points in _writes(windows, most)
    ]
    with closing(InfluxSession(settings, settings.store_secret())) as connection:
        began_s = time.perf_counter()
        for body in bodies:
            connection.post(body)
        return time.perf_counter() - began_s


def freshness_ms(settings: InfluxSettings, windows: Sequence[Window]) -> float:
    """How long after its write began a window is in an answer, 95th percentile [ms]."""
    delays_ms = []
    with InfluxHistorian(settings) as historian:
        for site, meters in windows:
            began_s = time.perf_counter()
            historian.write((site, meters))
            start_ms = site.window_start_ms
            while not historian.site_windows(site.site, start_ms, start_ms + WINDOW_MS):
                pass
            delays_ms.append(1_000 * (time.perf_counter() - began_s))
    return sorted(delays_ms)[round(0.95 * (len(delays_ms) - 1))]


def _writes(windows: Sequence[Window], most: int) -> list[list[Point]]:
    """Points of ``most`` windows at a time."""
    return [
        [point for window in windows[low : low + most] for point in window]
        for low in range(0, len(windows), most)
    ]
