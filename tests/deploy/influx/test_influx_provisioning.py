"""What Gridloom makes inside an InfluxDB, and what its tokens may do there."""

from collections.abc import Callable
from typing import TypeVar

import pytest
from influxdb_client import Authorization, Bucket, InfluxDBClient, TaskUpdateRequest
from influxdb_client.client.write_api import SYNCHRONOUS
from msgspec.structs import replace

from deploy.influx_api import InfluxConnection, influx_client
from deploy.influx_provisioning import Retention, provision, retention_days
from deploy.influx_tasks import LEVELS
from deploy.local_influx import LocalInflux
from schemas.errors import HistorianAwayError, HistorianError
from tests.support.influx import InfluxBucket, new_bucket

pytestmark = pytest.mark.influxdb

T = TypeVar("T")


def as_role(fresh: InfluxBucket, token: str) -> InfluxConnection:
    return replace(fresh.operator, token=token)


def looked_at(fresh: InfluxBucket, look: Callable[[InfluxDBClient], T]) -> T:
    """What the operator sees."""
    with influx_client(fresh.operator) as client:
        return look(client)


def authorizations(fresh: InfluxBucket) -> list[Authorization]:
    """All tokens that this bucket's provisioning made."""
    found = looked_at(fresh, lambda client: client.authorizations_api().find_authorizations())
    return [each for each in found if each.description.startswith(f"gridloom {fresh.bucket} ")]


def buckets(fresh: InfluxBucket) -> dict[str, Bucket]:
    found = looked_at(fresh, lambda client: client.buckets_api().find_buckets(limit=100)).buckets
    return {each.name: each for each in found if each.name in fresh.operator.buckets}


def write(connection: InfluxConnection, bucket: str) -> None:
    with (
        influx_client(connection) as client,
        client.write_api(write_options=SYNCHRONOUS) as api,
    ):
        api.write(bucket, record="m value=1 1700000000000000000")


def read(connection: InfluxConnection, bucket: str) -> int:
    """Number of points."""
    with influx_client(connection) as client:
        tables = client.query_api().query(f'from(bucket: "{bucket}") |> range(start: 0)')
        return sum(len(table.records) for table in tables)


def test_the_store_may_write_and_read_its_three_buckets_and_nothing_else(
    influx: LocalInflux, influx_bucket: InfluxBucket
) -> None:
    """S1-06: least privilege per role."""
    store = as_role(influx_bucket, influx_bucket.tokens.store)
    for bucket in influx_bucket.operator.buckets:
        write(store, bucket)
        assert read(store, bucket) == 1
    with pytest.raises(HistorianError):
        write(store, influx.bucket)
    with pytest.raises(HistorianError):
        read(store, influx.bucket)
    assert read(influx_bucket.operator, influx.bucket) == 0
    with influx_client(store) as client:
        assert client.authorizations_api().find_authorizations() == []
        assert client.tasks_api().find_tasks() == []


def test_a_reader_may_read_and_nothing_else(influx_bucket: InfluxBucket) -> None:
    reader = as_role(influx_bucket, influx_bucket.tokens.reader)
    for bucket in influx_bucket.operator.buckets:
        assert read(reader, bucket) == 0
        with pytest.raises(HistorianError, match="refuses a request") as caught:
            write(reader, bucket)
        assert "insufficient permissions" in caught.value.problems[0]
    assert read(influx_bucket.operator, influx_bucket.bucket) == 0


def test_provisioning_again_changes_nothing(influx: LocalInflux) -> None:
    fresh = new_bucket(influx, with_tasks=True)
    before = {name: bucket.id for name, bucket in buckets(fresh).items()}
    assert sorted(before) == sorted(fresh.operator.buckets)
    assert provision(fresh.operator) == fresh.tokens
    assert {name: bucket.id for name, bucket in buckets(fresh).items()} == before
    assert len(authorizations(fresh)) == 2
    assert sorted(tasks(fresh)) == sorted(level.task_name(fresh.bucket) for level in LEVELS)
    fresh.delete()
    assert (buckets(fresh), authorizations(fresh), tasks(fresh)) == ({}, [], {})


def tasks(fresh: InfluxBucket) -> dict[str, str]:
    """Flux by name of every task of these buckets."""
    found = looked_at(fresh, lambda client: client.tasks_api().find_tasks(limit=500))
    return {each.name: each.flux for each in found if f" {fresh.bucket} " in each.name}


def test_a_task_with_an_older_text_gets_the_one_of_today(influx: LocalInflux) -> None:
    fresh = new_bucket(influx, with_tasks=True)
    name = LEVELS[0].task_name(fresh.bucket)
    today = LEVELS[0].task_flux(fresh.bucket)
    older = today.replace("offset: 45s", "offset: 1s")

    def make_older(client: InfluxDBClient) -> None:
        api = client.tasks_api()
        [task] = api.find_tasks(name=name)
        api.update_task_request(task.id, TaskUpdateRequest(flux=older))

    looked_at(fresh, make_older)
    assert tasks(fresh)[name] == older
    provision(fresh.operator)
    assert tasks(fresh)[name] == today
    fresh.delete()


def test_points_stay_forever_unless_told_otherwise(influx_bucket: InfluxBucket) -> None:
    """A bucket's retention has to hold replayed history."""
    days = {name: retention_days(bucket) for name, bucket in buckets(influx_bucket).items()}
    assert days == dict.fromkeys(influx_bucket.operator.buckets, 0)
    write(influx_bucket.operator, influx_bucket.bucket)


def test_a_retention_stays_until_another_is_asked_for(influx: LocalInflux) -> None:
    fresh = new_bucket(influx, Retention(raw_days=30, minute_days=365))
    assert days_of(fresh) == (30, 365, 0)
    provision(fresh.operator, with_tasks=False)
    assert days_of(fresh) == (30, 365, 0)
    provision(fresh.operator, Retention(raw_days=0, quarter_hour_days=7), with_tasks=False)
    assert days_of(fresh) == (0, 365, 7)
    fresh.delete()


def days_of(fresh: InfluxBucket) -> tuple[float, ...]:
    found = buckets(fresh)
    return tuple(retention_days(found[name]) for name in fresh.operator.buckets)


def test_a_token_that_lost_rights_is_replaced(influx_bucket: InfluxBucket) -> None:
    def revoke(client: InfluxDBClient) -> None:
        api = client.authorizations_api()
        for each in api.find_authorizations():
            if each.token == influx_bucket.tokens.store:
                each.status = "inactive"
                api.update_authorization(each)

    looked_at(influx_bucket, revoke)
    tokens = provision(influx_bucket.operator, with_tasks=False)
    assert tokens.reader == influx_bucket.tokens.reader
    assert tokens.store != influx_bucket.tokens.store
    write(as_role(influx_bucket, tokens.store), influx_bucket.bucket)
    replace(influx_bucket, tokens=tokens).delete()


def test_an_organisation_that_is_not_there_is_made(influx: LocalInflux) -> None:
    operator = replace(influx.operator, org="another utility", bucket="its own")
    tokens = provision(operator, with_tasks=False)
    write(replace(operator, token=tokens.store), "its own_15m")
    with pytest.raises(HistorianError):
        read(replace(operator, token=tokens.store), influx.bucket)


def test_a_wrong_token_is_refused_in_a_sentence(influx: LocalInflux) -> None:
    with pytest.raises(HistorianError, match="does not accept the token") as caught:
        provision(replace(influx.operator, token="wrong"))  # noqa: S106  a token that is none
    assert "wrong" not in str(caught.value)


def test_a_role_token_may_not_set_up(influx_bucket: InfluxBucket) -> None:
    with pytest.raises(HistorianError, match="The token may not set up") as caught:
        provision(as_role(influx_bucket, influx_bucket.tokens.store))
    assert "operator's token" in caught.value.hint


def test_a_server_that_is_away_is_told_apart_from_one_that_refuses() -> None:
    with pytest.raises(HistorianAwayError, match=r"No InfluxDB answers at http://127\.0\.0\.1:1"):
        provision(InfluxConnection("http://127.0.0.1:1", "gridloom", "gridloom", "any"))


def test_secrets_do_not_show_in_tracebacks_and_logs(influx_bucket: InfluxBucket) -> None:
    shown = repr(influx_bucket) + repr(influx_bucket.operator) + repr(influx_bucket.tokens)
    for secret in (influx_bucket.operator.token, *vars_of(influx_bucket)):
        assert secret not in shown


def vars_of(fresh: InfluxBucket) -> tuple[str, str]:
    return fresh.tokens.store, fresh.tokens.reader
