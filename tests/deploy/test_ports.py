"""Ports of this machine."""

import socket

import pytest

from deploy.ports import free_port, require_free
from schemas.errors import StackError


def test_a_port_in_use_is_refused_with_its_number() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port}: address already in use") as caught:
            require_free(port, "Kafka")
    assert "another port" in caught.value.hint
    require_free(port, "Kafka")


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()
