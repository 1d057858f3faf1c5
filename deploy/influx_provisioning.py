"""What Gridloom needs inside an InfluxDB 2: organisation, buckets, role tokens, tasks.

All of it is idempotent: what is there already stays as it is.
"""

from collections.abc import Callable, Iterable
from typing import Final, Literal, TypeVar

from influxdb_client import (
    Authorization,
    Bucket,
    BucketRetentionRules,
    InfluxDBClient,
    Permission,
    PermissionResource,
)
from influxdb_client.rest import ApiException
from msgspec import Struct

from deploy.influx_api import (
    FORBIDDEN,
    NOT_FOUND,
    UNAUTHORIZED,
    InfluxConnection,
    influx_client,
)
from deploy.influx_tasks import ensure_tasks
from schemas.errors import HistorianError

T = TypeVar("T")
Role = Literal["store", "reader"]
_ACTIONS: Final[dict[Role, tuple[str, ...]]] = {"store": ("read", "write"), "reader": ("read",)}
_DAY_S: Final = 86_400
# Replayed history spans years: the coarser the points, the fewer files may hold them.
_SHARD_DAYS: Final = (7, 28, 364)
_SHARDS_KEPT: Final = 12


class Retention(Struct, frozen=True):
    """How long [days] each bucket keeps its points; 0: forever; None: as it does already.

    ``raw_days``: the 5-second points. ``minute_days``, ``quarter_hour_days``: the means.
    A bucket that is made anew keeps them forever by default, so that replayed history fits.
    """

    raw_days: int | None = None
    minute_days: int | None = None
    quarter_hour_days: int | None = None


class RoleTokens(Struct, frozen=True):
    """``store``: may read and write the three buckets. ``reader``: may read them; no more."""

    store: str
    reader: str

    def __repr__(self) -> str:
        return "RoleTokens(...)"  # no secrets


def provision(
    operator: InfluxConnection, retention: Retention | None = None, *, with_tasks: bool = True
) -> RoleTokens:
    """Make what is missing of organisation, buckets, role tokens and downsampling tasks.

    Args:
        operator: with a token that may do all of this.
        retention: how long points are kept.
        with_tasks: whether the server downsamples new points by itself.

    Raises:
        HistorianError: the database is away, or refuses.
    """
    with influx_client(operator) as client:
        client.buckets_api().find_buckets(limit=1)  # any token may, unless it is wrong
        try:
            return _provision(client, operator, retention or Retention(), with_tasks=with_tasks)
        except ApiException as error:
            if error.status not in {UNAUTHORIZED, FORBIDDEN}:
                raise
            raise HistorianError(
                f"The token may not set up {operator.org} in the InfluxDB at {operator.url}.",
                hint="It takes the operator's token, or an all-access token of that organisation.",
            ) from error


def _provision(
    client: InfluxDBClient, operator: InfluxConnection, retention: Retention, *, with_tasks: bool
) -> RoleTokens:
    days = (retention.raw_days, retention.minute_days, retention.quarter_hour_days)
    org_id = _ensure_org(client, operator.org)
    bucket_ids = [
        _ensure_bucket(client, org_id, *each)
        for each in zip(operator.buckets, days, _SHARD_DAYS, strict=True)
    ]
    if with_tasks:
        ensure_tasks(client, org_id, operator.bucket)
    store, reader = (
        _ensure_token(client, org_id, f"gridloom {operator.bucket}", role, bucket_ids)
        for role in _ACTIONS
    )
    return RoleTokens(store=store, reader=reader)


def _ensure_org(client: InfluxDBClient, name: str) -> str:
    api = client.organizations_api()
    found = _or_none(lambda: api.find_organizations(org=name))
    return str(found[0].id if found else api.create_organization(name=name).id)


def _ensure_bucket(
    client: InfluxDBClient, org_id: str, name: str, days: int | None, shard_days: int
) -> str:
    api = client.buckets_api()
    found = _or_none(lambda: api.find_buckets(name=name, org_id=org_id))
    if not found:
        rules = [_rule(days or 0, shard_days)]
        return str(api.create_bucket(bucket_name=name, retention_rules=rules, org=org_id).id)
    bucket: Bucket = found.buckets[0]
    if days is not None and retention_days(bucket) != days:
        bucket.retention_rules = [_rule(days, shard_days)]
        api.update_bucket(bucket)
    return str(bucket.id)


def _or_none(find: Callable[[], T]) -> T | None:
    """What is found, or None: to InfluxDB an unknown name is an error."""
    try:
        return find()
    except ApiException as error:
        if error.status != NOT_FOUND:
            raise
    return None


def _rule(days: int, shard_days: int) -> BucketRetentionRules:
    """Whole shards are forgotten: they may take no more than a small part of what is kept."""
    shard_s = shard_days * _DAY_S
    if days:
        shard_s = min(shard_s, days * _DAY_S // _SHARDS_KEPT)
    return BucketRetentionRules(every_seconds=days * _DAY_S, shard_group_duration_seconds=shard_s)


def retention_days(bucket: Bucket) -> float:
    """How long a bucket keeps its points [days]; 0: forever."""
    seconds: int = sum(rule.every_seconds for rule in bucket.retention_rules)
    return seconds / _DAY_S


def _ensure_token(
    client: InfluxDBClient, org_id: str, prefix: str, role: Role, bucket_ids: Iterable[str]
) -> str:
    """The role's token: the one with exactly its permissions, or a new one."""
    description = f"{prefix} {role}"
    wanted = [
        Permission(action, PermissionResource(type="buckets", id=bucket_id, org_id=org_id))
        for bucket_id in bucket_ids
        for action in _ACTIONS[role]
    ]
    api = client.authorizations_api()
    for each in api.find_authorizations(org_id=org_id):
        if each.description == description and each.token and _rights(each) == _rights_of(wanted):
            return str(each.token)
    new = Authorization(org_id=org_id, permissions=wanted, description=description)
    return str(api.create_authorization(authorization=new).token)


def _rights(authorization: Authorization) -> set[tuple[str, str, str]]:
    return _rights_of(authorization.permissions) if authorization.status == "active" else set()


def _rights_of(permissions: Iterable[Permission]) -> set[tuple[str, str, str]]:
    return {(each.action, each.resource.type, each.resource.id) for each in permissions}
