"""Databases of their own, and a Kafka, that windows are written to over and over."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final, Literal

from schemas.clock import PipelineClock
from schemas.identity import partition_of
from schemas.messages import encode
from schemas.settings import InfluxSettings, Settings
from schemas.topics import METER_WINDOWS, SITE_WINDOWS
from streams.benchmarking.align_worker import Used
from streams.benchmarking.measured_process import MeasuredProcess, environment_of
from streams.benchmarking.rounds import Bench
from streams.benchmarking.store_influx import freshness_ms
from streams.benchmarking.store_windows import SERIES, Window, make_messages, make_windows
from streams.local_pipeline import LocalPipeline
from streams.metrics import free_base_port
from streams.replay.sending import Sender

Kind = Literal["sqlite", "influxdb"]

LOOKS: Final = 20
"""Windows that are asked for, one after the other, right after each was written."""


class StoreBed:
    """Where windows are written to; every run writes new ones.

    Args:
        settings: with the addresses of Kafka and, where there is one, of InfluxDB.
        folder: for SQLite files, logs and results.
        windows: of one run.
    """

    def __init__(self, settings: Settings, folder: Path, windows: int) -> None:
        self._settings = settings
        self._folder = folder
        self._windows = windows
        self._points = windows * (SERIES + 1)
        self._names = (f"bench-{number}" for number in count())

    def into_file(
        self, write: Callable[[Path, Sequence[Window], int], float], most: int
    ) -> list[float]:
        """Points per second into a new SQLite file, ``most`` windows at a time."""
        path = self._folder / f"{next(self._names)}.sqlite"
        return [self._points / write(path, make_windows(self._windows), most)]

    def into_influx(
        self, write: Callable[[InfluxSettings, Sequence[Window], int], float], most: int
    ) -> list[float]:
        """Points per second into InfluxDB, ``most`` windows at a time."""
        windows = make_windows(self._windows, next(self._names))
        return [self._points / write(self._settings.influxdb, windows, most)]

    def through_stage(self, kind: Kind) -> list[float]:
        """Points per second through the real stage, from Kafka to committed offsets.

        Raises:
            StackError: it failed; says where its log is.
        """
        self._send(next(self._names))
        historian = self._settings.historian.model_copy(update={"kind": kind})
        settings = self._settings.model_copy(update={"historian": historian})
        environment = environment_of(settings, "store")
        process = MeasuredProcess("store_worker", f"store-{kind}", self._folder, environment)
        used = process.run(Used, str(self._points))
        return [self._points / (used.ended_s - used.began_s)]

    def freshness_ms(self) -> list[float]:
        """How long after its write began each of some windows was in an answer [ms]."""
        return freshness_ms(self._settings.influxdb, make_windows(LOOKS, next(self._names)))

    def _send(self, site: str) -> None:
        """Windows as align publishes them."""
        partition = partition_of(site, self._settings.kafka.partitions)
        sender = Sender(self._settings.kafka)
        for meters, window in make_messages(self._windows, site):
            sender.send(METER_WINDOWS.name, encode(meters), key=site, partition=partition)
            sender.send(SITE_WINDOWS.name, encode(window), key=site, partition=partition)
        sender.flush()


@contextmanager
def laid_store(bench: Bench, windows: int, *, influx: bool) -> Iterator[StoreBed]:
    """A Kafka, and an InfluxDB where it is wanted; stopped after the body."""
    metrics = bench.settings.metrics.model_copy(update={"port": free_base_port()})
    influxdb = bench.settings.influxdb.model_copy(update={"url": ""})
    kind = "influxdb" if influx else "sqlite"
    historian = bench.settings.historian.model_copy(update={"kind": kind})
    changes = {"metrics": metrics, "influxdb": influxdb, "historian": historian}
    settings = bench.settings.model_copy(update=changes)
    with LocalPipeline(settings, bench.folder / "store", report=bench.progress.note) as pipeline:
        pipeline.up(PipelineClock(), stores=influx)
        yield StoreBed(pipeline.settings, bench.folder, windows)
