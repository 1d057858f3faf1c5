"""The security test: everything secured, the loop works, and no role can do what is another's."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from pydantic import SecretStr

from deploy.kafka_users import KafkaUsers
from deploy.ports import free_port
from schemas.errors import BrokerError, HistorianError
from schemas.roles import user_of
from schemas.settings import KafkaSettings, Settings, load_settings
from schemas.topics import DEVICES_CHANGELOG, TOPICS
from streams.devices.client import fetch_devices
from streams.finding import LocalStack, running_local_stack
from streams.historians.influx import InfluxHistorian
from streams.historians.opening import configured_place
from streams.kafka import require_broker
from tests.support.kafka_rights import (
    Attempt,
    allow_all,
    delete_topic,
    join,
    make_topic,
    read,
    transact,
    write,
)
from tests.support.outside import OutsideProducer, committed
from tests.support.secrets_seen import CommandLines, environments_with, files_with

pytestmark = pytest.mark.kafka

STAGES = ("align", "store", "dispatch", "gate", "actuate", "field", "devices")
PATIENCE_S = 240.0
AT_ONCE = 8
SITE_TOML = """
name = "plant-7"
capacity_kw = 50
[[meters]]
id = "m1"
rated_kw = 10
[[relay_boards]]
id = "b1"
gateway = "gw-7"
simulated = true
[[relay_boards.relays]]
output = 1
load_kw = 5
priority = 1
"""
OWN, OTHER = "actuator.setpoints.gw-7", "actuator.setpoints.gw-1"
TOPIC_DENIED = "TOPIC_AUTHORIZATION_FAILED"
GROUP_DENIED = "GROUP_AUTHORIZATION_FAILED"
TRANSACTION_DENIED = "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"
CLUSTER_DENIED = "CLUSTER_AUTHORIZATION_FAILED"


@dataclass(frozen=True)
class Secured:
    """A running ``gridloom up --secure``."""

    environment: dict[str, str]
    stack: LocalStack
    command_lines: CommandLines

    @property
    def users(self) -> KafkaUsers:
        users = self.stack.users
        assert users is not None
        return users

    def settings(self, role: str) -> Settings:
        """Settings of a program that has a role."""
        return self.stack.settings(load_settings(self.environment), role)

    def kafka(self, role: str) -> KafkaSettings:
        return self.settings(role).kafka

    def gridloom(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "streams.cli", *arguments],
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """All stages on a secured Kafka, with a site of somebody's own beside the demo's."""
    home = tmp_path_factory.mktemp("home")
    site = home / "plant-7.toml"
    site.write_text(SITE_TOML, encoding="utf-8")
    kept = {key: text for key, text in os.environ.items() if not key.startswith("GRIDLOOM_")}
    environment = kept | {
        "GRIDLOOM_FOLDER": str(home),
        "GRIDLOOM_DEVICES__PORT": str(free_port()),
        "GRIDLOOM_METRICS__PORT": "0",
        "COLUMNS": "200",
    }
    command = [sys.executable, "-m", "streams.cli", "up", *STAGES, "--secure", "--speed", "10"]
    with (
        CommandLines() as seen,
        (home / "up.out").open("wb") as output,
        subprocess.Popen(
            [*command, "--site", str(site)], env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            wait_until(lambda: b"stages: " in (home / "up.out").read_bytes(), process)
            stack = running_local_stack(load_settings(environment))
            assert stack is not None
            yield Secured(environment, stack, seen)
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 0, (home / "up.out").read_text(encoding="utf-8")


def wait_until(is_so: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait in good patience, as long as the process runs."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not is_so():
        assert process is None or process.poll() is None
        assert time.monotonic() < deadline_s
        time.sleep(0.1)


def test_the_whole_loop_works_with_all_of_it_on(secured: Secured) -> None:
    """From readings of an outside producer with its own user to the historian; and to relays."""
    kafka = secured.kafka("meter")
    producer = OutsideProducer(kafka.bootstrap_servers, security=kafka.client_security())
    reader = secured.settings("reader")
    security = reader.kafka.client_security() | {"group.id": "gridloom.reader.test"}
    clock = next(
        committed(reader.kafka.bootstrap_servers, "pipeline.clock", [0], security=security)
    )

    def is_stored() -> bool:
        passed_ms = time.time_ns() // 1_000_000 - int(str(clock["append_origin_ms"]))
        now_ms = int(str(clock["event_origin_ms"])) + 10 * passed_ms
        producer.reading("plant-7", "m1", now_ms, 4.0)
        producer.flush()
        with configured_place(reader).open() as historian:
            return any(span.site == "plant-7" for span in historian.sites())

    wait_until(is_stored)
    acks = committed(
        reader.kafka.bootstrap_servers,
        "actuator.acks",
        range(4),
        lambda ack: ack["result"] == "applied",
        security,
    )
    assert any(ack["result"] == "applied" for ack in acks)
    wait_until(lambda: any(one.site == "demo" for one in fetch_devices(reader)))


MAY_NOT: tuple[tuple[str, Attempt, str], ...] = (
    ("meter", write("telemetry.weather"), TOPIC_DENIED),
    ("meter", write("telemetry.relay"), TOPIC_DENIED),
    ("meter", write("control.stop"), TOPIC_DENIED),
    ("meter", write("windows.site"), TOPIC_DENIED),
    ("meter", read("telemetry.meter"), TOPIC_DENIED),
    ("meter", read("windows.site"), TOPIC_DENIED),
    ("meter", join("gridloom.align", "telemetry.meter"), GROUP_DENIED),
    ("meter", transact("gridloom.align.0"), TRANSACTION_DENIED),
    ("weather", write("telemetry.meter"), TOPIC_DENIED),
    ("gateway.gw-7", read(OTHER), TOPIC_DENIED),
    ("gateway.gw-7", write(OWN), TOPIC_DENIED),
    ("gateway.gw-7", write(OTHER), TOPIC_DENIED),
    ("gateway.gw-7", write("telemetry.meter"), TOPIC_DENIED),
    ("gateway.gw-7", read("windows.site"), TOPIC_DENIED),
    ("gateway.gw-7", write("control.stop"), TOPIC_DENIED),
    ("gateway.gw-7", join("gridloom.gateway.gw-1", OTHER), GROUP_DENIED),
    ("align", write("dispatch.plans"), TOPIC_DENIED),
    ("align", transact("gridloom.dispatch.0"), TRANSACTION_DENIED),
    ("store", write("windows.site"), TOPIC_DENIED),
    ("store", read("telemetry.meter"), TOPIC_DENIED),
    ("store", transact("gridloom.store.0"), TRANSACTION_DENIED),
    ("dispatch", write("dispatch.verdicts"), TOPIC_DENIED),
    ("dispatch", write(OWN), TOPIC_DENIED),
    ("dispatch", transact("gridloom.gate.0"), TRANSACTION_DENIED),
    ("gate", write(OWN), TOPIC_DENIED),
    ("gate", write("control.stop"), TOPIC_DENIED),
    ("gate", read("actuate.state"), TOPIC_DENIED),
    ("actuate", write("dispatch.verdicts"), TOPIC_DENIED),
    ("actuate", write("telemetry.relay"), TOPIC_DENIED),
    ("devices", write("telemetry.relay"), TOPIC_DENIED),
    ("devices", read("windows.site"), TOPIC_DENIED),
    ("field", write("windows.site"), TOPIC_DENIED),
    ("field", write(OTHER), TOPIC_DENIED),
    ("replay", write("windows.site"), TOPIC_DENIED),
    ("replay", write("control.stop"), TOPIC_DENIED),
    ("reader", write("telemetry.meter"), TOPIC_DENIED),
    ("reader", write("control.stop"), TOPIC_DENIED),
    ("reader", join("gridloom.gate", "dispatch.plans"), GROUP_DENIED),
    ("reader", read("gate.state"), TOPIC_DENIED),
    ("dead-letters", write("control.stop"), TOPIC_DENIED),
    ("operator", write("telemetry.meter"), TOPIC_DENIED),
    ("operator", write(OWN), TOPIC_DENIED),
    *((role, make_topic("more"), TOPIC_DENIED) for role in ("meter", "actuate", "operator")),
    *((role, delete_topic("telemetry.meter"), TOPIC_DENIED) for role in ("meter", "align")),
    *((role, allow_all(user_of(role)), CLUSTER_DENIED) for role in ("meter", "gate", "operator")),
)


def test_no_role_can_do_what_is_another_s(secured: Secured) -> None:
    """Issue "Security": shows what each role's credentials cannot do."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = pool.map(lambda each: each[1](secured.kafka(each[0])), MAY_NOT)
    wrong = [
        f"case {number}, {role}: {answer or 'allowed'} instead of {denied}"
        for number, ((role, _, denied), answer) in enumerate(zip(MAY_NOT, answers, strict=True))
        if answer != denied
    ]
    assert wrong == []


MAY: tuple[tuple[str, Attempt], ...] = (
    ("meter", write("telemetry.meter")),
    ("weather", write("telemetry.weather")),
    ("gateway.gw-7", join("gridloom.gateway.gw-7", OWN)),
    ("gateway.gw-7", write("actuator.acks")),
    ("gateway.gw-7", write("telemetry.relay")),
    ("reader", read("windows.site")),
    ("reader", read(OTHER)),
    ("dispatch", transact("gridloom.dispatch.9")),
    ("devices", read(DEVICES_CHANGELOG)),
    ("admin", make_topic("made")),
    ("admin", delete_topic("made")),
)


def test_the_same_attempts_succeed_for_those_who_may(secured: Secured) -> None:
    """Or a test that sees everything denied would show nothing."""
    answers = [attempt(secured.kafka(role)) for role, attempt in MAY]
    assert answers == [""] * len(MAY)


NOT_BELIEVED: tuple[tuple[dict[str, object], str], ...] = (
    ({"password_file": None, "password": SecretStr("guess")}, "SASL authentication error"),
    ({"username": "gridloom.nobody"}, "SASL authentication error"),
    ({"ca_file": None}, "certificate verify failed"),
    ({"security_protocol": "ssl"}, "does not answer"),
    ({"security_protocol": "plaintext"}, "does not answer"),
)
"""Wrong password, unknown user, unknown authority, nobody in particular, no TLS."""


def test_who_cannot_prove_it_is_not_let_in(secured: Secured) -> None:
    kafka = secured.kafka("reader")

    def told(case: tuple[dict[str, object], str]) -> str:
        with pytest.raises(BrokerError) as caught:
            require_broker(kafka.model_copy(update=case[0]), timeout_s=10)
        return str(caught.value)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(told, NOT_BELIEVED))
    assert all(said in each for each, (_, said) in zip(answers, NOT_BELIEVED, strict=True)), answers
    require_broker(kafka)


def test_the_controller_listens_to_the_broker_s_certificate_alone(secured: Secured) -> None:
    lines = (secured.stack.folder / "kafka" / "server.properties").read_text().splitlines()
    (voters,) = (line for line in lines if line.startswith("controller.quorum.voters="))
    port = int(voters.rpartition(":")[2])
    context = ssl.create_default_context(cafile=secured.users.ca_file)
    with (
        socket.create_connection(("127.0.0.1", port), 10) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
        pytest.raises(ssl.SSLError, match="certificate"),
    ):
        encrypted.recv(1)  # with TLS 1.3 a refused certificate is told of only now


def test_topics_apply_makes_users_of_gateways_that_came_later(secured: Secured) -> None:
    """The field declared the demo's site by itself; its gateway could be a real one."""
    done = secured.gridloom("topics", "--apply", "--acls")
    assert done.returncode == 0, done.stderr
    role = "gateway.gw-1"
    assert read(OTHER, f"gridloom.{role}")(secured.kafka(role)) == ""
    assert read(OWN, f"gridloom.{role}")(secured.kafka(role)) == TOPIC_DENIED


def test_commands_take_the_role_that_they_need(secured: Secured) -> None:
    commands = (["explain"], ["dead-letters", "list"], ["stop"], ["stop", "--release"])
    done = [secured.gridloom(*command) for command in commands]
    assert not any(each.returncode for each in done), done
    assert all("by file and by Kafka" in each.stdout for each in done[2:])


def test_only_store_is_told_where_the_token_that_writes_is(secured: Secured) -> None:
    found = environments_with(f"GRIDLOOM_FOLDER={secured.stack.folder}\0")
    all_variables = [
        dict(each.decode().partition("=")[::2] for each in environment.split(b"\0"))
        for environment in found.values()
    ]
    told = {
        variables["GRIDLOOM_KAFKA__USERNAME"]: variables.get("GRIDLOOM_INFLUXDB__TOKEN_FILE")
        for variables in all_variables
    }
    assert told.keys() == {user_of(stage) for stage in STAGES}
    assert {user for user, path in told.items() if path != ""} == {user_of("store")}


@pytest.mark.influxdb
def test_the_historian_s_reader_cannot_write(secured: Secured) -> None:
    """Its token; ``deploy/influx/test_influx_provisioning.py`` shows all of both roles."""
    influxdb = secured.settings("reader").influxdb
    as_store = influxdb.model_copy(update={"token_file": influxdb.read_token_file})
    with pytest.raises(HistorianError, match="write"):
        InfluxHistorian(as_store)


def test_no_secret_can_be_seen(secured: Secured) -> None:
    """Not on a command line, in an environment, a log, or what commands say. Last of all."""
    folder = secured.stack.folder
    tokens = [*secured.users.folder.glob("*.password"), *folder.glob("influxdb/*.token")]
    secrets = [path.read_text(encoding="ascii") for path in tokens]
    assert len(secrets) > len(TOPICS) // 2
    assert all(path.stat().st_mode & 0o077 == 0 for path in tokens)
    assert secured.users.folder.stat().st_mode & 0o077 == 0
    told = [
        secured.gridloom(*command, **variables)
        for command, variables in (
            (["doctor"], {}),
            (["topics", "--acls"], {}),
            (["explain"], {"GRIDLOOM_KAFKA__PASSWRD": secrets[0]}),
        )
    ]
    said = [*secured.command_lines.seen, *environments_with(str(folder)).values()]
    said += [(each.stdout + each.stderr).encode() for each in told]
    assert any(b"kafka.tools.StorageTool" in line for line in secured.command_lines.seen)
    assert not [each for each in said for secret in secrets if secret.encode() in each]
    logs = [*folder.rglob("*.log"), folder.parent / "up.out", *folder.glob("*.*")]
    logs = [path for path in logs if path.is_file() and "data" not in path.parts]
    assert folder / "kafka" / "kafka.log" in logs
    assert files_with(secrets, logs) == []
