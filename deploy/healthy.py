"""``python -m deploy.healthy [URL...]``: a container's health check; 0 where all of them answer.

Without a URL it is enough that one stage shows its metrics. It takes the standard library alone,
since it starts every few seconds.
"""

import http.client
import os
import sys
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 3.0
EXIT_UNHEALTHY: Final = 1
DEFAULT_METRICS_PORT: Final = 9400
STAGE_PORTS: Final = 20
"""Stages show their metrics at so many ports, from the configured one on."""

_OK: Final = 200


def problem_at(url: str) -> str | None:
    """Why a URL ``http://host:port/path`` does not answer with 200, or None where it does."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path or "/")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{url}: {error}"
    finally:
        connection.close()
    return None if status == _OK else f"{url}: status {status}"


def metrics_urls() -> list[str]:
    """Where the stages of this container may show their metrics."""
    base = int(os.environ.get("GRIDLOOM_METRICS__PORT") or DEFAULT_METRICS_PORT)
    return [f"http://127.0.0.1:{base + index}/metrics" for index in range(STAGE_PORTS)]


def main(urls: list[str]) -> int:
    """Ask them all; every problem is written to stderr."""
    asked = urls or metrics_urls()
    problems = [problem for url in asked if (problem := problem_at(url))]
    needed = len(asked) if urls else 1
    if len(asked) - len(problems) >= needed:
        return 0
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return EXIT_UNHEALTHY


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
