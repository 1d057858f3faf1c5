"""What `gridloom devices` asks, and what it shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from rich.console import Console
from rich.text import Text

from deploy.ports import free_port
from schemas.errors import StackError
from schemas.messages import encode
from schemas.setpoint import AckResult, RefusalReason
from schemas.settings import DevicesSettings, Settings
from streams.devices.client import fetch_devices, render
from streams.devices.view import DeviceView, Lamp, LastAck

NOW = 1_800_000_000_000


def lamp(output: int, *, on: bool) -> Lamp:
    return Lamp(output=output, on=on, observed_ms=NOW, heard_ms=NOW)


def device(name: str = "b1", *, lamps: tuple[Lamp, ...] = (), heard_ms: int = NOW) -> DeviceView:
    return DeviceView(site="north", device=name, outputs=lamps, heard_ms=heard_ms)


def shown(*devices: DeviceView) -> list[str]:
    """Lines of the table, without frame and header, cells set apart by bars."""
    console = Console(width=120)
    with console.capture() as capture:
        console.print(render(devices, NOW))
    return [line for line in capture.get().splitlines() if line.startswith("│")]


@contextmanager
def server(status: int, body: bytes) -> Iterator[Settings]:
    """A web server that gives one answer to everything; settings that lead to it."""

    class Answer(BaseHTTPRequestHandler):
        asked: ClassVar[list[str]] = []

        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing to stderr."""

    with HTTPServer(("127.0.0.1", 0), Answer) as running:
        thread = Thread(target=running.serve_forever)
        thread.start()
        yield Settings(devices=DevicesSettings(port=running.server_port))
        running.shutdown()
        thread.join()


def test_lamps_tell_on_off_and_unknown() -> None:
    (line,) = shown(device(lamps=(lamp(1, on=True), lamp(2, on=False), lamp(4, on=True))))
    assert "│ ● ○ ? ● │" in line


def test_lamps_are_green_where_on_alone() -> None:
    view = device(lamps=(lamp(1, on=False), lamp(2, on=True)))
    (lamps,) = render([view], NOW).columns[2].cells
    assert isinstance(lamps, Text)
    assert [lamps.plain[span.start] for span in lamps.spans if span.style == "green"] == ["●"]


def test_a_device_that_never_told_its_outputs_has_one_unknown_lamp() -> None:
    (line,) = shown(device())
    assert "│ ?       │" in line
    assert "│ –        │" in line


def test_the_age_is_told_in_the_unit_that_suits_it() -> None:
    ages = {500: "0.5 s", -9: "0.0 s", 90_000: "2 min", 7_200_000: "2 h", 172_800_000: "2 d"}
    lines = shown(*(device(heard_ms=NOW - age_ms) for age_ms in ages))
    for line, age in zip(lines, ages.values(), strict=True):
        assert f"│ {age}" in line


def test_the_last_answer_is_told_with_its_reason_and_its_decision() -> None:
    last = LastAck(
        seq=5,
        decision_id="north.1.\x1b[31mabc",
        result=AckResult.REFUSED,
        reason=RefusalReason.STALE,
        acked_ms=NOW,
    )
    view = DeviceView(site="north", device="[b]b1", ack=last, applied=3, partial=2, refused=1)
    (line,) = shown(view)
    assert "[b]b1" in line
    assert "refused (stale) north.1.�[31mabc" in line
    assert [cell.strip() for cell in line.split("│")[-4:-1]] == ["3", "2", "1"]


def test_what_the_view_serves_is_what_the_client_gets() -> None:
    devices = [device("b1", lamps=(lamp(1, on=True),)), device("b2")]
    with server(200, b"[" + b",".join(encode(one) for one in devices) + b"]") as settings:
        assert fetch_devices(settings) == devices


def test_a_view_that_does_not_run_is_said_with_what_to_do() -> None:
    settings = Settings(devices=DevicesSettings(port=free_port()))
    with pytest.raises(StackError, match="no device view answers") as failure:
        fetch_devices(settings)
    assert "gridloom run devices" in failure.value.hint


def test_a_server_on_every_address_is_asked_on_this_machine() -> None:
    with server(200, b"[]") as settings:
        everywhere = DevicesSettings(host="0.0.0.0", port=settings.devices.port)  # noqa: S104
        assert fetch_devices(Settings(devices=everywhere)) == []


def test_a_view_that_is_still_starting_is_told_from_an_empty_one() -> None:
    with server(503, b'{"error": "..."}') as settings, pytest.raises(StackError, match="starting"):
        fetch_devices(settings)


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'[{"site": 1}]', b"\xff"])
def test_another_server_on_the_port_is_recognised(body: bytes) -> None:
    with server(200, body) as settings, pytest.raises(StackError, match="no device view"):
        fetch_devices(settings)
