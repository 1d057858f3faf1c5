"""Asks a stage's process on this machine whether it is ready."""

from http.client import HTTPConnection, HTTPException
from typing import Final

import msgspec

from schemas.settings import Settings
from streams.metrics.health import Condition
from streams.metrics.ports import local_host, port_of

_TIMEOUT_S: Final = 2.0
_DECODER: Final = msgspec.json.Decoder(Condition)


def problems_of(settings: Settings, stage: str, slot: int, pid: int) -> tuple[str, ...] | None:
    """Why a process is not ready, as it says itself; empty where it is.

    None where it cannot say: metrics are off, or another program has taken its port.
    """
    port = port_of(settings, stage, slot)
    if port is None:
        return None
    connection = HTTPConnection(local_host(settings), port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", "/readyz")
        condition = _DECODER.decode(connection.getresponse().read())
    except ConnectionRefusedError:
        return ("it does not answer yet",)
    except (OSError, HTTPException, msgspec.DecodeError):
        return None
    finally:
        connection.close()
    return condition.problems if condition.pid == pid else None
