"""Shows metrics and health of this process over HTTP, from a thread of its own."""

import logging
import socket
import threading
from http.server import ThreadingHTTPServer
from socketserver import TCPServer
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, MetricsHandler

from schemas.settings import Settings
from streams.metrics.health import Condition, Health
from streams.metrics.ports import port_of
from streams.metrics.stage import StageMetrics

log = logging.getLogger(__name__)

_CLIENT_TIMEOUT_S: Final = 10.0
_OK: Final = 200
_NOT_FOUND: Final = 404
_UNAVAILABLE: Final = 503


def serve(settings: Settings, stage: str, slot: int = 0) -> StageMetrics:
    """The metrics of this process, shown from now on until it ends.

    A place that cannot be had is logged: a stage does its work also where nobody can see it.

    Raises:
        ConfigurationError: there is no such stage.
    """
    metrics = StageMetrics(stage, slot, settings.tracing)
    port = port_of(settings, stage, slot)
    if port is not None:
        host = settings.metrics.host
        try:
            server = open_server(host, port, metrics.registry, metrics.health)
        except (OSError, OverflowError, UnicodeError) as error:
            log.warning("no metrics at %s:%d: %s", host, port, error)
        else:
            threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return metrics


def open_server(
    host: str, port: int, registry: CollectorRegistry, health: Health
) -> ThreadingHTTPServer:
    """A server that listens, and answers once it is run.

    Raises:
        OSError: the host is not one of this machine, or the port is taken.
        OverflowError: there is no such port.
        UnicodeError: the host cannot be a name.
    """
    place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]

    class Server(_MetricsServer):
        address_family = place[0]

    return Server((host, port), _handler(registry, health))


def _handler(registry: CollectorRegistry, health: Health) -> type[MetricsHandler]:
    class Handler(MetricsHandler):
        timeout = _CLIENT_TIMEOUT_S

        def do_GET(self) -> None:  # noqa: N802  so http.server wants it
            """Answer on three paths only."""
            match self.path.partition("?")[0]:
                case "/metrics":
                    super().do_GET()
                case "/healthz":
                    self._tell(health.alive())
                case "/readyz":
                    self._tell(health.ready())
                case _:
                    self.send_error(_NOT_FOUND)

        def _tell(self, condition: Condition) -> None:
            body = msgspec.json.encode(condition)
            self.send_response(_UNAVAILABLE if condition.problems else _OK)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    Handler.registry = registry
    return Handler


class _MetricsServer(ThreadingHTTPServer):
    """Does not ask the network for its own name, which may take long where there is none."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Take the address."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away in the middle is nobody's trouble."""
        del request
        log.debug("no answer to %s", client_address)
