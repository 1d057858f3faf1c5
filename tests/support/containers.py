"""Kafka, InfluxDB and Mosquitto for tests: local servers, or containers with one variable.

``GRIDLOOM_CONTAINERS=1`` takes them from ``testcontainers``, with the images, settings and health
checks of ``docker-compose.kafka.yml``, on a Docker engine of this machine. Without it they are
the servers of the local stack. Whoever uses them cannot tell the difference.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from docker.errors import DockerException
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HealthcheckWaitStrategy

from deploy.compose.make_secrets import add_device, make_secrets
from deploy.influx_api import InfluxConnection
from deploy.local_influx import LocalInflux
from deploy.local_kafka import LocalKafka
from deploy.local_mosquitto import LocalMosquitto
from deploy.ports import HOST, free_port
from schemas.errors import ConfigurationError, StackError
from tests.support.compose import ROOT, composed, health_command

SWITCH: Final = "GRIDLOOM_CONTAINERS"
DEVICE: Final = "site-1/board-1"
"""The MQTT device that has a password."""

_NS: Final = 1_000_000_000
_HEALTH: Final = {"interval": 3 * _NS, "timeout": 20 * _NS, "retries": 60}
_START_TIMEOUT_S: Final = 180
_SHORT: Final = ":ro"


def uses_containers() -> bool:
    """Whether this run asks for containers.

    Raises:
        ConfigurationError: the variable says neither yes nor no.
    """
    said = os.environ.get(SWITCH, "")
    if said not in {"", "0", "1"}:
        message = f"{SWITCH} is {said!r}; it takes 1 for containers, 0 or nothing for local servers"
        raise ConfigurationError(message)
    return said == "1"


@dataclass(frozen=True, kw_only=True)
class ContainerSpec:
    """A container as the compose file describes it; folders and volumes are the test's own.

    Attributes:
        host_name: by which it finds itself.
        image: with its tag.
        user: number of user and group.
        environment: its variables.
        ports: port on this machine's loopback interface by port in the container.
        files: path in the container by file here, read only.
        health: what tells whether it is well.
    """

    host_name: str
    image: str
    user: str
    environment: Mapping[str, str]
    ports: Mapping[int, int]
    files: Mapping[Path, str]
    health: tuple[str, ...]


def container_spec(service: str, secrets: Path, port_variable: str, port: int) -> ContainerSpec:
    """The container of a service.

    Args:
        service: its name in the compose file.
        secrets: folder that ``make_secrets`` filled.
        port_variable: the compose file's variable for its port on this machine.
        port: that port.
    """
    file = composed({"STACK_SECRETS": str(secrets), port_variable: str(port)})
    described = file["services"][service]
    published = [mapping.split(":") for mapping in described["ports"]]
    mounts = [mount.removesuffix(_SHORT).split(":") for mount in described["volumes"]]
    named = [_secret(secret) for secret in described.get("secrets", [])]
    return ContainerSpec(
        host_name=service,
        image=described["image"],
        user=described["user"],
        environment={key: str(value) for key, value in described["environment"].items()},
        ports={int(inside): int(outside) for _, outside, inside in published},
        files={
            **{ROOT / source: target for source, target in mounts if source.startswith(".")},
            **{Path(file["secrets"][source]["file"]): target for source, target in named},
        },
        health=tuple(health_command(described)),
    )


def _secret(named: str | dict[str, str]) -> tuple[str, str]:
    """A secret's name, and where the container finds it."""
    if isinstance(named, str):
        return named, f"/run/secrets/{named}"
    return named["source"], named["target"]


def docker_options(spec: ContainerSpec) -> dict[str, Any]:
    """What Docker is told beside image, variables, ports and files."""
    return {
        "hostname": spec.host_name,
        "user": spec.user,
        "healthcheck": {"test": ["CMD", *spec.health], **_HEALTH},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
    }


@contextmanager
def running_container(spec: ContainerSpec) -> Iterator[None]:
    """A container from its health to its end.

    Raises:
        StackError: no Docker engine answers.
    """
    try:
        container = DockerContainer(spec.image, env=dict(spec.environment))
    except DockerException as error:
        message = f"{SWITCH}=1 asks for containers, but no Docker engine answers"
        hint = f"start one, or leave {SWITCH} out: the local servers need none"
        raise StackError(message, hint=hint, problems=[str(error)]) from error
    # Loopback alone, which with_bind_ports cannot say; docker-py takes a pair.
    bound: Any = {str(inside): (HOST, outside) for inside, outside in spec.ports.items()}
    container.ports = bound
    for path, target in spec.files.items():
        container.with_volume_mapping(path, target)
    container.with_kwargs(**docker_options(spec))
    container.waiting_for(HealthcheckWaitStrategy().with_startup_timeout(_START_TIMEOUT_S))
    with container:
        yield


@contextmanager
def kafka_server(folder: Path) -> Iterator[str]:
    """A Kafka; its bootstrap servers."""
    if not uses_containers():
        with LocalKafka(folder) as broker:
            yield broker.bootstrap_servers
        return
    port = free_port()
    with running_container(container_spec("kafka", folder, "STACK_KAFKA_PORT", port)):
        yield f"{HOST}:{port}"


@contextmanager
def influx_server(folder: Path) -> Iterator[InfluxConnection]:
    """An InfluxDB with an organisation and a bucket; the operator's connection to it."""
    if not uses_containers():
        with LocalInflux(folder) as server:
            yield server.operator
        return
    make_secrets(folder)
    port = free_port()
    spec = container_spec("influxdb", folder, "STACK_INFLUXDB_PORT", port)
    org, bucket = (spec.environment[f"DOCKER_INFLUXDB_INIT_{key}"] for key in ("ORG", "BUCKET"))
    token = (folder / "influxdb_admin_token").read_text("ascii")
    with running_container(spec):
        yield InfluxConnection(f"http://{HOST}:{port}", org, bucket, token)


@dataclass(frozen=True)
class MqttServer:
    """A running MQTT broker, and the passwords by user name: ``gateway`` and ``DEVICE``."""

    host: str
    port: int
    passwords: Mapping[str, str]


@contextmanager
def mqtt_server(folder: Path) -> Iterator[MqttServer]:
    """A Mosquitto with Gridloom's access rules."""
    secrets = folder / "secrets"
    make_secrets(secrets)
    add_device(secrets, DEVICE)
    files = {
        "gateway": secrets / "mosquitto_gateway_password",
        DEVICE: secrets / "devices" / DEVICE,
    }
    passwords = {name: path.read_text("ascii") for name, path in files.items()}
    if not uses_containers():
        with LocalMosquitto(folder / "broker", passwords) as broker:
            yield MqttServer(broker.host, broker.port, passwords)
        return
    port = free_port()
    with running_container(container_spec("mosquitto", secrets, "STACK_MQTT_PORT", port)):
        yield MqttServer(HOST, port, passwords)
