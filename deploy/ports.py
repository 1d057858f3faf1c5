"""Ports of this machine for the servers that run on it."""

import random
import socket
from typing import Final

from schemas.errors import StackError

HOST: Final = "127.0.0.1"
"""Local servers listen on the loopback interface only."""

_FREE_PORTS: Final = range(20_000, 32_000)
"""Below the ports that systems hand out to outgoing connections: none is taken by chance."""


def require_free(port: int, server: str) -> None:
    """Make sure that nothing listens on a port that ``server`` is to listen on.

    Raises:
        StackError: something does, or the port may not be used.
    """
    try:
        _bind(port)
    except OSError as error:
        raise StackError(
            f"{server} cannot listen on port {port}: {(error.strerror or str(error)).lower()}.",
            hint="Choose another port, or stop the program that uses this one.",
        ) from error


def free_port(*, besides: int | None = None) -> int:
    """A port that nothing listens on, other than ``besides``.

    Raises:
        StackError: there is none.
    """
    for port in random.sample(_FREE_PORTS, len(_FREE_PORTS)):
        try:
            _bind(port)
        except OSError:
            continue
        if port != besides:
            return port
    raise StackError(f"No port from {_FREE_PORTS[0]} to {_FREE_PORTS[-1]} is free.")


def _bind(port: int) -> None:
    with socket.socket() as probe:
        # As Kafka does: connections of a broker that just stopped do not block its port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
