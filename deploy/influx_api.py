"""Talking to an InfluxDB 2: where it is, who we are to it, and what its refusals mean."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from msgspec import Struct
from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError

from schemas.errors import HistorianAwayError, HistorianError

UNAUTHORIZED: Final = 401
FORBIDDEN: Final = 403
NOT_FOUND: Final = 404
_PING_TIMEOUT_S: Final = 5.0
_OK: Final = 200


class InfluxConnection(Struct, frozen=True):
    """An InfluxDB 2 and a token for it.

    ``url``: such as ``http://127.0.0.1:8086``. ``org``: organisation. ``bucket``: of the
    5-second points. ``token``: secret. ``timeout_s``: of one request [s].
    """

    url: str
    org: str
    bucket: str
    token: str
    timeout_s: float = 60.0

    @property
    def minute_bucket(self) -> str:
        """Bucket of the 1-minute means."""
        return f"{self.bucket}_1m"

    @property
    def quarter_hour_bucket(self) -> str:
        """Bucket of the 15-minute means."""
        return f"{self.bucket}_15m"

    @property
    def buckets(self) -> tuple[str, str, str]:
        """All three, the finest first."""
        return self.bucket, self.minute_bucket, self.quarter_hour_bucket

    def __repr__(self) -> str:
        return f"InfluxConnection({self.url!r}, {self.org!r}, {self.bucket!r})"  # no secret


@contextmanager
def influx_client(connection: InfluxConnection) -> Iterator[InfluxDBClient]:
    """A client for a while; what goes wrong within comes out as a sentence.

    Raises:
        HistorianAwayError: the database is away.
        HistorianError: it refuses the token, or what is asked for.
    """
    timeout_ms = round(1_000 * connection.timeout_s)
    client = InfluxDBClient(
        connection.url, connection.token, timeout=timeout_ms, org=connection.org
    )
    try:
        yield client
    except ApiException as error:
        raise _refusal(connection, error) from error
    except HTTPError as error:
        raise _away(connection.url, error) from error
    finally:
        client.close()


def influx_version(url: str) -> str:
    """Which InfluxDB 2 answers at ``url``; ``dev`` where whoever built it gave it no number.

    Raises:
        HistorianAwayError: nothing answers.
        HistorianError: it is no address, or something else than an InfluxDB 2 answers.
    """
    if not is_address(url):
        hint = "It looks like http://127.0.0.1:8086."
        raise HistorianError(f"{url!r} is no address of an InfluxDB.", hint=hint)
    try:
        with PoolManager(retries=Retry(0), timeout=_PING_TIMEOUT_S) as pool:
            ping = pool.request("GET", f"{url.rstrip('/')}/ping")
            version = ping.headers.get("X-Influxdb-Version", "")
            setup = pool.request("GET", f"{url.rstrip('/')}/api/v2/setup")
    except HTTPError as error:
        raise _away(url, error) from error
    if not version:
        hint = "Check host and port: InfluxDB's own is 8086."
        raise HistorianError(f"What answers at {url} is not an InfluxDB.", hint=hint)
    if is_foreign(version) or setup.status != _OK:
        raise HistorianError(
            f"At {url} is an InfluxDB {version}, and Gridloom needs version 2.",
            hint="Run an InfluxDB 2.7 beside it, or let Gridloom run its own: make influxd.",
        )
    return version


def is_address(url: str) -> bool:
    """Whether ``url`` can be that of an InfluxDB."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return False


def is_foreign(version: str) -> bool:
    """Whether it is an InfluxDB of another interface; one without a number calls itself ``dev``."""
    return version.removeprefix("v").startswith(("0.", "1.", "3."))


def _away(url: str, error: HTTPError) -> HistorianAwayError:
    return HistorianAwayError(
        f"No InfluxDB answers at {url}.",
        hint="Check that it runs and that the address is right.",
        problems=[str(error)],
    )


def _refusal(connection: InfluxConnection, error: ApiException) -> HistorianError:
    """What a refused request means to the person who reads it."""
    if error.status == UNAUTHORIZED:
        return HistorianError(
            f"The InfluxDB at {connection.url} does not accept the token.",
            hint="Give it one that it made itself and that has not been deleted.",
        )
    return HistorianError(
        f"The InfluxDB at {connection.url} refuses a request ({error.status}).",
        problems=[what_influx_says(error)],
    )


def what_influx_says(error: ApiException) -> str:
    """Why InfluxDB refuses, in its own words."""
    body = error.body.decode(errors="replace") if isinstance(error.body, bytes) else error.body
    try:
        return str(json.loads(body or "")["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return str(body or error.reason or "no reason given").strip()
