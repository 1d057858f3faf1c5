"""The web view: devices and health as JSON, for reading only."""

from typing import Final

import faust
import msgspec
from faust.web import Request, Response, View

from streams.devices.table import DeviceTable
from streams.devices.view import DeviceView
from streams.faust_host.app import is_ready

_OK: Final = 200
_NOT_FOUND: Final = 404
_AMBIGUOUS: Final = 409
_STARTING: Final = 503


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What an answer other than 200 holds."""

    error: str


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the view does: ``ok``, or ``starting`` while the table is being read back.

    ``malformed`` and ``misplaced``: what was passed over since the start.
    """

    status: str
    devices: int
    malformed: int
    misplaced: int


Answer = list[DeviceView] | DeviceView | Health | Problem


def add_pages(app: faust.App, table: DeviceTable) -> None:
    """Serve ``/devices``, ``/devices/<id>`` and ``/health``.

    An id is ``<site>/<device>``, or the device's name alone where one site only has it.
    """

    @app.page("/devices")
    async def devices(view: View, _request: Request) -> Response:
        return _answer(view, table.views()) if is_ready(app) else _starting(view)

    @app.page("/devices/{id:.+}")
    async def device(view: View, _request: Request, id: str) -> Response:  # noqa: A002
        if not is_ready(app):
            return _starting(view)
        found = [one for one in table.views() if id in (one.id, one.device)]
        if len(found) == 1:
            return _answer(view, found[0])
        return _unclear(view, id, found)

    @app.page("/health")
    async def health(view: View, _request: Request) -> Response:
        ready = is_ready(app)
        state = Health(
            status="ok" if ready else "starting",
            devices=len(table.views()) if ready else 0,
            malformed=table.passed_over["malformed"],
            misplaced=table.passed_over["misplaced"],
        )
        return _answer(view, state, _OK if ready else _STARTING)


def _unclear(view: View, name: str, found: list[DeviceView]) -> Response:
    if not found:
        return _answer(view, Problem(error=f"nothing was heard of a device {name}"), _NOT_FOUND)
    ids = ", ".join(one.id for one in found)
    return _answer(view, Problem(error=f"several sites have one: {ids}"), _AMBIGUOUS)


def _starting(view: View) -> Response:
    return _answer(view, Problem(error="the table is being read back"), _STARTING)


def _answer(view: View, content: Answer, status: int = _OK) -> Response:
    body = msgspec.json.encode(content)
    return view.bytes(body, content_type="application/json", status=status)
