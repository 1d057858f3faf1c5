"""Asks the device view over HTTP, and shows what it answers."""

import time
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from typing import Final

import msgspec
from rich.table import Table
from rich.text import Text

from schemas.errors import StackError
from schemas.messages import UNREADABLE
from schemas.setpoint import AckResult
from schemas.settings import DevicesSettings, Settings
from streams.devices.view import DeviceView, LastAck

_TIMEOUT_S: Final = 5.0
_VIEWS: Final = msgspec.json.Decoder(list[DeviceView])
_ANY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  a server's, not a client's
_ACK_STYLES: Final = {
    AckResult.APPLIED: "green",
    AckResult.PARTIAL: "yellow",
    AckResult.REFUSED: "red",
}


def fetch_devices(settings: Settings) -> list[DeviceView]:
    """What the running device view knows, by device id.

    Raises:
        StackError: it does not run, is still starting, or answers something else.
    """
    web = settings.devices
    status, body = _get(web, "/devices")
    if status == 503:  # noqa: PLR2004  Service Unavailable
        hint = "it reads its table back after a start; try again in a few seconds"
        raise StackError("the device view is still starting", hint=hint)
    return decode_views(body, f"{web.host}:{web.port}")


def decode_views(body: bytes, address: str) -> list[DeviceView]:
    """The devices in an answer of ``address``.

    Raises:
        StackError: it is something else.
    """
    try:
        return _VIEWS.decode(body)
    except UNREADABLE as error:
        message = f"{address} answers, but it is no device view"
        hint = "another program listens there; set another GRIDLOOM_DEVICES__PORT"
        raise StackError(message, hint=hint, problems=[str(error)]) from error


def render(devices: Sequence[DeviceView], now_ms: int | None = None) -> Table:
    """Devices as a table with a lamp per output: green on, white off, ``?`` unknown.

    Args:
        devices: as fetched.
        now_ms: wall time [ms]; by default the present.
    """
    now_ms = round(time.time() * 1000) if now_ms is None else now_ms
    table = Table()
    for title in ("Site", "Device", "Outputs", "Heard", "Last ack"):
        table.add_column(title)
    for title in ("Applied", "Partial", "Refused"):
        table.add_column(title, justify="right")
    for one in devices:
        heard = Text(_age(now_ms - one.heard_ms))
        counts = [Text(str(count)) for count in (one.applied, one.partial, one.refused)]
        table.add_row(Text(one.site), Text(one.device), _lamps(one), heard, _ack(one.ack), *counts)
    return table


def _get(web: DevicesSettings, path: str) -> tuple[int, bytes]:
    """Status and body of an answer; no proxy is asked for what is near."""
    host = _ANY_ADDRESS.get(web.host, web.host)
    connection = HTTPConnection(host, web.port, timeout=_TIMEOUT_S)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException) as error:
        message = f"no device view answers at {web.host}:{web.port}"
        raise StackError(message, hint="start it with `gridloom run devices`") from error
    finally:
        connection.close()


def _lamps(device: DeviceView) -> Text:
    """A lamp for every output up to the highest one known."""
    known = {lamp.output: lamp.on for lamp in device.outputs}
    text = Text()
    for output in range(1, max(known, default=0) + 1):
        on = known.get(output)
        sign, style = ("?", "yellow") if on is None else ("●", "green") if on else ("○", "")
        text.append(f"{sign} ", style)
    text.rstrip()
    return text or Text("?", "yellow")


def _ack(ack: LastAck | None) -> Text:
    if ack is None:
        return Text("–")
    reason = f" ({ack.reason})" if ack.reason else ""
    decision = "".join(sign if sign.isprintable() else "�" for sign in ack.decision_id)
    return Text(f"{ack.result}{reason}", _ACK_STYLES[ack.result]).append(f" {decision}", "dim")


def _age(age_ms: int) -> str:
    """An age in the unit that suits it; clocks that disagree a little make it 0."""
    seconds = max(age_ms, 0) / 1000
    for unit, size_s in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size_s:
            return f"{seconds / size_s:.0f} {unit}"
    return f"{seconds:.1f} s"
