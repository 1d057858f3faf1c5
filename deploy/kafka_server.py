"""The broker as a process in a folder: formatted, started, waited for, stopped."""

import base64
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from deploy.kafka_health import answers
from deploy.kafka_settings import server_properties
from deploy.local_server import LocalServer
from deploy.ports import free_port
from deploy.server_process import ServerProcess

_PROPERTIES: Final = "server.properties"


class KafkaServer(LocalServer):
    """One KRaft node; see ``LocalKafka``, which knows where its jars come from.

    Below ``folder`` are ``data`` (formatted once, then used again), ``kafka.log``,
    ``server.properties`` and ``kafka.pid``.

    Args:
        folder: its own folder; made where it does not exist.
        port: where clients connect; by default one that is free at the first start.
    """

    name = "Kafka"

    @property
    def log_path(self) -> Path:
        """The broker's log, of all its starts in this folder."""
        return self.folder / "kafka.log"

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect, ``127.0.0.1:<port>``.

        Raises:
            StackError: no port was given, and the broker has never been started.
        """
        return f"{self.host}:{self.port}"

    def launch(
        self, java: Sequence[str], *, timeout_s: float, broker_options: Sequence[str] = ()
    ) -> None:
        """Format the folder where needed, run the broker, wait for it; undo all on failure.

        Args:
            java: the JVM, its options and the class path.
            timeout_s: for all of this together [s].
            broker_options: options for the broker's JVM alone.

        Raises:
            StackError: a broker already runs in the folder, the folder cannot be written, the
                port is in use, or the broker ends or does not answer in time.
        """
        deadline_s = time.monotonic() + timeout_s

        def run(server: ServerProcess) -> None:
            text = server_properties(self.port, free_port(besides=self.port))
            (self.folder / _PROPERTIES).write_text(text, encoding="ascii")
            if not (self.folder / "data" / "meta.properties").exists():
                server.run([*java, *_format_arguments()])
                server.wait_until(lambda: server.exit_status == 0, deadline_s)
            server.run([*java, *broker_options, "kafka.Kafka", _PROPERTIES])
            server.wait_until(lambda: answers(self.host, self.port), deadline_s)

        self._bring_up(run)


def _format_arguments() -> list[str]:
    # A cluster id is 16 bytes in base 64; the first byte keeps it from starting with a dash.
    cluster_id = base64.urlsafe_b64encode(b"G" + os.urandom(15)).decode().rstrip("=")
    return ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", _PROPERTIES]
