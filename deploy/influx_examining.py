"""Whether an InfluxDB serves Gridloom: everything that is wrong at once, in sentences."""

from collections.abc import Iterator
from typing import Final

from influxdb_client import InfluxDBClient, WriteService
from influxdb_client.rest import ApiException
from msgspec import Struct
from msgspec.structs import replace

from deploy.influx_api import (
    FORBIDDEN,
    UNAUTHORIZED,
    InfluxConnection,
    influx_client,
    influx_version,
    what_influx_says,
)
from deploy.influx_provisioning import retention_days

_SET_UP: Final = "`gridloom historian setup` makes what is missing."
_WRITTEN: Final = 204


class InfluxFinding(Struct, frozen=True):
    """One thing that was looked at, as a sentence, and what to do where it is not right."""

    is_ok: bool
    sentence: str
    hint: str = ""


def examine_influx(connection: InfluxConnection, reader_token: str) -> list[InfluxFinding]:
    """Look at version, tokens, organisation, buckets and retention; nothing is written.

    Args:
        connection: with the token of the role store.
        reader_token: of everyone else.

    Raises:
        HistorianAwayError: nothing answers.
        HistorianError: what answers is no InfluxDB 2.
    """
    version = influx_version(connection.url)
    findings = [InfluxFinding(is_ok=True, sentence=f"InfluxDB {version} answers.")]
    with influx_client(connection) as client:
        findings += _store_findings(client, connection)
    with influx_client(replace(connection, token=reader_token)) as client:
        findings.append(_reader_finding(client, connection))
    return findings


def _store_findings(
    client: InfluxDBClient, connection: InfluxConnection
) -> Iterator[InfluxFinding]:
    """One per bucket, unless the role store is let in nowhere."""
    for bucket in connection.buckets:
        status, says = _write_nothing(client, connection.org, bucket)
        if status == UNAUTHORIZED:
            sentence = "It does not accept the token of the role store."
            hint = "Look at [influxdb] token and token_file."
            yield InfluxFinding(is_ok=False, sentence=sentence, hint=hint)
            return
        if status == FORBIDDEN:
            sentence = f"The role store may not write to bucket {bucket}."
            yield InfluxFinding(is_ok=False, sentence=sentence, hint=_SET_UP)
        elif status == _WRITTEN:
            yield _retention_finding(client, connection.org, bucket)
        else:
            sentence = f"Bucket {bucket} takes no points: {says}."
            yield InfluxFinding(is_ok=False, sentence=sentence, hint=_SET_UP)


def _retention_finding(client: InfluxDBClient, org: str, bucket: str) -> InfluxFinding:
    """How long a bucket that takes points keeps them."""
    try:
        days = retention_days(client.buckets_api().find_buckets(name=bucket, org=org).buckets[0])
    except ApiException as error:
        says = what_influx_says(error)
        sentence = f"The role store may write to bucket {bucket}, but not read it: {says}."
        return InfluxFinding(is_ok=False, sentence=sentence, hint=_SET_UP)
    if days == 0:
        return InfluxFinding(is_ok=True, sentence=f"Bucket {bucket} keeps points forever.")
    sentence = f"Bucket {bucket} keeps points for {days:g} days."
    hint = "It refuses older ones: replayed history may not fit (setup --retention-days 0)."
    return InfluxFinding(is_ok=True, sentence=sentence, hint=hint)


def _reader_finding(client: InfluxDBClient, connection: InfluxConnection) -> InfluxFinding:
    """Everyone else has to be able to read, and need not be able to write."""
    api = client.buckets_api()
    try:
        for bucket in connection.buckets:
            api.find_buckets(name=bucket, org=connection.org)
    except ApiException as error:
        sentence = f"Readers cannot read: {what_influx_says(error)}."
        hint = "Look at [influxdb] read_token and read_token_file."
        return InfluxFinding(is_ok=False, sentence=sentence, hint=hint)
    status, _ = _write_nothing(client, connection.org, connection.bucket)
    if status != _WRITTEN:
        return InfluxFinding(is_ok=True, sentence="Readers may read, and nothing else.")
    hint = "Give them a token of their own: [influxdb] read_token_file."
    return InfluxFinding(is_ok=True, sentence="Readers may also write.", hint=hint)


def _write_nothing(client: InfluxDBClient, org: str, bucket: str) -> tuple[int, str]:
    """Status of an empty write, and what InfluxDB says to it: it asks for every right first."""
    try:
        WriteService(client.api_client).post_write(org=org, bucket=bucket, body="")
    except ApiException as error:
        return int(error.status), what_influx_says(error)
    return _WRITTEN, ""
