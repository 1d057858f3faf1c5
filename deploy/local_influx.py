"""A real InfluxDB 2 on this machine, set up for Gridloom, with nothing to configure."""

import json
import time
from pathlib import Path
from typing import Final

from influxdb_client import InfluxDBClient, OnboardingRequest, SetupService
from urllib3 import PoolManager
from urllib3.exceptions import HTTPError

from deploy.influx_api import InfluxConnection, influx_client
from deploy.influx_build import cached_influxd
from deploy.influx_files import ADDRESS_FILE, READER_TOKEN_FILE, STORE_TOKEN_FILE
from deploy.influx_provisioning import provision
from deploy.local_server import LocalServer
from deploy.secret_files import secret_in, write_secret
from deploy.server_process import ServerProcess
from schemas.errors import HistorianError, StackError

_OPERATOR_TOKEN_FILE: Final = "operator.token"  # noqa: S105  a file's name
_PASSWORD_FILE: Final = "operator.password"  # noqa: S105  a file's name
_USER: Final = "gridloom"
_OPTIONS: Final = (
    "--bolt-path=influxd.bolt",
    "--engine-path=engine",
    "--sqlite-path=influxd.sqlite",
    "--reporting-disabled",
    "--log-level=error",
    "--pprof-disabled",
    # Flux may not reach into the network that this machine is in.
    "--hardening-enabled",
    # A write ends by then, one way or the other: [influxdb] timeout_s is longer.
    "--storage-write-timeout=10s",
    # A query that reads too much is refused before the machine runs out of memory.
    "--query-concurrency=8",
    "--query-queue-size=256",
    "--query-memory-bytes=1073741824",
)
_OK: Final = 200


class LocalInflux(LocalServer):
    """An InfluxDB that keeps its data in a folder, and lives no longer than this process.

    As a context manager it starts and stops. It can be started again after a stop, on the same
    port; data and tokens stay. Below ``folder`` are its data, ``influxdb.log``, the role
    tokens in files that only their owner may read, and ``influxdb.json``.

    Args:
        folder: its own folder; made where it does not exist.
        port: where clients connect; by default one that is free at the first start.
        org: organisation.
        bucket: of the 5-second points; ``<bucket>_1m`` and ``<bucket>_15m`` hold the means.
    """

    name = "InfluxDB"

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        org: str = "gridloom",
        bucket: str = "gridloom",
    ) -> None:
        super().__init__(folder, port=port)
        self.org = org
        self.bucket = bucket

    @property
    def url(self) -> str:
        """Where clients connect.

        Raises:
            StackError: no port was given, and the server has never been started.
        """
        return f"http://{self.host}:{self.port}"

    @property
    def token_file(self) -> Path:
        """File with the token that may read and write."""
        return self.folder / STORE_TOKEN_FILE

    @property
    def read_token_file(self) -> Path:
        """File with the token that may only read."""
        return self.folder / READER_TOKEN_FILE

    @property
    def operator(self) -> InfluxConnection:
        """The connection that may do everything."""
        token = (self.folder / _OPERATOR_TOKEN_FILE).read_text(encoding="ascii")
        return InfluxConnection(self.url, self.org, self.bucket, token)

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the server, wait until it answers, and make sure that it is set up.

        Args:
            timeout_s: for the start itself [s].

        Raises:
            StackError: no InfluxDB has been built, one already runs in the folder, the port is
                in use, or the server ends or does not answer in time.
        """
        program = cached_influxd()
        if program is None:
            raise StackError(
                "There is no InfluxDB on this machine that could be started.",
                hint="`make influxd` builds one, once, in about 5 minutes.",
            )
        deadline_s = time.monotonic() + timeout_s
        self._bring_up(lambda server: self._launch(server, program, deadline_s))

    def _launch(self, server: ServerProcess, program: Path, deadline_s: float) -> None:
        argv = [str(program), "run", f"--http-bind-address={self.host}:{self.port}", *_OPTIONS]
        # A settings file elsewhere on this machine is meant for another server.
        server.run(argv, {"INFLUXD_CONFIG_PATH": str(self.folder)})
        with PoolManager(retries=False, timeout=5.0) as pool:
            server.wait_until(lambda: _is_healthy(pool, self.url), deadline_s)
        self._set_up()

    def _set_up(self) -> None:
        """Onboard a new server, provision it, and leave the tokens where they are looked for."""
        try:
            token = secret_in(self.folder / _OPERATOR_TOKEN_FILE)
            operator = InfluxConnection(self.url, self.org, self.bucket, token)
            with influx_client(operator) as client:
                _onboard(client, operator, secret_in(self.folder / _PASSWORD_FILE))
            tokens = provision(operator)
        except HistorianError as error:
            raise StackError(
                f"The InfluxDB in {self.folder} could not be set up: {error.message}",
                hint="Delete the folder if its data are not needed any more.",
                problems=error.problems,
            ) from error
        write_secret(self.token_file, tokens.store)
        write_secret(self.read_token_file, tokens.reader)
        address = {"url": self.url, "org": self.org, "bucket": self.bucket}
        (self.folder / ADDRESS_FILE).write_text(json.dumps(address) + "\n", encoding="utf-8")


def _onboard(client: InfluxDBClient, operator: InfluxConnection, password: str) -> None:
    """Make the first user, organisation and bucket where the server has none yet."""
    service = SetupService(client.api_client)
    if service.get_setup().allowed:
        request = OnboardingRequest(
            _USER, password, operator.org, operator.bucket, token=operator.token
        )
        service.post_setup(request)


def _is_healthy(pool: PoolManager, url: str) -> bool:
    try:
        return pool.request("GET", f"{url}/health").status == _OK
    except HTTPError:
        return False
