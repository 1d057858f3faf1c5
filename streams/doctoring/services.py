"""What runs: a local stack, the configured Kafka, the historian, the device view."""

import os
import shutil
import socket
from typing import Final

from deploy.influx_build import cached_influxd
from schemas.errors import BrokerError, ConfigurationError, GridloomError
from schemas.settings import Settings
from schemas.topics import SETPOINTS, TOPICS
from streams.doctoring.findings import Finding, absent, ok, wrong
from streams.finding import LocalStack, historian_places, running_local_stack
from streams.historians.opening import Place, SqlitePlace, configured_place
from streams.kafka import existing_topics, require_broker

_KAFKA_TIMEOUT_S: Final = 3.0
_CONNECT_TIMEOUT_S: Final = 1.0
_OPTIONAL: Final = ("docker", "mosquitto", "prometheus", "chromium")
_SYSTEM_PATH: Final = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
"""Debian keeps servers where the path of an ordinary user does not lead."""


def examine_services(settings: Settings) -> list[Finding]:
    """Everything that commands besides the demo may want to talk to."""
    stack = running_local_stack(settings)
    return [
        _local_stack(stack),
        *_kafka(settings, stack),
        *_historians(settings),
        _device_view(settings),
        _optional_parts(),
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
    """The configured historian, those of local stacks, and what a new stack would take."""
    places = historian_places(settings)
    try:
        in_use = configured_place(settings)
    except ConfigurationError as error:
        return [wrong("historian", error.message, error.hint), _of_local_stacks(settings)]
    found = [_historian("historian", in_use)]
    found += [_historian("further historian", place) for place in places if place != in_use]
    return [*found, _of_local_stacks(settings)]


def _historian(name: str, place: Place) -> Finding:
    """Whether a historian can be read, and what it holds."""
    if isinstance(place, SqlitePlace) and not place.path.exists():
        return absent(name, f"SQLite: {place.path} does not exist yet; `store` makes it")
    try:
        with place.open() as reader:
            windows = sum(span.windows for span in reader.sites())
            detail = f"{reader.about}, {windows} site windows"
    except GridloomError as error:
        return wrong(name, error.message, error.hint)
    if isinstance(place, SqlitePlace) and not os.access(place.path, os.W_OK):
        return wrong(name, f"{place.path} cannot be written", "check the rights of the file")
    return ok(name, detail)


def _of_local_stacks(settings: Settings) -> Finding:
    """Which historian `up` and `demo` would bring, and how to get the other."""
    name = "local historian"
    if settings.influxdb.url and settings.uses_influxdb:
        return ok(name, "`up` and `run` use the configured InfluxDB")
    if settings.historian.kind == "sqlite":
        detail = "`up` and `demo` use SQLite: [historian] kind says so"
        return absent(name, detail, "kind = auto takes InfluxDB where there is one")
    program = cached_influxd()
    if program is not None:
        return ok(name, f"`up` and `demo` use InfluxDB ({program}); [historian] kind: sqlite")
    hint = "`make influxd` builds an InfluxDB for them; [influxdb] url names one of your own"
    return absent(name, "`up` and `demo` use SQLite", hint)


def _optional_parts() -> Finding:
    """Programs that only some parts, or only the tests, make use of."""
    there = [name for name in _OPTIONAL if shutil.which(name, path=_SYSTEM_PATH)]
    missing = [name for name in _OPTIONAL if name not in there]
    detail = f"found: {', '.join(there) or 'none'}; not found: {', '.join(missing) or 'none'}"
    return absent("optional parts", f"{detail}; the demo needs none of them")


def _device_view(settings: Settings) -> Finding:
    web = settings.devices
    try:
        socket.create_connection((web.host, web.port), _CONNECT_TIMEOUT_S).close()
    except OSError:
        hint = "start it with `gridloom run devices`"
        return absent("device view", f"nothing answers at {web.host}:{web.port}", hint)
    return ok("device view", f"{web.host}:{web.port} answers; `gridloom devices` shows it")
