"""A real Mosquitto for tests: one broker for the whole session.

``from tests.support.mosquitto import mosquitto`` in a ``conftest.py``. Tests that use it carry
``@pytest.mark.mqtt``. A test that keeps to its own site needs no broker of its own.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from deploy.local_mosquitto import LocalMosquitto

USERS: Final = {
    "gateway": "gateway-password",
    "health": "health-password",
    "site-1/board-1": "board-1-password",
    "site-1/board-2": "board-2-password",
}
"""Passwords by user name."""


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalMosquitto]:
    """The broker of this session, with ``USERS``."""
    with LocalMosquitto(tmp_path_factory.mktemp("mosquitto"), USERS) as broker:
        yield broker
