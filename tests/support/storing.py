"""Store as a process against a real Kafka, and what tests do with it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException

from schemas.messages import encode
from schemas.settings import Settings
from schemas.site_window import MeterWindows, SiteWindow
from schemas.topics import METER_WINDOWS, SITE_WINDOWS
from streams.historians.mapping import StoredMessage
from streams.historians.opening import configured_place
from streams.kafka import is_drained, producer
from tests.support import historian_messages as given

ROOT = Path(__file__).resolve().parents[2]
TOPICS = [SITE_WINDOWS.name, METER_WINDOWS.name]
PATIENCE_S = 60.0

_LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@dataclass
class Bench:
    """Settings, and everything that a test does with store."""

    settings: Settings
    logs: Path

    @contextmanager
    def store(
        self, slot: int = 0, *, largest_file: int | None = None
    ) -> Iterator[subprocess.Popen[bytes]]:
        """Store as a process; it is killed where the body leaves it running.

        ``largest_file``: no file of its may grow beyond so many bytes, as on a full disk.
        """
        log = self.logs / f"store-{slot}.log"
        limit = [] if largest_file is None else ["-c", _LIMITED, str(largest_file)]
        with log.open("ab") as file:
            process = subprocess.Popen(
                [sys.executable, *limit, "-m", "streams.stage_process", "store", str(slot)],
                env=self._environment(),
                cwd=ROOT,
                stderr=file,
            )
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    def _environment(self) -> dict[str, str]:
        kept = {key: text for key, text in os.environ.items() if not key.startswith("GRIDLOOM_")}
        influxdb = self.settings.influxdb
        own = {
            "GRIDLOOM_FOLDER": str(self.settings.folder),
            "GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS": self.settings.kafka.bootstrap_servers,
            "GRIDLOOM_METRICS__PORT": "0",
        }
        if influxdb.url:
            own |= {
                "GRIDLOOM_INFLUXDB__URL": influxdb.url,
                "GRIDLOOM_INFLUXDB__BUCKET": influxdb.bucket,
                "GRIDLOOM_INFLUXDB__TOKEN": influxdb.store_secret(),
            }
        return kept | own

    def publish(self, messages: Sequence[StoredMessage]) -> None:
        """Write windows into their topics."""
        client = producer(self.settings.kafka, "test")
        for message in messages:
            topic = SITE_WINDOWS if isinstance(message, SiteWindow) else METER_WINDOWS
            client.produce(topic.name, key=message.site, value=encode(message))
        assert client.flush(30) == 0

    def is_done(self) -> bool:
        """Whether store has committed everything."""
        return is_drained(self.settings.kafka, "store", TOPICS)

    def can_tell(self) -> bool:
        """Whether Kafka knows its groups again, after a start."""
        try:
            self.is_done()
        except KafkaException:
            return False
        return True

    def content(self, site: str) -> tuple[object, ...]:
        """What the historian holds of a site."""
        with configured_place(self.settings).open() as reader:
            span = (site, 0, 2**62)
            return (*reader.site_windows(*span), *reader.meter_windows(*span))

    def log(self, slot: int = 0) -> str:
        """What store has logged."""
        return (self.logs / f"store-{slot}.log").read_text(encoding="utf-8")


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def windows_log(site: str, windows: int = 30) -> list[SiteWindow | MeterWindows]:
    """Windows of a site, every third with a later revision."""
    log: list[SiteWindow | MeterWindows] = []
    for window in range(windows):
        log += [given.site_window(window, 0, site), given.chunk(window, 0, site)]
        if window % 3 == 2:
            log += [given.site_window(window - 2, 1, site), given.chunk(window - 2, 1, site)]
    return log
