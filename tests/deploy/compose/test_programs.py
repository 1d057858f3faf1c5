"""What the containers run besides ``gridloom``: the health check, replicas, secrets."""

import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from deploy import healthy
from deploy.compose.make_secrets import NAMES, add_device, make_secrets
from deploy.compose.replica import at_one_port, prepared
from deploy.ports import free_ports
from schemas.errors import ConfigurationError, GridloomError
from schemas.settings import MetricsSettings
from tests.support.compose import ROOT


class _Answers(BaseHTTPRequestHandler):
    """Well at ``/readyz``, unwell elsewhere."""

    def do_GET(self) -> None:
        is_well = self.path == "/readyz"
        self.send_response(HTTPStatus.OK if is_well else HTTPStatus.SERVICE_UNAVAILABLE)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  http.server's name
        """Keep quiet."""


class _NotReady(_Answers):
    """Unwell everywhere."""

    def do_GET(self) -> None:
        self.path = "/else"
        super().do_GET()


@contextmanager
def served(port: int, answers: type[_Answers]) -> Iterator[str]:
    """A web server; its address."""
    with HTTPServer(("127.0.0.1", port), answers) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.fixture
def server() -> Iterator[str]:
    """Address of a web server."""
    with served(0, _Answers) as address:
        yield address


def _run(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """A Python program without any packages but its own."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", *arguments],
        cwd=ROOT,
        env=environment or {},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_what_answers_is_healthy(server: str) -> None:
    assert _run("deploy.healthy", f"{server}/readyz") == (0, "", "")


def test_what_answers_with_an_error_is_not_healthy(server: str) -> None:
    code, _, said = _run("deploy.healthy", f"{server}/readyz", f"{server}/else")
    assert (code, said) == (1, f"{server}/else: status 503: \n")


def test_what_does_not_listen_is_not_healthy() -> None:
    code, _, said = _run("deploy.healthy", "http://127.0.0.1:1/readyz")
    assert code == 1
    assert "Connection refused" in said


def test_without_a_url_every_stage_that_listens_has_to_be_ready() -> None:
    base = free_ports(healthy.STAGE_PORTS)
    environment = {"GRIDLOOM_METRICS__PORT": str(base)}
    assert _run("deploy.healthy", environment=environment)[0] == 1
    with served(base + 4, _Answers):
        assert _run("deploy.healthy", environment=environment)[0] == 0
        with served(base + 5, _NotReady):
            code, _, said = _run("deploy.healthy", environment=environment)
    assert (code, said) == (1, f"http://127.0.0.1:{base + 5}/readyz: status 503: \n")


def test_the_health_check_looks_where_stages_show_their_metrics_by_default() -> None:
    assert MetricsSettings().port == healthy.DEFAULT_METRICS_PORT


@pytest.mark.parametrize("slot", [0, 1, 5])
def test_a_stage_shows_its_metrics_at_one_port_whatever_its_slot(slot: int) -> None:
    """The settings' contract: a slot's port is 20 higher than that of the slot before it."""
    port = int(at_one_port(9400, slot)["GRIDLOOM_METRICS__PORT"])
    assert port + 20 * slot == 9400


def test_a_stage_without_metrics_stays_without() -> None:
    assert at_one_port(0, 3) == {"GRIDLOOM_METRICS__PORT": "0"}


def test_a_port_that_is_too_low_for_a_slot_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="too low for slot 3"):
        at_one_port(60, 3)


def test_a_replica_becomes_its_stage_in_the_slot_that_it_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDLOOM_FOLDER", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    commands = [prepared(["align"]) for _ in range(2)]
    assert [command[-2:] for command, _ in commands] == [["align", "0"], ["align", "1"]]
    assert commands[1][1]["GRIDLOOM_METRICS__PORT"] == "9380"
    assert (tmp_path / "slots").is_dir()


@pytest.mark.parametrize("arguments", [[], ["align", "store"]])
def test_a_replica_is_of_one_stage(arguments: list[str]) -> None:
    with pytest.raises(GridloomError, match="one stage has to be named") as caught:
        prepared(arguments)
    assert "deploy.compose.replica STAGE" in caught.value.hint


def test_a_replica_with_wrong_settings_says_so_without_a_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.compose.replica", "align"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "GRIDLOOM_KAFKA__PARTITIONS": "many"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "kafka.partitions" in done.stderr
    assert "Traceback" not in done.stderr


def test_secrets_are_made_with_nothing_but_python(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    code, said, problems = _run("deploy.compose.make_secrets", str(folder), "site-1/board-1")
    assert (code, problems) == (0, "")
    assert set(said.split()) == {str(folder / name) for name in {*NAMES, "devices/site-1/board-1"}}
    assert {path.name for path in folder.iterdir()} == {*NAMES, "devices"}


def test_secrets_that_are_there_stay(tmp_path: Path) -> None:
    made = make_secrets(tmp_path)
    before = {path: path.read_bytes() for path in made}
    assert make_secrets(tmp_path) == []
    assert {path: path.read_bytes() for path in made} == before
    assert _run("deploy.compose.make_secrets", str(tmp_path))[1].startswith("all secrets are there")


def test_a_secret_that_was_deleted_is_made_anew_alone(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    before = (tmp_path / "influxdb_admin_token").read_text("ascii")
    (tmp_path / "grafana_admin_password").unlink()
    assert make_secrets(tmp_path) == [tmp_path / "grafana_admin_password"]
    assert (tmp_path / "influxdb_admin_token").read_text("ascii") == before


def test_no_two_secrets_are_alike_and_none_is_short(tmp_path: Path) -> None:
    made = [*make_secrets(tmp_path / "one"), *make_secrets(tmp_path / "two")]
    texts = [path.read_text("ascii") for path in made]
    assert len(set(texts)) == len(texts)
    assert all(len(text) >= 43 for text in texts)


def test_only_its_owner_gets_into_the_folder(tmp_path: Path) -> None:
    """Containers read the files as users of their own: the folder is what keeps others out."""
    folder = tmp_path / "secrets"
    folder.mkdir(mode=0o755)
    made = make_secrets(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in made} == {0o644}


def test_a_device_keeps_its_password(tmp_path: Path) -> None:
    make_secrets(tmp_path)
    passwords = tmp_path / "mosquitto_passwords"
    inode = passwords.stat().st_ino
    assert add_device(tmp_path, "site-1/board-1") == [tmp_path / "devices" / "site-1" / "board-1"]
    assert add_device(tmp_path, "site-1/board-1") == []
    users = [line.split(":")[0] for line in passwords.read_text("ascii").splitlines()]
    assert users == ["health", "gateway", "site-1/board-1"]
    assert passwords.stat().st_ino == inode, "a container has this very file mounted"


@pytest.mark.parametrize("name", ["board-1", "a/b/c", "../x", "site/#", "+/board", "a/", "a b/c"])
def test_a_device_that_is_no_site_and_device_is_refused(tmp_path: Path, name: str) -> None:
    code, _, said = _run("deploy.compose.make_secrets", str(tmp_path), name)
    assert (code, said) == (1, f"{name!r} is no SITE/DEVICE\n")


def test_without_a_folder_it_says_how_it_is_used() -> None:
    code, _, said = _run("deploy.compose.make_secrets")
    assert code == 1
    assert said.startswith("usage: python3 -m deploy.compose.make_secrets FOLDER")


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, _, said = _run("deploy.compose.make_secrets", str(tmp_path / "file"))
    assert code == 1
    assert "Traceback" not in said
