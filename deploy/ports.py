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
    return _first_of_free(1, besides)


def free_ports(count: int) -> int:
    """The first of ``count`` ports in a row that nothing listens on.

    Raises:
        StackError: there are not so many.
    """
    return _first_of_free(count, None)


def _first_of_free(count: int, besides: int | None) -> int:
    for first in random.sample(_FREE_PORTS, len(_FREE_PORTS)):
        row = range(first, first + count)
        if besides not in row and all(_is_free(port) for port in row):
            return first
    what = "No port" if count == 1 else f"No {count} ports in a row"
    verb = "is" if count == 1 else "are"
    raise StackError(f"{what} from {_FREE_PORTS[0]} to {_FREE_PORTS[-1]} {verb} free.")


def _is_free(port: int) -> bool:
    try:
        _bind(port)
    except OSError:
        return False
    return True


def _bind(port: int) -> None:
    with socket.socket() as probe:
        # As Kafka does: connections of a broker that just stopped do not block its port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, port))
