"""``python -m deploy.healthy [URL...]``: a container's health check; 0 where all of them answer.

Without a URL, every stage that listens has to be ready, and one at least has to listen. It takes
the standard library alone, since it starts every few seconds.
"""

import errno
import http.client
import os
import socket
import sys
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 3.0
EXIT_UNHEALTHY: Final = 1
DEFAULT_METRICS_PORT: Final = 9400
STAGE_PORTS: Final = 20
"""Stages listen at so many ports, from the configured one on; the last is the supervisor's."""

_OK: Final = 200
_MOST_BYTES: Final = 1_000


def problem_at(url: str) -> str | None:
    """Why a URL ``http://host:port/path`` does not answer with 200, or None where it does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/")
        response = connection.getresponse()
        answer = response.read(_MOST_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{url}: {error}"
    finally:
        connection.close()
    return None if response.status == _OK else f"{url}: status {response.status}: {answer}"


def listens(port: int) -> bool:
    """Whether anything listens at a port of this machine."""
    with socket.socket() as probe:
        probe.settimeout(TIMEOUT_S)
        return probe.connect_ex(("127.0.0.1", port)) != errno.ECONNREFUSED


def ready_urls() -> list[str]:
    """Where the stages of this container say whether they are ready; the first, if none does."""
    base = int(os.environ.get("GRIDLOOM_METRICS__PORT") or DEFAULT_METRICS_PORT)
    ports = [port for port in range(base, base + STAGE_PORTS) if listens(port)]
    return [f"http://127.0.0.1:{port}/readyz" for port in ports or [base]]


def main(urls: list[str]) -> int:
    """Ask them all; every problem is written to stderr."""
    problems = [problem for url in urls or ready_urls() if (problem := problem_at(url))]
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return EXIT_UNHEALTHY if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
