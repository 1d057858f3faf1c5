"""How many points the historians take per second, beside their bare clients; and the stage."""

from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Final

from deploy.influx_build import cached_influxd
from streams.benchmarking import store_influx, store_sqlite
from streams.benchmarking.figures import Bar, Curve, Figure, Result, bar, delay, figure
from streams.benchmarking.rounds import WARM_UPS, Bench, interleaved
from streams.benchmarking.store_bed import StoreBed, laid_store
from streams.benchmarking.store_windows import SERIES

PER_WRITE: Final = (1, 10, 100)
"""Windows of one write."""

SQLITE: Final = "SQLite"
INFLUXDB: Final = "InfluxDB"
FRESH: Final = "InfluxDB: write begun -> queryable, one window"

_WINDOWS: Final = 1_000
_QUICK_WINDOWS: Final = 100
_PEERS: Final = {SQLITE: "bare sqlite3", INFLUXDB: "raw influxdb-client"}
_NOTES: Final = (
    "servers, historians and peers share this machine and its disk",
    "every write is one transaction or request: on its return the points are on the disk",
    "bare sqlite3 inserts the same rows, made beforehand, by executemany into equal tables",
    "raw influxdb-client writes the same lines, made beforehand, as one joined body",
    "the stage is the real one: Kafka, decoding, the historian, then the commit of offsets",
)

Way = Callable[[], list[float]]


def run(bench: Bench) -> Result:
    """Run ``store``; with InfluxDB where one has been built on this machine."""
    windows = _QUICK_WINDOWS if bench.quick else _WINDOWS
    kinds = (SQLITE,) if cached_influxd() is None else (SQLITE, INFLUXDB)
    with laid_store(bench, windows, influx=INFLUXDB in kinds) as bed:
        ways = dict(each for kind in kinds for each in _ways(bed, kind))
        bench.progress.start("store", len(ways) * (WARM_UPS + bench.rounds))
        found = interleaved(ways, bench)
    fresh = [each for taken in found.pop(FRESH, []) for each in taken]
    rates = {title: [rate for (rate,) in of_way] for title, of_way in found.items()}
    return Result(
        name="store",
        sizes={"windows": windows, "series": SERIES},
        figures=tuple(_figures(rates)),
        bars=tuple(each for kind in kinds for each in _bars(rates, kind)),
        delays=(delay(FRESH, fresh),) if fresh else (),
        curves=tuple(each for kind in kinds for each in _curves(rates, kind)),
        notes=_NOTES if INFLUXDB in kinds else (*_NOTES, "no influxd is cached: `make influxd`"),
    )


def _ways(bed: StoreBed, kind: str) -> Iterator[tuple[str, Way]]:
    """Every way into one database, by name."""
    for most in PER_WRITE:
        if kind == SQLITE:
            yield _own(kind, most), partial(bed.into_file, store_sqlite.write_points, most)
            yield _peer(kind, most), partial(bed.into_file, store_sqlite.write_rows, most)
        else:
            yield _own(kind, most), partial(bed.into_influx, store_influx.write_points, most)
            yield _peer(kind, most), partial(bed.into_influx, store_influx.post_lines, most)
    yield _stage(kind), partial(bed.through_stage, "sqlite" if kind == SQLITE else "influxdb")
    if kind == INFLUXDB:
        yield FRESH, bed.freshness_ms


def _own(kind: str, most: int) -> str:
    return f"{kind}: historian, {_windows(most)}"


def _peer(kind: str, most: int) -> str:
    return f"{kind}: peer: {_PEERS[kind]}, {_windows(most)}"


def _stage(kind: str) -> str:
    return f"{kind}: the stage, from Kafka"


def _windows(most: int) -> str:
    return f"{most} window{'s' if most > 1 else ''} a write"


def _figures(rates: dict[str, list[float]]) -> list[Figure]:
    return [figure(title, "points/s", of_way) for title, of_way in rates.items()]


def _bars(rates: dict[str, list[float]], kind: str) -> list[Bar]:
    """The historian beside its peer, and the stage beside the peer's largest writes."""
    most = max(PER_WRITE)
    return [
        *(
            bar(
                f"{kind}: historian / {_PEERS[kind]}, {_windows(each)}",
                rates[_own(kind, each)],
                rates[_peer(kind, each)],
            )
            for each in PER_WRITE
        ),
        bar(
            f"{kind}: the stage, from Kafka / {_PEERS[kind]}, {_windows(most)}",
            rates[_stage(kind)],
            rates[_peer(kind, most)],
        ),
    ]


def _curves(rates: dict[str, list[float]], kind: str) -> list[Curve]:
    """How larger writes pay."""
    titles = {f"{kind}: historian": _own, f"{kind}: {_PEERS[kind]}": _peer}
    return [
        Curve(
            name=name,
            size="windows a write",
            unit="points/s",
            points=tuple((most, median(rates[of(kind, most)])) for most in PER_WRITE),
        )
        for name, of in titles.items()
    ]
