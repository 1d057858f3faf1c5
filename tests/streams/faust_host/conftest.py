"""A broker, and a stage on the Faust host in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from confluent_kafka.cimpl import NewTopic

from deploy.local_kafka import LocalKafka
from deploy.ports import free_port
from schemas.settings import KafkaSettings
from streams.kafka import admin, ensure_topics, producer
from streams.metrics import free_base_port
from streams.stage_registry import STAGES
from tests.support.faust_work import ORDERS, PARTITIONS, Order

ROOT: Final = Path(__file__).resolve().parents[3]
PATIENCE_S: Final = 90.0


class WorkProcess:
    """``tests/support/faust_work.py``, and what it serves.

    Args:
        kafka: where it works.
        folder: for its files.
    """

    def __init__(self, kafka: KafkaSettings, folder: Path) -> None:
        self.kafka = kafka
        self._folder = folder
        self._web_port, self._metrics_port = free_port(), free_base_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders = producer(kafka, "test")

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        """The one that was started last."""
        assert self._process is not None
        return self._process

    def start(self, grace_s: float = 20.0) -> None:
        """Start it; it answers some seconds later."""
        places = [self.kafka.bootstrap_servers, self._web_port, self._metrics_port]
        arguments = [*places, self._folder / "faust", grace_s]
        with (self._folder / "work.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.faust_work", *map(str, arguments)],
                cwd=ROOT,
                stderr=log,
            )
        self.until(lambda: self.get(self.metrics_port, "/readyz")[0] == 200)

    @property
    def metrics_port(self) -> int:
        """Where it shows metrics and health."""
        return self._metrics_port + list(STAGES).index("devices")

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return (self._folder / "work.log").read_text(encoding="utf-8")

    def order(self, *orders: Order | bytes) -> None:
        """Write orders, keyed by site; bytes as they are."""
        for order in orders:
            value = order if isinstance(order, bytes) else msgspec.json.encode(order)
            key = "nobody" if isinstance(order, bytes) else order.site
            self._orders.produce(ORDERS, key=key, value=value)
        assert self._orders.flush(30) == 0

    def get(self, port: int, path: str) -> tuple[int, bytes]:
        """Status and body; status 0 where nothing answers."""
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, HTTPException):
            return 0, b""
        finally:
            connection.close()

    def page(self, name: str) -> Any:  # noqa: ANN401  JSON
        """What a page of the app holds."""
        return msgspec.json.decode(self.get(self._web_port, name)[1] or b"null")

    def done(self) -> dict[str, int]:
        """How much was done for each site."""
        return {site: row["done"] for site, row in (self.page("/rows") or {}).items()}

    def metric(self, name: str) -> float:
        """Sum of a metric's samples."""
        text = self.get(self.metrics_port, "/metrics")[1].decode()
        lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not is_so():
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline_s, (self.page("/rows"), self.log)
            time.sleep(0.05)

    def kill(self) -> None:
        """End it whatever it does."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


@pytest.fixture(scope="package")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A broker of this package, with the topics of the map and that of the orders."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        settings = KafkaSettings(bootstrap_servers=running.bootstrap_servers)
        ensure_topics(settings)
        topic = NewTopic(ORDERS, PARTITIONS, 1)
        client = admin(settings)
        client.create_topics([topic])[ORDERS].result()
        yield settings


@pytest.fixture(scope="module")
def working(
    kafka: KafkaSettings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WorkProcess]:
    """A running stage that works for sites."""
    process = WorkProcess(kafka, tmp_path_factory.mktemp("work"))
    process.start()
    yield process
    process.kill()
