"""What runs: a local stack, the configured Kafka, the historian, the device view."""

import os
import socket
from pathlib import Path
from typing import Final

from schemas.errors import BrokerError, HistorianError
from schemas.settings import Settings
from schemas.topics import SETPOINTS, TOPICS
from streams.doctoring.findings import Finding, absent, ok, wrong
from streams.finding import LocalStack, historian_paths, running_local_stack
from streams.historians.sqlite_reader import open_reader
from streams.kafka import existing_topics, require_broker

_KAFKA_TIMEOUT_S: Final = 3.0
_CONNECT_TIMEOUT_S: Final = 1.0
_MB: Final = 1_000_000
_UNUSED: Final = "Docker, GridLAB-D, InfluxDB, Mosquitto"


def examine_services(settings: Settings) -> list[Finding]:
    """Everything that commands besides the demo may want to talk to."""
    stack = running_local_stack(settings)
    return [
        _local_stack(stack),
        *_kafka(settings, stack),
        *_historians(settings),
        _device_view(settings),
        absent("optional parts", f"{_UNUSED}: not used yet, nothing here needs them"),
    ]


def _local_stack(stack: LocalStack | None) -> Finding:
    if stack is None:
        return absent("local stack", "none runs", "start one with `gridloom up` or `gridloom demo`")
    return ok("local stack", f"Kafka {stack.bootstrap_servers} in {stack.folder}")


def _kafka(settings: Settings, stack: LocalStack | None) -> list[Finding]:
    """The Kafka that commands would talk to, and its topics."""
    configured = "bootstrap_servers" in settings.kafka.model_fields_set
    if not configured and stack is None:
        detail = f"none is configured, and none runs here ({settings.kafka.bootstrap_servers})"
        hint = "`gridloom demo` and `gridloom up` bring their own"
        return [absent("configured Kafka", detail, hint)]
    kafka = settings.kafka if configured or stack is None else stack.settings(settings).kafka
    try:
        require_broker(kafka, _KAFKA_TIMEOUT_S)
        there = existing_topics(kafka).keys()
    except BrokerError as error:
        return [wrong("configured Kafka", error.message, error.hint)]
    name = "configured Kafka" if configured else "Kafka"
    missing = [spec.name for spec in TOPICS if spec is not SETPOINTS and spec.name not in there]
    reached = ok(name, f"{kafka.bootstrap_servers} answers")
    if not missing:
        return [reached, ok("topics", f"all of the map, {len(there)} in Kafka")]
    detail = f"missing: {', '.join(missing)}"
    return [reached, wrong("topics", detail, "create them with `gridloom topics --apply`")]


def _historians(settings: Settings) -> list[Finding]:
    """The configured historian, and those that local stacks left."""
    name = "sqlite historian"
    paths = historian_paths(settings)
    findings = [_historian(name, path) for path in paths]
    if settings.historian_path not in paths:
        detail = f"{settings.historian_path} does not exist yet; `store` makes it"
        findings.insert(0, absent(name, detail))
    return findings


def _historian(name: str, path: Path) -> Finding:
    detail = f"{path}, {path.stat().st_size / _MB:.1f} MB"
    try:
        with open_reader(path) as reader:
            windows = sum(span.windows for span in reader.sites())
    except HistorianError as error:
        return wrong(name, error.message, error.hint)
    if not os.access(path, os.W_OK):
        return wrong(name, f"{path} cannot be written", "check the rights of the file")
    return ok(name, f"{detail}, {windows} site windows")


def _device_view(settings: Settings) -> Finding:
    web = settings.devices
    try:
        socket.create_connection((web.host, web.port), _CONNECT_TIMEOUT_S).close()
    except OSError:
        hint = "start it with `gridloom run devices`"
        return absent("device view", f"nothing answers at {web.host}:{web.port}", hint)
    return ok("device view", f"{web.host}:{web.port} answers; `gridloom devices` shows it")
