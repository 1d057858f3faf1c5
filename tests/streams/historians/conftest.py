"""A historian of its own for every test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.historians.sqlite import SqliteHistorian


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the historian's file is, or will be."""
    return tmp_path / "historian.sqlite"


@pytest.fixture
def historian(path: Path) -> Iterator[SqliteHistorian]:
    """An empty historian."""
    with SqliteHistorian(path) as opened:
        yield opened
