"""What containers would be started with, as far as that can be told without a Docker engine."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from testcontainers.core.config import testcontainers_config

from deploy.compose.make_secrets import make_secrets
from schemas.errors import ConfigurationError, StackError
from tests.support.compose import services
from tests.support.containers import (
    SWITCH,
    container_spec,
    docker_options,
    influx_server,
    kafka_server,
    mqtt_server,
    uses_containers,
)
from tests.support.docker_engine import docker_engine

PORTS = {
    "kafka": ("STACK_KAFKA_PORT", 9094),
    "influxdb": ("STACK_INFLUXDB_PORT", 8086),
    "mosquitto": ("STACK_MQTT_PORT", 1883),
}
HOST_PORT = 28_100
SERVICES = services({"STACK_SECRETS": "/the/secrets"})
SERVERS: list[Callable[[Path], AbstractContextManager[object]]] = [
    kafka_server,
    influx_server,
    mqtt_server,
]


@pytest.mark.parametrize("name", PORTS)
def test_a_container_is_what_the_compose_file_says(name: str, tmp_path: Path) -> None:
    variable, inside = PORTS[name]
    spec = container_spec(name, tmp_path, variable, HOST_PORT)
    said = services({"STACK_SECRETS": str(tmp_path), variable: str(HOST_PORT)})[name]
    assert (spec.image, spec.user) == (said["image"], said["user"])
    assert dict(spec.environment) == {key: str(text) for key, text in said["environment"].items()}
    assert spec.ports == {inside: HOST_PORT}
    assert ["CMD", *spec.health] == said["healthcheck"]["test"]
    options = docker_options(spec)
    assert options["cap_drop"] == said["cap_drop"]
    assert options["security_opt"] == said["security_opt"]


def test_kafka_tells_its_clients_the_port_that_it_has_on_this_machine(tmp_path: Path) -> None:
    spec = container_spec("kafka", tmp_path, "STACK_KAFKA_PORT", HOST_PORT)
    assert f"HOST://127.0.0.1:{HOST_PORT}" in spec.environment["KAFKA_ADVERTISED_LISTENERS"]
    # It finds itself by the name that the compose file's network would give it.
    assert docker_options(spec)["hostname"] == "kafka"


@pytest.mark.parametrize("name", ["influxdb", "mosquitto"])
def test_every_file_that_a_container_gets_exists(name: str, tmp_path: Path) -> None:
    make_secrets(tmp_path)
    spec = container_spec(name, tmp_path, PORTS[name][0], HOST_PORT)
    assert all(path.is_file() for path in spec.files)
    assert len(spec.files) == {"influxdb": 2, "mosquitto": 4}[name]


@pytest.mark.parametrize("server", SERVERS)
def test_without_an_engine_one_sentence_says_so(
    server: Callable[[Path], AbstractContextManager[object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(StackError, match="no Docker engine answers") as caught, server(tmp_path):
        pass
    assert SWITCH in caught.value.hint


@pytest.mark.parametrize("server", SERVERS)
def test_an_engine_is_asked_for_what_the_compose_file_says(
    server: Callable[[Path], AbstractContextManager[object]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As far as it goes without a real engine: one container, on the loopback interface."""
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
    with docker_engine() as engine:
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{engine.port}")
        with server(tmp_path):
            asked = engine.created
        assert engine.asked[-1] == "DELETE /containers/c0ffee"
    (name,) = [name for name, service in SERVICES.items() if service["image"] == asked["Image"]]
    assert (asked["Hostname"], asked["User"]) == (name, SERVICES[name]["user"])
    assert asked["Healthcheck"]["Test"] == SERVICES[name]["healthcheck"]["test"]
    assert asked["HostConfig"]["CapDrop"] == ["ALL"]
    ((inside, (binding,)),) = asked["HostConfig"]["PortBindings"].items()
    assert inside == f"{PORTS[name][1]}/tcp"
    assert binding["HostIp"] == "127.0.0.1"
    files = [bind.split(":") for bind in asked["HostConfig"].get("Binds", [])]
    assert all(Path(source).is_file() and mode == "ro" for source, _, mode in files)


@pytest.mark.parametrize(("said", "meant"), [("1", True), ("0", False), ("", False)])
def test_one_variable_asks_for_containers(
    said: str, *, meant: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SWITCH, said)
    assert uses_containers() is meant


def test_a_variable_that_says_neither_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, "yes")
    with pytest.raises(ConfigurationError, match="GRIDLOOM_CONTAINERS is 'yes'"):
        uses_containers()
