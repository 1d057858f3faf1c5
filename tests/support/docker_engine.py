"""The part of Docker's HTTP interface that starting one container takes, and what it was asked.

No container runs. It shows what a real engine would be asked for, no more.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

_CONTAINER: Final = {
    "Id": "c0ffee",
    "Name": "/test",
    "Config": {},
    "State": {"Status": "running", "Health": {"Status": "healthy"}},
}
_ANSWERS: Final[dict[str, tuple[int, object]]] = {
    r"GET /version": (200, {"ApiVersion": "1.47", "MinAPIVersion": "1.24"}),
    r"GET .*/images/.*/json": (200, {"Id": "sha256:1", "RepoTags": []}),
    r"POST .*/containers/create": (201, {"Id": "c0ffee", "Warnings": []}),
    r"GET .*/containers/c0ffee/json": (200, _CONTAINER),
    r"POST .*/containers/c0ffee/start": (204, None),
    r"DELETE .*/containers/c0ffee": (204, None),
}


@dataclass
class Engine:
    """What was asked.

    Attributes:
        port: where it listens.
        asked: method and path of every request.
        created: the container that was described.
    """

    port: int = 0
    asked: list[str] = field(default_factory=list)
    created: dict[str, Any] = field(default_factory=dict)

    def answer(self, request: str, body: bytes) -> tuple[int, object]:
        """Status and content of the answer to a request, such as ``GET /version``."""
        self.asked.append(re.sub(r"/v[\d.]+/|\?.*", "/", request).rstrip("/"))
        if "/containers/create" in request:
            self.created = json.loads(body)
        path = request.split("?", maxsplit=1)[0]
        found = (answer for rule, answer in _ANSWERS.items() if re.fullmatch(rule, path))
        return next(found, (404, {"message": f"not part of this engine: {request}"}))


@contextmanager
def docker_engine() -> Iterator[Engine]:
    """An engine that listens on the loopback interface."""
    engine = Engine()

    class Handler(BaseHTTPRequestHandler):
        """Hands requests to the engine."""

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            status, content = engine.answer(f"{self.command} {self.path}", body)
            text = b"" if content is None else json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_DELETE = do_GET  # noqa: N815  http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        engine.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield engine
        server.shutdown()
        thread.join()
