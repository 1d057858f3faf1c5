"""A broker, a device view in a process of its own, and whoever writes to its topics."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from confluent_kafka import Producer

from deploy.local_kafka import LocalKafka
from deploy.ports import free_port
from schemas.dispatch_plan import OutputState
from schemas.errors import StackError
from schemas.messages import encode
from schemas.setpoint import Ack, AckResult, RefusalReason
from schemas.settings import DevicesSettings, KafkaSettings, Settings
from schemas.telemetry import Batch, BatchItem
from streams.devices.changelog import SOURCES
from streams.devices.client import fetch_devices
from streams.devices.view import DeviceView
from streams.kafka import ensure_topics, transactional_producer

TELEMETRY, ACKS = SOURCES
T0: Final = 1_700_000_000_000
"""Pipeline time of the tests [ms]: far from wall time."""

_PATIENCE_S: Final = 90.0


def board(site: str) -> str:
    """The one board of a site."""
    return f"board-{site}"


def report(site: str, time_ms: int = T0, **outputs: bool) -> Batch:
    """What the board of ``site`` publishes; outputs are named as quantities are."""
    items = tuple(
        BatchItem(
            event_id=f"{site}/{name}/{time_ms}",
            device=board(site),
            quantity=name,
            unit="on",
            value=float(on),
            event_time_ms=time_ms,
        )
        for name, on in outputs.items()
    )
    return Batch(site=site, source=board(site), readings=items)


def ack(site: str, seq: int, *, refused: bool = False, time_ms: int = T0, on: bool = True) -> Ack:
    """An answer of the board of ``site``, whose output 3 is read back."""
    return Ack(
        event_id=f"{site}/{seq}",
        decision_id=f"{site}.{seq}.abcdef01",
        site=site,
        gateway="g1",
        device=board(site),
        seq=seq,
        epoch=1,
        result=AckResult.REFUSED if refused else AckResult.APPLIED,
        reason=RefusalReason.EXPIRED if refused else None,
        outputs=(OutputState(output=3, on=on),),
        acked_ms=time_ms,
    )


class Gateway:
    """Writes to the view's topics as gateways and boards do: keyed by site, in transactions."""

    def __init__(self, kafka: KafkaSettings) -> None:
        self._producer: Producer = transactional_producer(kafka, "gateway", 0)
        self._producer.init_transactions(30)
        self.applied: dict[str, int] = {}
        self._seq = 0

    @contextmanager
    def transaction(self, *, abort: bool = False) -> Iterator[Producer]:
        """What is produced within is written, and then committed or aborted."""
        self._producer.begin_transaction()
        yield self._producer
        self._producer.flush(30)
        if abort:
            self._producer.abort_transaction(30)
        else:
            self._producer.commit_transaction(30)

    def send(self, *messages: Batch | Ack, abort: bool = False) -> None:
        """One transaction with these messages."""
        with self.transaction(abort=abort) as producer:
            for message in messages:
                topic = ACKS if isinstance(message, Ack) else TELEMETRY
                producer.produce(topic, key=message.site, value=encode(message))

    def acknowledge(self, *sites: str, abort: bool = False, count: int = 1) -> None:
        """``count`` answers of each site; those that are aborted say *refused*."""
        for _ in range(count):
            self._seq += 1
            self.send(*(ack(site, self._seq, refused=abort) for site in sites), abort=abort)
            for site in sites if not abort else ():
                self.applied[site] = self.applied.get(site, 0) + 1


class ViewProcess:
    """``gridloom run devices``, and what it serves.

    Args:
        settings: as the process gets them, by its environment.
        folder: its working folder, which it must leave empty.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process; it answers some seconds later."""
        environment = {
            "GRIDLOOM_FOLDER": str(self.settings.home),
            "GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS": self.settings.kafka.bootstrap_servers,
            "GRIDLOOM_DEVICES__PORT": str(self.settings.devices.port),
            "GRIDLOOM_METRICS__PORT": "0",  # what they print is looked at
            # Faust would let this override what it is told.
            "WEB_PORT": "1",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "streams.stage_process", "devices"],
            cwd=self.folder,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; exit status, and everything that was printed."""
        assert self._process
        self._process.send_signal(number)
        return self.result()

    def result(self) -> tuple[int, str]:
        """Wait for its end; exit status, and everything that was printed."""
        assert self._process
        output, errors = self._process.communicate(timeout=_PATIENCE_S)
        return self._process.returncode, output + errors

    def kill(self) -> None:
        """End it whatever it does."""
        if self._process and self._process.poll() is None:
            self._process.kill()
            self._process.communicate()

    def wait_for(self, condition: Callable[[dict[str, DeviceView]], bool]) -> dict[str, DeviceView]:
        """Devices by site, as soon as they fulfil a condition."""
        deadline = time.monotonic() + _PATIENCE_S
        devices: dict[str, DeviceView] = {}
        while time.monotonic() < deadline:
            try:
                devices = {one.site: one for one in fetch_devices(self.settings)}
            except StackError:
                devices = {}
            if devices and condition(devices):
                return devices
            assert self._process
            assert self._process.poll() is None, self._process.communicate()
            time.sleep(0.05)
        message = f"not what was waited for: {devices}"
        raise AssertionError(message)


@pytest.fixture(scope="package")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """A broker of this package, with the topics of the map in 4 partitions."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        settings = KafkaSettings(bootstrap_servers=running.bootstrap_servers)
        ensure_topics(settings)
        yield settings


@pytest.fixture(scope="package")
def gateway(kafka: KafkaSettings) -> Gateway:
    return Gateway(kafka)


@pytest.fixture(scope="module")
def view(kafka: KafkaSettings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewProcess]:
    """A running device view."""
    settings = Settings(
        folder=tmp_path_factory.mktemp("home") / "not made yet",
        kafka=kafka,
        devices=DevicesSettings(port=free_port()),
    )
    process = ViewProcess(settings, tmp_path_factory.mktemp("work"))
    process.start()
    yield process
    process.kill()
