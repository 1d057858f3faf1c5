"""A real InfluxDB for tests: one server for the whole session, fresh buckets for every test.

``from tests.support.influx import influx, influx_bucket`` in a ``conftest.py``; however many
import them, there is one server. Tests that use them carry ``@pytest.mark.influxdb``.
"""

import atexit
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from influxdb_client.client.write_api import SYNCHRONOUS
from msgspec import Struct

from deploy.influx_api import InfluxConnection, influx_client
from deploy.influx_provisioning import Retention, RoleTokens, provision
from deploy.local_influx import LocalInflux
from schemas.settings import InfluxSettings

_servers: list[LocalInflux] = []
_numbers = itertools.count()


class InfluxBucket(Struct, frozen=True):
    """Three buckets of a test's own (``<bucket>``, ``_1m``, ``_15m``), and the role tokens."""

    operator: InfluxConnection
    tokens: RoleTokens

    @property
    def url(self) -> str:
        return self.operator.url

    @property
    def org(self) -> str:
        return self.operator.org

    @property
    def bucket(self) -> str:
        return self.operator.bucket

    @property
    def settings(self) -> InfluxSettings:
        """The ``[influxdb]`` section that Gridloom would be given."""
        return InfluxSettings.model_validate(
            {
                "url": self.url,
                "org": self.org,
                "bucket": self.bucket,
                "token": self.tokens.store,
                "read_token": self.tokens.reader,
            }
        )

    def write(self, lines: Iterable[str], bucket: str | None = None) -> None:
        """Write line protocol (times in ns), as the operator."""
        with (
            influx_client(self.operator) as client,
            client.write_api(write_options=SYNCHRONOUS) as api,
        ):
            api.write(bucket or self.bucket, record=list(lines))

    def rows(self, flux: str) -> list[dict[str, Any]]:
        """All rows that a Flux query yields, as the operator."""
        with influx_client(self.operator) as client:
            return [row.values for table in client.query_api().query(flux) for row in table.records]

    def delete(self) -> None:
        """Leave nothing of this test in the server."""
        with influx_client(self.operator) as client:
            for task in client.tasks_api().find_tasks(org=self.org, limit=500):
                if f" {self.bucket} " in task.name:
                    client.tasks_api().delete_task(task.id)
            for each in client.authorizations_api().find_authorizations(org=self.org):
                if each.token in {self.tokens.store, self.tokens.reader}:
                    client.authorizations_api().delete_authorization(each)
            for bucket in client.buckets_api().find_buckets(org=self.org, limit=100).buckets:
                if bucket.name in self.operator.buckets:
                    client.buckets_api().delete_bucket(bucket)


def new_bucket(
    server: LocalInflux, retention: Retention | None = None, *, with_tasks: bool = False
) -> InfluxBucket:
    """Fresh buckets; without the tasks that would downsample them every minute."""
    own = server.operator
    fresh = InfluxConnection(own.url, own.org, f"test{next(_numbers)}", own.token)
    return InfluxBucket(fresh, provision(fresh, retention, with_tasks=with_tasks))


def _shared_server(folder: Path) -> LocalInflux:
    """The server of this session, started by the first test that asks for it."""
    if not _servers:
        server = LocalInflux(folder)
        server.start()
        atexit.register(server.stop)
        _servers.append(server)
    return _servers[0]


@pytest.fixture(scope="session")
def influx(tmp_path_factory: pytest.TempPathFactory) -> LocalInflux:
    """The server of this session."""
    return _shared_server(tmp_path_factory.mktemp("influxdb"))


@pytest.fixture
def influx_bucket(influx: LocalInflux) -> Iterator[InfluxBucket]:
    """Fresh buckets for one test."""
    fresh = new_bucket(influx)
    yield fresh
    fresh.delete()
