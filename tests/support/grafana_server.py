"""A server that keeps to Grafana's documented HTTP API, as far as publishing needs it.

https://grafana.com/docs/grafana/latest/developers/http_api/ (dashboard, folder, data source,
health). It is no Grafana: what it does not know, it does not refuse.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

TOKEN: Final = "glsa_a-token"  # noqa: S105  of a server of the tests
BOTH_SOURCES: Final = (
    {"uid": "gridloom-influxdb", "type": "influxdb", "name": "Gridloom InfluxDB"},
    {"uid": "gridloom-prometheus", "type": "prometheus", "name": "Gridloom Prometheus"},
)

Answer = tuple[int, Any]
"""Status, and what is sent: bytes as they are, anything else as JSON."""


@dataclass
class GrafanaServer:
    """What the server keeps, and how it misbehaves.

    Attributes:
        url: where it listens.
        sources: its data sources.
        folders: by uid.
        boards: by uid: dashboard, its version, its folder.
        overrides: answers in place of its own, by method and path.
        meddles: whether somebody else saves every dashboard again at once.
        seen: method and path of every request.
    """

    url: str = ""
    sources: list[dict[str, str]] = field(default_factory=lambda: list(BOTH_SOURCES))
    folders: dict[str, str] = field(default_factory=dict)
    boards: dict[str, dict[str, Any]] = field(default_factory=dict)
    overrides: dict[str, Answer] = field(default_factory=dict)
    meddles: bool = False
    seen: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, token: str, body: Any) -> Answer:  # noqa: ANN401  JSON
        """What a request is answered."""
        asked = f"{method} {path}"
        self.seen.append(asked)
        if asked in self.overrides:
            return self.overrides[asked]
        if asked == "GET /api/health":
            return 200, {"commit": "0", "database": "ok", "version": "11.6.0"}
        if token != f"Bearer {TOKEN}":
            return 401, {"message": "Invalid API key", "messageId": "api-key.invalid"}
        whole: dict[str, Callable[[], Answer]] = {
            "GET /api/datasources": lambda: (200, self.sources),
            "POST /api/folders": lambda: self._new_folder(body),
            "POST /api/dashboards/db": lambda: self._save(body),
        }
        if asked in whole:
            return whole[asked]()
        parent, _, uid = asked.rpartition("/")
        by_uid = {
            "GET /api/folders": self._folder,
            "GET /api/dashboards/uid": self._board,
        }
        return by_uid.get(parent, _nothing_there)(uid)

    def _folder(self, uid: str) -> Answer:
        if uid not in self.folders:
            return 404, {"message": "folder not found", "status": "not-found"}
        return 200, {"uid": uid, "title": self.folders[uid]}

    def _new_folder(self, body: dict[str, str]) -> Answer:
        if body["title"] in self.folders.values() or body["uid"] in self.folders:
            return 412, {"message": "a folder with the same name already exists"}
        self.folders[body["uid"]] = body["title"]
        return 200, {"uid": body["uid"], "title": body["title"]}

    def _save(self, body: dict[str, Any]) -> Answer:
        board = body["dashboard"]
        if not board.get("title"):
            return 400, {"message": "Dashboard title cannot be empty", "status": "empty-name"}
        if body.get("folderUid", "") not in {"", *self.folders}:
            return 400, {"message": "folder not found"}
        kept = self.boards.get(board["uid"])
        if kept and not body["overwrite"] and board.get("version") != kept["version"]:
            message = "The dashboard has been changed by someone else"
            return 412, {"message": message, "status": "version-mismatch"}
        version = 1 if kept is None else kept["version"] + 1
        self.boards[board["uid"]] = {
            "dashboard": board,
            "version": version + (1 if self.meddles else 0),
            "folder": body["folderUid"],
        }
        url = f"/d/{board['uid']}/slug"
        return 200, {"status": "success", "uid": board["uid"], "version": version, "url": url}

    def _board(self, uid: str) -> Answer:
        kept = self.boards.get(uid)
        if kept is None:
            return 404, {"message": "Dashboard not found"}
        dashboard = {**kept["dashboard"], "id": 7, "version": kept["version"]}
        return 200, {
            "dashboard": dashboard,
            "meta": {"url": f"/d/{uid}/slug", "folderUid": kept["folder"]},
        }


def _nothing_there(_uid: str) -> Answer:
    return 404, {"message": "Not found"}


@contextmanager
def grafana_server() -> Iterator[GrafanaServer]:
    """One of them for a while, on a free port of this machine."""
    state = GrafanaServer()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length) or b"null")
            token = self.headers.get("Authorization", "")
            status, said = state.answer(self.command, self.path, token, body)
            payload = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(HTTPStatus(status))
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        do_GET = do_POST = _serve  # noqa: N815  the base class's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
