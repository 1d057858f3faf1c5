"""A real Prometheus on this machine, that scrapes what a file of targets names."""

import http.client
import json
import shutil
import time
from pathlib import Path
from typing import Any, Final

from deploy.local_server import LocalServer
from deploy.ports import HOST
from deploy.server_process import ServerProcess
from schemas.errors import StackError

NAME: Final = "Prometheus"
RULES: Final = Path(__file__).parent / "prometheus" / "rules.yml"
"""Alerting rules, the same as in the containers."""

_CONFIGURATION: Final = "prometheus.yml"
_OK: Final = 200
_CONNECT_TIMEOUT_S: Final = 2.0


class LocalPrometheus(LocalServer):
    """A Prometheus that keeps its data in a folder, and lives no longer than this process.

    As a context manager it starts and stops. It can be started again after a stop, on the same
    port; data stay. Below ``folder`` are ``data``, ``prometheus.yml`` and ``prometheus.log``.

    Args:
        folder: its own folder; made where it does not exist.
        targets_file: names what is scraped, in the format of ``file_sd_configs``; it is read
            again when it changes, and need not exist yet.
        port: where clients connect; by default one that is free at the first start.
        interval_s: time between two scrapes of a target [s].
    """

    name = NAME

    def __init__(
        self,
        folder: Path,
        targets_file: Path,
        *,
        port: int | None = None,
        interval_s: float = 2.0,
    ) -> None:
        super().__init__(folder, port=port)
        self._targets_file = targets_file.resolve()
        self._interval_s = interval_s

    @property
    def url(self) -> str:
        """Where clients connect.

        Raises:
            StackError: no port was given, and the server has never been started.
        """
        return f"http://{self.host}:{self.port}"

    def start(self, timeout_s: float = 30.0) -> None:
        """Start the server and wait until it takes questions.

        Args:
            timeout_s: for the start [s].

        Raises:
            StackError: Prometheus is not installed, one already runs in the folder, the port is
                in use, or the server ends or does not answer in time.
        """
        program = prometheus_program()
        deadline_s = time.monotonic() + timeout_s

        def run(server: ServerProcess) -> None:
            configuration = scrape_configuration(self._targets_file, self._interval_s)
            text = json.dumps(configuration, indent=2)  # which is YAML as well
            (self.folder / _CONFIGURATION).write_text(text + "\n", encoding="utf-8")
            server.run(
                [
                    program,
                    f"--config.file={_CONFIGURATION}",
                    f"--web.listen-address={self.host}:{self.port}",
                    "--storage.tsdb.path=data",
                    "--log.level=warn",
                ]
            )
            server.wait_until(lambda: _is_ready(self.port), deadline_s)

        self._bring_up(run)


def prometheus_program() -> str:
    """The server's program.

    Raises:
        StackError: it is not installed.
    """
    program = shutil.which("prometheus")
    if program is None:
        raise StackError(f"There is no {NAME} on this machine.", hint="apt install prometheus")
    return program


def scrape_configuration(targets_file: Path, interval_s: float) -> dict[str, Any]:
    """Prometheus' configuration: one job, whose targets stand in a file.

    Args:
        targets_file: as an absolute path; its name ends in ``.json``.
        interval_s: time between two scrapes, and between two evaluations of the rules [s].
    """
    interval = f"{round(interval_s * 1000)}ms"
    files = {"files": [str(targets_file)], "refresh_interval": "5s"}
    # A stage says itself which one it is; the targets say it too, for those that are down.
    job = {"job_name": "gridloom", "honor_labels": True, "file_sd_configs": [files]}
    return {
        "global": {"scrape_interval": interval, "evaluation_interval": interval},
        "rule_files": [str(RULES)],
        "scrape_configs": [job],
    }


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=_CONNECT_TIMEOUT_S)
    try:
        connection.request("GET", "/-/ready")
        return connection.getresponse().status == _OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
