"""Three real brokers on this machine, which hold three copies of everything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from deploy.kafka_server import Member, new_cluster_id
from deploy.kafka_settings import Node
from deploy.kafka_users import KafkaUsers
from deploy.local_kafka import LocalKafka
from deploy.ports import free_ports

NODES: Final = 3
"""One may be away: the other two are a majority, and hold what was acknowledged."""

_HEAP_MB: Final = 256


class LocalCluster:
    """A cluster of ``NODES`` brokers, each with a folder of its own; for trying what a fault does.

    Whoever uses it finds what a single ``LocalKafka`` has. ``min.insync.replicas`` is 2.

    Args:
        folder: holds the folders of the brokers.
        report: told what takes time.
    """

    def __init__(self, folder: Path, *, report: Callable[[str], None] = lambda _: None) -> None:
        first = free_ports(2 * NODES)
        controllers = tuple(range(first + NODES, first + 2 * NODES))
        cluster_id = new_cluster_id()
        self.folder = folder
        self.brokers: dict[int, LocalKafka] = {
            number: LocalKafka(
                folder / f"broker-{number}",
                port=first + number - 1,
                member=Member(cluster_id, Node(number, controllers)),
                heap_mb=_HEAP_MB,
                report=report,
            )
            for number in range(1, NODES + 1)
        }

    @property
    def bootstrap_servers(self) -> str:
        """Where clients connect."""
        return ",".join(broker.bootstrap_servers for broker in self.brokers.values())

    @property
    def users(self) -> KafkaUsers | None:
        """None: everybody on this machine may do everything."""
        return None

    @property
    def pid(self) -> int | None:
        """Process id of one of its brokers, or None where none runs."""
        return next((pid for each in self.brokers.values() if (pid := each.pid)), None)

    def start(self, timeout_s: float = 120.0) -> None:
        """Start all brokers at once: none is ready before two are.

        Raises:
            StackError: one does not start.
        """
        with ThreadPoolExecutor(NODES) as pool:
            starts = [pool.submit(broker.start, timeout_s) for broker in self.brokers.values()]
        for start in starts:
            start.result()

    def require_running(self) -> None:
        """Make sure that no broker has ended since it was started.

        Raises:
            StackError: one has.
        """
        for broker in self.brokers.values():
            broker.require_running()

    def stop(self, timeout_s: float = 15.0) -> None:
        """Stop all brokers at once."""
        with ThreadPoolExecutor(NODES) as pool:
            for broker in self.brokers.values():
                pool.submit(broker.stop, timeout_s)
