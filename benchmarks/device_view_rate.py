"""How fast the device view takes records, beside a bare loop over the same ones.

Run it from the repository root::

    PYTHONPATH=. .venv/bin/python benchmarks/device_view_rate.py [RECORDS]

One local Kafka; the records are written first, then each reader takes all of them: the device
view as a process of its own (from its first record to its last, by its own counter), and a loop
of confluent-kafka that takes batches and decodes the same messages. Read committed, both.
"""

import os
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection
from pathlib import Path

from deploy.local_kafka import LocalKafka
from deploy.ports import free_port
from schemas.messages import encode
from schemas.settings import KafkaSettings
from schemas.telemetry import Reading
from schemas.topics import TELEMETRY
from schemas.units import TelemetryKind
from streams.devices.messages import read_telemetry
from streams.kafka import arrived, ensure_topics, producer, reader
from streams.metrics import free_base_port
from streams.stage_registry import STAGES

TOPIC = TELEMETRY[TelemetryKind.RELAY].name
SITES, BOARDS = 40, 5


def write(kafka: KafkaSettings, records: int) -> None:
    """Reports of single outputs, in turn by site and board."""
    client = producer(kafka, "bench")
    for number in range(records):
        site, board = f"site-{number % SITES}", f"board-{number // SITES % BOARDS}"
        reading = Reading(
            event_id=str(number),
            site=site,
            source=board,
            device=board,
            quantity="relay_1",
            unit="on",
            value=float(number % 2),
            event_time_ms=1_700_000_000_000 + number,
        )
        while True:
            try:
                client.produce(TOPIC, key=site, value=encode(reading))
                break
            except BufferError:
                client.poll(0.1)
    client.flush()


def bare_rate(kafka: KafkaSettings, records: int) -> float:
    """Records a second of a loop that takes and decodes them [1/s]."""
    consumer = reader(kafka, "bare", end_marks=False)
    consumer.subscribe([TOPIC])
    taken, began_s = 0, 0.0
    while taken < records:
        for message in arrived(consumer, 10_000, 1.0):
            began_s = began_s or time.perf_counter()
            read_telemetry(bytes(message.value() or b""))
            taken += 1
    seconds = time.perf_counter() - began_s
    consumer.close()
    return records / seconds


def consumed(port: int) -> float:
    """How many records the view has taken; 0 while it does not answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    except OSError:
        return 0.0
    finally:
        connection.close()
    name = "gridloom_records_consumed_total{"
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def view_rate(kafka: KafkaSettings, folder: Path, records: int) -> float:
    """Records a second of the device view [1/s]."""
    base = free_base_port()
    environment = {
        "GRIDLOOM_FOLDER": str(folder),
        "GRIDLOOM_KAFKA__BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "GRIDLOOM_DEVICES__PORT": str(free_port()),
        "GRIDLOOM_METRICS__PORT": str(base),
    }
    command = [sys.executable, "-m", "streams.stage_process", "devices"]
    port = base + list(STAGES).index("devices")
    with subprocess.Popen(command, env=os.environ | environment) as process:
        first, began_s = 0.0, 0.0
        while (taken := consumed(port)) < records:
            if taken and not first:
                first, began_s = taken, time.perf_counter()
            time.sleep(0.02)
        seconds = time.perf_counter() - began_s
        process.terminate()
    return (records - first) / seconds


def main() -> None:
    """Measure three rounds, interleaved, and print the medians."""
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 30_000
    with tempfile.TemporaryDirectory() as folder:
        rates: list[tuple[float, float]] = []
        for number in range(3):
            with LocalKafka(Path(folder) / f"kafka-{number}") as broker:
                kafka = KafkaSettings(bootstrap_servers=broker.bootstrap_servers)
                ensure_topics(kafka)
                write(kafka, records)
                view = view_rate(kafka, Path(folder) / f"home-{number}", records)
                rates.append((view, bare_rate(kafka, records)))
                print(f"view {rates[-1][0]:,.0f}/s, bare loop {rates[-1][1]:,.0f}/s")
    view, bare = (sorted(column)[1] for column in zip(*rates, strict=True))
    print(f"median: view {view:,.0f}/s, bare loop {bare:,.0f}/s, ratio {view / bare:.3f}")


if __name__ == "__main__":
    main()
