"""The local broker: real Kafka, real processes, real signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from confluent_kafka.admin._resource import ResourceType
from confluent_kafka.cimpl import NewTopic

from deploy.local_kafka import LocalKafka
from schemas.errors import StackError

pytestmark = pytest.mark.kafka

IsRunning = Callable[[int], bool]
Eventually = Callable[[Callable[[], bool]], None]

PARENT = """
import sys, time
from pathlib import Path
from deploy.local_kafka import LocalKafka
from deploy.processes import orderly_signals

with orderly_signals(), LocalKafka(Path(sys.argv[1])) as kafka:
    print(kafka.pid, kafka.bootstrap_servers, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    with LocalKafka(tmp_path_factory.mktemp("kafka") / "a, b é") as running:
        yield running


@contextmanager
def parent_in(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process, in a process group of its own, that runs a broker in ``folder``."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as parent:
        try:
            yield parent
        finally:
            parent.kill()


def broker_of(parent: subprocess.Popen[str]) -> tuple[int, str]:
    """Process id and bootstrap servers of the broker of a parent."""
    assert parent.stdout
    pid, servers = parent.stdout.readline().split()
    return int(pid), servers


def admin_of(servers: str) -> AdminClient:
    return AdminClient({"bootstrap.servers": servers, "log_level": 0})


def write(servers: str, topic: str, value: bytes) -> None:
    """Make a topic and write one record to it, in a transaction."""
    admin = admin_of(servers)
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(20)
    producer = Producer(
        {"bootstrap.servers": servers, "transactional.id": f"test-{topic}", "log_level": 0}
    )
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, value)
    producer.commit_transaction(20)


def read(servers: str, topic: str) -> bytes | None:
    """The first committed record of a topic, taken as a consumer group does."""
    settings = {
        "bootstrap.servers": servers,
        "group.id": f"test-{topic}",
        "auto.offset.reset": "earliest",
        "isolation.level": "read_committed",
        "log_level": 0,
    }
    consumer = Consumer(settings)
    consumer.subscribe([topic])
    try:
        message = consumer.poll(20.0)
        assert message
        assert message.error() is None
        return message.value()
    finally:
        consumer.close()


def test_a_started_broker_answers_and_takes_transactions(kafka: LocalKafka) -> None:
    metadata = admin_of(kafka.bootstrap_servers).list_topics(timeout=20)
    assert [f"{node.host}:{node.port}" for node in metadata.brokers.values()] == [
        kafka.bootstrap_servers
    ]
    write(kafka.bootstrap_servers, "answers", b"here")
    assert read(kafka.bootstrap_servers, "answers") == b"here"


def test_a_started_broker_has_the_settings_of_a_small_node(kafka: LocalKafka) -> None:
    resource = ConfigResource(ResourceType.BROKER, "1")
    admin = admin_of(kafka.bootstrap_servers)
    entries = admin.describe_configs([resource])[resource].result(20)
    config = {name: entry.value for name, entry in entries.items()}
    expected = {
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
    }
    assert {name: config[name] for name in expected} == expected


def test_a_second_start_in_the_same_folder_is_refused(kafka: LocalKafka) -> None:
    second = LocalKafka(kafka.folder)
    with pytest.raises(StackError, match=f"already runs in .* \\(process {kafka.pid}\\)"):
        second.start()
    second.stop()
    with pytest.raises(StackError, match="already runs in"):
        kafka.start()
    kafka.require_running()


def test_the_broker_itself_holds_its_folder(kafka: LocalKafka) -> None:
    open_files = [fd.resolve() for fd in Path(f"/proc/{kafka.pid}/fd").iterdir()]
    assert kafka.folder / "kafka.pid" in open_files


def test_a_port_in_use_is_refused(kafka: LocalKafka, tmp_path: Path) -> None:
    port = int(kafka.bootstrap_servers.rpartition(":")[2])
    with pytest.raises(StackError, match=f"port {port}: address already in use"):
        LocalKafka(tmp_path, port=port).start()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="cannot keep its data in"):
        LocalKafka(tmp_path / "file" / "kafka").start()


def test_a_restart_keeps_the_port_and_what_was_written(
    tmp_path: Path, is_running: IsRunning
) -> None:
    kafka = LocalKafka(tmp_path)
    with kafka:
        first_pid = kafka.pid
        servers = kafka.bootstrap_servers
        write(servers, "kept", b"still here")
    assert first_pid
    assert not is_running(first_pid)
    assert kafka.pid is None
    with kafka:
        assert kafka.bootstrap_servers == servers
        assert read(servers, "kept") == b"still here"


def test_a_broker_that_was_killed_is_noticed(tmp_path: Path, eventually: Eventually) -> None:
    with LocalKafka(tmp_path) as kafka:
        kafka.require_running()
        assert kafka.pid
        os.kill(kafka.pid, signal.SIGKILL)
        eventually(lambda: kafka.pid is None)
        with pytest.raises(StackError, match="Kafka does not run"):
            kafka.require_running()


def test_a_broker_dies_with_its_killed_parent_and_the_next_start_finds_its_data(
    tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    with parent_in(tmp_path) as parent:
        pid, servers = broker_of(parent)
        write(servers, "survivor", b"still here")
        parent.kill()
    with LocalKafka(tmp_path) as kafka:
        assert read(kafka.bootstrap_servers, "survivor") == b"still here"
    eventually(lambda: not is_running(pid))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_broker_in_order_and_silently(
    number: signal.Signals, tmp_path: Path, is_running: IsRunning
) -> None:
    with parent_in(tmp_path) as parent:
        pid, _ = broker_of(parent)
        os.killpg(parent.pid, number)
        assert parent.communicate() == ("", "")
    assert parent.returncode == 128 + number
    assert not is_running(pid)
    assert (tmp_path / "data" / ".kafka_cleanshutdown").exists()


def test_a_signal_during_the_start_leaves_nothing_running(
    tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    pid_path = tmp_path / "kafka.pid"
    with parent_in(tmp_path) as parent:
        eventually(lambda: pid_path.exists() and pid_path.read_text(encoding="ascii") != "")
        pid = int(pid_path.read_text(encoding="ascii"))
        parent.send_signal(signal.SIGTERM)
        parent.communicate()
    assert parent.returncode == 128 + signal.SIGTERM
    assert not is_running(pid)


def test_a_broker_that_ends_at_its_start_is_explained_by_its_log(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").write_text("version=9\n", encoding="ascii")
    kafka = LocalKafka(tmp_path)
    with pytest.raises(StackError, match="ended while it was being started") as caught:
        kafka.start()
    assert kafka.pid is None
    assert any("meta.properties" in line for line in caught.value.problems)
    assert str(kafka.log_path) in caught.value.hint


@pytest.mark.parametrize("secure", [True, False])
def test_a_folder_is_neither_opened_nor_trusted_after_the_fact(
    tmp_path: Path, *, secure: bool
) -> None:
    """Data that everybody could write are not safe; data that were safe are not left open."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.properties").touch()
    if not secure:
        (tmp_path / "security").mkdir()
    kafka = LocalKafka(tmp_path, secure=secure)
    with pytest.raises(StackError, match="when it was made, and stays so"):
        kafka.start()
    assert kafka.pid is None


def test_a_start_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    kafka = LocalKafka(tmp_path)
    kafka.log_path.write_text("of an earlier start\n", encoding="ascii")
    with pytest.raises(StackError, match="did not start in time") as caught:
        kafka.start(timeout_s=0.0)
    assert kafka.pid is None
    assert "of an earlier start" not in caught.value.problems


def test_the_servers_are_unknown_before_the_first_start(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="before its start"):
        _ = LocalKafka(tmp_path).bootstrap_servers
    assert LocalKafka(tmp_path, port=9092).bootstrap_servers == "127.0.0.1:9092"
