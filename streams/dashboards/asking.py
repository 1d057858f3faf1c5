"""Asks InfluxDB and Prometheus, and counts what they answer."""

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct
from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError

from deploy.influx_api import InfluxConnection, influx_client
from schemas.errors import GridloomError, HistorianError
from schemas.settings import Settings
from streams.dashboards.substitution import Span

_TIMEOUT_S: Final = 60.0


class PrometheusError(GridloomError):
    """Prometheus cannot be reached, or does not understand a question."""


class AskInflux:
    """Asks an InfluxDB with the token that may only read.

    Args:
        connection: where, and as whom.
    """

    def __init__(self, connection: InfluxConnection) -> None:
        self._connection = connection

    @property
    def bucket(self) -> str:
        """Bucket of the 5-second points."""
        return self._connection.bucket

    def records(self, flux: str) -> list[dict[str, Any]]:
        """Every row of the answer.

        Raises:
            HistorianError: it is away, or refuses the query.
        """
        with influx_client(self._connection) as client:
            tables = client.query_api().query(flux)
            return [record.values for table in tables for record in table.records]

    def rows(self, flux: str) -> int:
        """Rows of the answer in which there is anything.

        Raises:
            HistorianError: it is away, or refuses the query.
        """
        return sum(_says_something(row) for row in self.records(flux))


def asks_influx(settings: Settings) -> AskInflux:
    """The InfluxDB that is configured.

    Raises:
        ConfigurationError: there is no token for it.
        HistorianError: none is configured.
    """
    own = settings.influxdb
    if not settings.uses_influxdb or not own.url:
        raise HistorianError(
            "the dashboards read InfluxDB, and the historian that is configured is none",
            hint="set [influxdb] url, org, bucket and read_token_file",
        )
    secret = own.reader_secret()
    return AskInflux(InfluxConnection(own.url, own.org, own.bucket, secret, own.timeout_s))


class _Series(Struct):
    """One series of an answer: its newest value, or its course; values are text."""

    value: tuple[float, str] | None = None
    values: tuple[tuple[float, str], ...] = ()


class _Result(Struct):
    result: list[_Series]


class _Answer(Struct):
    data: _Result


class _Refusal(Struct):
    error: str


class AskPrometheus:
    """Asks a Prometheus.

    Args:
        url: such as ``http://127.0.0.1:9090``.

    Raises:
        PrometheusError: that is no address.
    """

    def __init__(self, url: str) -> None:
        if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
            hint = "it looks like http://127.0.0.1:9090"
            raise PrometheusError(f"{url!r} is not the address of a Prometheus", hint=hint)
        self._url = url.rstrip("/")

    def rows(self, promql: str, span: Span, *, instant: bool) -> int:
        """Values of the answer over the span, or at its end; one that is no number is none.

        Raises:
            PrometheusError: it is away, is no Prometheus, or does not understand the question.
        """
        if instant:
            path, at = "query", {"time": span.to_ms / 1_000}
        else:
            course = {"start": span.from_ms / 1_000, "end": span.to_ms / 1_000}
            path, at = "query_range", {**course, "step": float(span.step_s)}
        series = self._get(f"/api/v1/{path}?{urlencode({'query': promql, **at})}")
        values = [pair for one in series for pair in (one.value, *one.values) if pair]
        return sum(value not in {"NaN", "+Inf", "-Inf"} for _, value in values)

    def _get(self, path: str) -> list[_Series]:
        try:
            with PoolManager(retries=Retry(0), timeout=_TIMEOUT_S) as pool:
                response = pool.request("GET", self._url + path)
        except HTTPError as error:
            message = f"Prometheus at {self._url} cannot be reached: {error}"
            raise PrometheusError(message, hint="does it run there?") from error
        try:
            if response.status == HTTPStatus.OK:
                return msgspec.json.decode(response.data, type=_Answer).data.result
            said = msgspec.json.decode(response.data, type=_Refusal).error
        except msgspec.DecodeError as error:
            raise PrometheusError(f"what answers at {self._url} is not a Prometheus") from error
        raise PrometheusError(f"Prometheus refuses the question: {said}")


def _says_something(row: dict[str, Any]) -> bool:
    """Whether a row has more than its place: a time series' empty interval has not."""
    if "_value" in row:
        return row["_value"] is not None
    return any(value is not None for key, value in row.items() if key not in {"result", "table"})
