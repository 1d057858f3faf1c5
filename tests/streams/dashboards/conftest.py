"""A real InfluxDB with a run in it."""

from collections.abc import Iterator, Sequence

import pytest

from deploy.local_influx import LocalInflux
from schemas.settings import Settings
from streams.historians.influx import InfluxHistorian
from streams.historians.points import Point
from tests.support.grafana_run import GrafanaRun, make_run
from tests.support.influx import InfluxBucket, influx, influx_bucket, new_bucket
from tests.support.prometheus import prometheus

__all__ = ["influx", "influx_bucket", "prometheus"]


def settings_of(bucket: InfluxBucket) -> Settings:
    """Settings of whoever reads this InfluxDB."""
    return Settings(influxdb=bucket.settings)


def store(bucket: InfluxBucket, points: Sequence[Point]) -> None:
    """Write points as the store stage does."""
    with InfluxHistorian(bucket.settings) as historian:
        assert historian.write(points) == ()


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> GrafanaRun:
    """The run's messages."""
    return make_run(tmp_path_factory.mktemp("boards"))


@pytest.fixture(scope="session")
def filled(influx: LocalInflux, run: GrafanaRun) -> Iterator[InfluxBucket]:
    """Buckets that hold the run, as the store stage writes it."""
    fresh = new_bucket(influx)
    store(fresh, run.points)
    yield fresh
    fresh.delete()
