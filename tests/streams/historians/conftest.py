"""Historians of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.historians.influx import InfluxHistorian
from streams.historians.sqlite import SqliteHistorian
from tests.support.influx import InfluxBucket, influx, influx_bucket

__all__ = ["influx", "influx_bucket"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the SQLite historian's file is, or will be."""
    return tmp_path / "historian.sqlite"


@pytest.fixture
def historian(path: Path) -> Iterator[SqliteHistorian]:
    """An empty historian in a file."""
    with SqliteHistorian(path) as opened:
        yield opened


@pytest.fixture
def in_influxdb(influx_bucket: InfluxBucket) -> Iterator[InfluxHistorian]:
    """An empty historian in an InfluxDB."""
    with InfluxHistorian(influx_bucket.settings) as opened:
        yield opened
