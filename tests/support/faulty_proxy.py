"""An HTTP proxy before a real InfluxDB that answers some writes with faults of its own."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@dataclass(frozen=True)
class Fault:
    """An answer in place of the server's.

    ``status``: 0 closes the connection without one. ``after``: whether the server gets the
    request all the same, and only its answer is lost.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    after: bool = False


Judge = Callable[[bytes], Fault | None]
"""What to do to a write, by its body."""


class FaultyProxy:
    """Forwards everything to ``target``, but for the writes that ``judge`` has a fault for."""

    def __init__(self, target: str) -> None:
        self.judge: Judge = lambda _: None
        self.bodies: list[bytes] = []
        self._address = urlsplit(target).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def first(self, times: int, fault: Fault) -> None:
        """The next ``times`` writes meet a fault; those after them go through."""
        left = iter([fault] * times)
        self.judge = lambda _: next(left, None)

    @contextmanager
    def running(self) -> Iterator["FaultyProxy"]:
        """Serve while the body runs."""
        thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy.serve(self)

            def do_POST(self) -> None:
                proxy.serve(self)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fault = None
        if "/api/v2/write" in handler.path and body:
            self.bodies.append(body)
            fault = self.judge(body)
        status, headers, answer = self._answer(handler, body, fault)
        if not status:
            handler.close_connection = True
            return
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer)))
        handler.end_headers()
        handler.wfile.write(answer)

    def _answer(
        self, handler: BaseHTTPRequestHandler, body: bytes, fault: Fault | None
    ) -> tuple[int, dict[str, str], bytes]:
        """The server's answer, or a fault's."""
        if fault is None:
            return self._forwarded(handler, body)
        if fault.after:
            self._forwarded(handler, body)
        return fault.status, dict(fault.headers), b'{"message":"a fault"}'

    def _forwarded(
        self, handler: BaseHTTPRequestHandler, body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """The server's own answer."""
        connection = HTTPConnection(self._address)
        headers = {k: v for k, v in handler.headers.items() if k.lower() not in _HOP_BY_HOP}
        connection.request(handler.command, handler.path, body, headers)
        response = connection.getresponse()
        answer = response.read()
        kept = {k: v for k, v in response.getheaders() if k.lower() not in _HOP_BY_HOP}
        connection.close()
        return response.status, kept, answer
