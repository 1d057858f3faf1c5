"""One InfluxDB 2 as we use it: checked when it is opened, every failure a sentence."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from influxdb_client import InfluxDBClient, PingService
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.dialect import Dialect
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from deploy.influx_api import is_address, is_foreign
from schemas.errors import HistorianError
from schemas.settings import InfluxSettings
from streams.historians.influx_errors import explained

_PLAIN_CSV: Final = Dialect(header=True, annotations=[], delimiter=",")


class InfluxSession:
    """A checked connection.

    Args:
        settings: the section ``[influxdb]``.
        token: who we are.

    Raises:
        HistorianAwayError: nothing answers, or not now.
        HistorianError: it is no InfluxDB 2, or token, organisation or bucket are wrong.
    """

    def __init__(self, settings: InfluxSettings, token: str) -> None:
        if not is_address(settings.url):
            hint = "It looks like http://127.0.0.1:8086."
            raise HistorianError(f"[influxdb] url: {settings.url!r} is no address", hint=hint)
        self.settings = settings
        timeout_ms = round(1000 * settings.timeout_s)
        self._client = InfluxDBClient(
            settings.url, token, org=settings.org, timeout=timeout_ms, retries=False
        )
        try:
            with self.errors(starting=True):
                self.version = self._version()
                self.retention = Retention(self)
        except BaseException:
            self.close()
            raise
        self._writer = self._client.write_api(write_options=SYNCHRONOUS)

    @contextmanager
    def errors(self, *, starting: bool = False) -> Iterator[None]:
        """Run the body; raise an error of ours where the client raises one."""
        try:
            yield
        except (ApiException, HTTPError) as error:
            raise explained(self.settings, error, starting=starting) from error

    def post(self, body: bytes) -> None:
        """Write line protocol, all or in part.

        Raises:
            ApiException, HTTPError: as the client does; for :meth:`errors`.
        """
        self._writer.write(self.settings.bucket, record=body)

    def query(self, flux: str) -> str:
        """The answer to a query as CSV: one header per kind of table, and no annotations.

        Raises:
            HistorianAwayError: not now.
            HistorianError: not ever.
        """
        with self.errors():
            response = self._client.query_api().query_raw(flux, dialect=_PLAIN_CSV)
            return str(response.data.decode())

    def retention_s(self) -> int:
        """How long the bucket keeps points [s]; 0: for ever."""
        settings = self.settings
        found = self._client.buckets_api().find_buckets(name=settings.bucket, org=settings.org)
        if not found.buckets:
            message = f"the token may not see bucket {settings.bucket} of {settings.org}"
            hint = "Check [influxdb] token and bucket: it must be allowed to read the bucket."
            raise HistorianError(message, hint=hint)
        return sum(rule.every_seconds for rule in found.buckets[0].retention_rules)

    def close(self) -> None:
        """Let go of the connection; closing twice is harmless."""
        self._client.close()

    def _version(self) -> str:
        """Which InfluxDB answers."""
        answer: Any = PingService(self._client.api_client).get_ping_with_http_info()
        _, _, headers = answer
        version = str(headers.get("X-Influxdb-Version") or "").removeprefix("v")
        url = self.settings.url
        if not version:
            hint = "Check [influxdb] url; InfluxDB's own port is 8086."
            raise HistorianError(f"what answers at {url} is no InfluxDB", hint=hint)
        if is_foreign(version):
            hint = "Run an InfluxDB 2.7 beside it; `make influxd` builds one for this machine."
            message = f"at {url} is an InfluxDB {version}, and Gridloom needs version 2"
            raise HistorianError(message, hint=hint)
        return version


class Retention:
    """How far back a bucket reaches; asked for at first, and again after a while when it matters.

    Args:
        connection: whose bucket is meant.
    """

    _ASKED_AGAIN_S = 60.0

    def __init__(self, connection: InfluxSession) -> None:
        self._connection = connection
        self.refresh()

    def refresh(self) -> None:
        """Ask now."""
        self.kept_s = self._connection.retention_s()
        self._asked_s = time.monotonic()

    def oldest_ms(self) -> int:
        """The oldest time that the bucket takes now [ms]."""
        return round(1000 * (time.time() - self.kept_s)) if self.kept_s else 0

    def refuses(self, time_ms: int) -> bool:
        """Whether a point is too old; an operator may have mended it meanwhile."""
        if time_ms >= self.oldest_ms():
            return False
        if time.monotonic() > self._asked_s + self._ASKED_AGAIN_S:
            self.refresh()
        return time_ms < self.oldest_ms()

    def refusal(self) -> str:
        """Why a point that is too old is refused, and what to do."""
        return (
            f"older than the bucket's retention of {self.kept_s / 86_400:g} days: enlarge it with"
            " `gridloom historian setup --retention-days 0`"
        )
