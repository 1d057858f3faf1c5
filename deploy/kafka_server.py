"""The broker as a process in a folder: formatted, started, waited for, stopped."""

import base64
import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.kafka_health import answers
from deploy.kafka_security import KafkaSecurity
from deploy.kafka_settings import Node, server_properties
from deploy.kafka_users import ADMIN_USER, KafkaUsers
from deploy.local_server import LocalServer
from deploy.ports import free_port
from deploy.secret_files import write_secret
from deploy.server_process import ServerProcess
from schemas.errors import StackError
from schemas.settings import KafkaSettings

_PROPERTIES: Final = "server.properties"


@dataclass(frozen=True, slots=True)
class Member:
    """A node of a cluster."""

    cluster_id: str
    node: Node


class KafkaServer(LocalServer):
    """One KRaft node; see ``LocalKafka``, which knows where its jars come from.

    Below ``folder`` are ``data`` (formatted once, then used again), ``kafka.log``,
    ``server.properties``, ``kafka.pid``, and for a secured broker ``security``.

    Args:
        folder: its own folder; made where it does not exist.
        port: where clients connect; by default one that is free at the first start.
        secure: whether it has TLS, users and access rules. A folder stays what it was at first.
        member: which node of which cluster it is; by default it is alone in one of its own.
    """

    name = "Kafka"

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        secure: bool = False,
        member: Member | None = None,
    ) -> None:
        super().__init__(folder, port=port)
        self._member = member
        self._security = KafkaSecurity(self.folder) if secure else None

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

    @property
    def users(self) -> KafkaUsers | None:
        """Users and their passwords; None where everybody may do everything."""
        return None if self._security is None else self._security.users

    def launch(
        self, java: Sequence[str], *, timeout_s: float, broker_options: Sequence[str] = ()
    ) -> None:
        """Format the folder where needed, run the broker, wait for it; undo all on failure.

        Args:
            java: the JVM, its options and the class path.
            timeout_s: for all of this together [s].
            broker_options: options for the broker's JVM alone.

        Raises:
            StackError: a broker already runs in the folder, the folder cannot be written or is
                not secured as it shall be, the port is in use, or the broker ends or does not
                answer in time.
        """
        deadline_s = time.monotonic() + timeout_s

        def complete(server: ServerProcess, argv: Sequence[str]) -> None:
            server.run(argv)
            server.wait_until(lambda: server.exit_status == 0, deadline_s)

        def run(server: ServerProcess) -> None:
            formatted = (self.folder / "data" / "meta.properties").exists()
            self._require_same_security(formatted=formatted)
            if self._security is not None:
                keytool = str(Path(java[0]).with_name("keytool"))
                self._security.prepare(lambda argv: complete(server, [keytool, *argv]))
            self._write_properties()
            if not formatted:
                with self._first_users() as arguments:
                    complete(server, [*java, *self._format_arguments(), *arguments])
            server.run([*java, *broker_options, "kafka.Kafka", _PROPERTIES])
            security = self._client_security()
            server.wait_until(lambda: answers(self.host, self.port, security), deadline_s)

        self._bring_up(run)

    def _require_same_security(self, *, formatted: bool) -> None:
        """Refuse to open a secured folder to everybody, and to trust one that was open."""
        was_secure = KafkaUsers(self.folder).folder.exists()
        if formatted and was_secure is (self._security is None):
            was, hint = ("secured", "with") if was_secure else ("in plain text", "without")
            raise StackError(
                f"The Kafka in {self.folder} was {was} when it was made, and stays so.",
                hint=f"Start it {hint} --secure as before, or delete it with --fresh.",
            )

    def _write_properties(self) -> None:
        secured = None if self._security is None else self._security.secured_by()
        if self._member is None:
            text = server_properties(self.port, free_port(besides=self.port), secured)
        else:
            node = self._member.node
            text = server_properties(self.port, node.controller_port, secured, node)
        write_secret(self.folder / _PROPERTIES, text)

    def _first_users(self) -> AbstractContextManager[list[str]]:
        return nullcontext([]) if self._security is None else self._security.first_users()

    def _client_security(self) -> dict[str, str]:
        """How the admin connects."""
        if self.users is None:
            return {}
        return self.users.as_user(KafkaSettings(), ADMIN_USER).client_security()

    def _format_arguments(self) -> list[str]:
        cluster_id = new_cluster_id() if self._member is None else self._member.cluster_id
        return ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", _PROPERTIES]


def new_cluster_id() -> str:
    """An id that no other cluster has."""
    # 16 bytes in base 64; the first byte keeps it from starting with a dash.
    return base64.urlsafe_b64encode(b"G" + os.urandom(15)).decode().rstrip("=")
