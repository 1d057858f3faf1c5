"""Ports and settings of the local broker."""

import re
import socket

import pytest

from deploy.kafka_settings import free_port, require_free, server_properties
from schemas.errors import StackError


def test_a_port_in_use_is_refused_with_its_number() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port}: address already in use") as caught:
            require_free(port)
    assert "another port" in caught.value.hint
    require_free(port)


def test_a_free_port_can_be_listened_on() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port()))
        listener.listen()


def test_the_broker_listens_on_the_loopback_interface_only() -> None:
    text = server_properties(20_001, 20_002)
    hosts = re.findall(r"([^\s/@,=]+):(\d+)", text)
    assert set(hosts) == {("127.0.0.1", "20001"), ("127.0.0.1", "20002")}
