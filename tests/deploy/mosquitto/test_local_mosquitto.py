"""A real broker keeps strangers out, devices apart, and what it was told over a restart."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from deploy.local_mosquitto import CONFIGURATION, LocalMosquitto, local_configuration
from deploy.mosquitto_users import password_file
from schemas.errors import ConfigurationError, StackError
from tests.support.mosquitto import USERS

BOARD, OTHER_BOARD, GATEWAY = "site-1/board-1", "site-1/board-2", "gateway"
NOT_AUTHORISED = 135
"""What MQTT 5 calls it when a client may not do something."""

PATIENCE_S = 15.0
ROOT = Path(__file__).resolve().parents[3]


def _client(
    broker: LocalMosquitto, user: str | None, password: str | None = None
) -> aiomqtt.Client:
    secret = password if password is not None else USERS.get(user or "")
    return aiomqtt.Client(
        broker.host,
        broker.port,
        username=user,
        password=secret,
        protocol=aiomqtt.ProtocolVersion.V5,
        timeout=PATIENCE_S,
    )


def _run(play: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(asyncio.wait_for(play(), PATIENCE_S))


@asynccontextmanager
async def _listening(
    broker: LocalMosquitto, user: str, topic: str
) -> AsyncIterator[asyncio.Queue[tuple[str, bytes]]]:
    """What a user receives on a topic, as it comes."""
    heard: asyncio.Queue[tuple[str, bytes]] = asyncio.Queue()

    async def listen(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            assert isinstance(message.payload, bytes)
            heard.put_nowait((str(message.topic), message.payload))

    async with _client(broker, user) as client:
        await client.subscribe(topic, qos=1)
        listening = asyncio.create_task(listen(client))
        yield heard
        listening.cancel()


async def _publish(
    broker: LocalMosquitto, user: str, topic: str, payload: bytes, *, retain: bool = False
) -> int:
    """Publish with QoS 1; what the broker answered, 0 or 16 (nobody listens) where it took it."""
    answers: list[int] = []
    async with _client(broker, user) as client:
        paho = client._client  # noqa: SLF001  aiomqtt itself does not tell what was answered
        confirm = paho.on_publish
        assert confirm is not None

        def note(*told: Any) -> None:  # noqa: ANN401  as paho calls it
            answers.append(told[3].value)
            confirm(*told)

        paho.on_publish = note
        await client.publish(topic, payload, qos=1, retain=retain)
    return answers[0]


@pytest.mark.mqtt
@pytest.mark.parametrize(
    ("user", "password"),
    [(None, None), (BOARD, "wrong"), (BOARD, ""), ("stranger", "x"), ("board-1", USERS[BOARD])],
)
def test_nobody_comes_in_without_name_and_password(
    mosquitto: LocalMosquitto, user: str | None, password: str | None
) -> None:
    async def play() -> None:
        with pytest.raises(aiomqtt.MqttError, match="Not authorized"):
            async with _client(mosquitto, user, password):
                pass

    _run(play)


@pytest.mark.mqtt
def test_a_setpoint_reaches_its_own_board_and_no_other(mosquitto: LocalMosquitto) -> None:
    async def play() -> None:
        async with (
            _listening(mosquitto, BOARD, "gridloom/site-1/board-1/setpoint") as own,
            _listening(mosquitto, OTHER_BOARD, "gridloom/#") as others,
        ):
            await _publish(mosquitto, GATEWAY, "gridloom/site-1/board-1/setpoint", b"1")
            await _publish(mosquitto, GATEWAY, "gridloom/site-1/board-2/setpoint", b"2")
            assert await own.get() == ("gridloom/site-1/board-1/setpoint", b"1")
            assert await others.get() == ("gridloom/site-1/board-2/setpoint", b"2")
            assert own.empty()
            assert others.empty()

    _run(play)


@pytest.mark.mqtt
@pytest.mark.parametrize(
    ("user", "topic"),
    [
        (BOARD, "gridloom/site-1/board-2/state"),
        (BOARD, "gridloom/site-1/board-2/setpoint"),
        (BOARD, "gridloom/site-1/board-1/setpoint"),
        (BOARD, "gridloom/site-2/board-1/state"),
        (GATEWAY, "gridloom/site-1/board-1/state"),
        (GATEWAY, "elsewhere"),
        ("health", "gridloom/site-1/board-1/setpoint"),
    ],
)
def test_a_message_that_its_sender_may_not_send_is_refused(
    mosquitto: LocalMosquitto, user: str, topic: str
) -> None:
    async def play() -> None:
        assert await _publish(mosquitto, user, topic, b"1") == NOT_AUTHORISED

    _run(play)


@pytest.mark.mqtt
@pytest.mark.parametrize("kind", ["state", "ack"])
def test_the_gateway_hears_what_boards_say(mosquitto: LocalMosquitto, kind: str) -> None:
    async def play() -> None:
        async with _listening(mosquitto, GATEWAY, f"gridloom/+/+/{kind}") as heard:
            answer = await _publish(mosquitto, BOARD, f"gridloom/{BOARD}/{kind}", b"{}")
            assert answer == 0
            assert await heard.get() == (f"gridloom/{BOARD}/{kind}", b"{}")

    _run(play)


@pytest.mark.mqtt
def test_a_retained_setpoint_outlives_a_restart(tmp_path: Path) -> None:
    topic = f"gridloom/{BOARD}/setpoint"
    broker = LocalMosquitto(tmp_path / "broker", USERS)

    async def hear() -> None:
        async with _listening(broker, BOARD, topic) as heard:
            assert await heard.get() == (topic, b"kept")

    with broker:
        _run(lambda: _told(broker, topic))
        port = broker.port
    assert broker.pid is None
    with broker:
        assert broker.port == port
        _run(hear)


async def _told(broker: LocalMosquitto, topic: str) -> None:
    await _publish(broker, GATEWAY, topic, b"kept", retain=True)


@pytest.mark.mqtt
def test_two_brokers_do_not_share_a_folder(mosquitto: LocalMosquitto) -> None:
    with pytest.raises(StackError, match="Mosquitto already runs"):
        LocalMosquitto(mosquitto.folder, USERS).start()


@pytest.mark.mqtt
def test_a_port_in_use_is_named(mosquitto: LocalMosquitto, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=f"Mosquitto cannot listen on port {mosquitto.port}"):
        LocalMosquitto(tmp_path / "second", USERS, port=mosquitto.port).start()


@pytest.mark.mqtt
def test_the_broker_dies_with_its_parent(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from deploy.local_mosquitto import LocalMosquitto\n"
        "broker = LocalMosquitto(pathlib.Path(sys.argv[1]), {})\n"
        "broker.start()\n"
        "print(broker.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert int(done.stdout) > 0
    with LocalMosquitto(tmp_path, {}) as broker:  # the folder is free again
        assert broker.pid != int(done.stdout)


@pytest.mark.mqtt
def test_a_password_file_is_for_its_owner_alone(mosquitto: LocalMosquitto) -> None:
    assert (mosquitto.folder / "passwords").stat().st_mode & 0o077 == 0


def test_where_mosquitto_is_absent_the_hint_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("deploy.local_mosquitto._SYSTEM_FOLDERS", "")
    with pytest.raises(StackError) as caught:
        LocalMosquitto(tmp_path, {}).start()
    assert "apt install mosquitto" in caught.value.hint


@pytest.mark.parametrize("name", ["", "a:b", "site-1/#", "+/board-1", "two\nlines"])
def test_a_name_that_would_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used") as caught:
        password_file({"good": "x", name: "x"})
    assert caught.value.problems == (repr(name),)


def test_equal_passwords_have_different_hashes() -> None:
    first, second = password_file({"a": "x", "b": "x"}).splitlines()
    assert first.removeprefix("a:") != second.removeprefix("b:")


def test_the_local_broker_is_configured_as_the_container_is(tmp_path: Path) -> None:
    text = (CONFIGURATION / "mosquitto.conf").read_text("utf-8")
    local = local_configuration(text, tmp_path, 1234)
    changed = set(text.splitlines()) - set(local.splitlines())
    assert {line.split()[0] for line in changed} == {
        "listener",
        "password_file",
        "acl_file",
        "persistence_location",
    }
    assert "allow_anonymous false" in local.splitlines()
    assert "listener 1234 127.0.0.1" in local.splitlines()


def test_a_configuration_that_lacks_what_is_replaced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lacks acl_file"):
        local_configuration("listener 1883", tmp_path, 1234)
