"""The local InfluxDB: a real server, real processes, real signals."""

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from influxdb_client.client.write_api import SYNCHRONOUS

from deploy.influx_api import InfluxConnection, influx_client, influx_version
from deploy.influx_build import INFLUXD_VERSION, cached_influxd
from deploy.influx_files import ADDRESS_FILE
from deploy.local_influx import LocalInflux
from schemas.errors import HistorianAwayError, StackError

pytestmark = pytest.mark.influxdb

IsRunning = Callable[[int], bool]
Eventually = Callable[[Callable[[], bool]], None]

PARENT = """
import sys, time
from pathlib import Path
from deploy.local_influx import LocalInflux
from deploy.processes import orderly_signals

with orderly_signals(), LocalInflux(Path(sys.argv[1])) as influx:
    print(influx.pid, influx.url, flush=True)
    time.sleep(600)
"""


@contextmanager
def parent_in(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A Python process, in a process group of its own, that runs a server in ``folder``."""
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


def pid_of(parent: subprocess.Popen[str]) -> int:
    """Process id of the server of a parent, once it is up."""
    assert parent.stdout
    return int(parent.stdout.readline().split()[0])


def connection_of(server: LocalInflux, token_file: Path) -> InfluxConnection:
    token = token_file.read_text(encoding="ascii")
    return InfluxConnection(server.url, server.org, server.bucket, token)


def write(server: LocalInflux, value: int) -> None:
    """Write one point, as the role store does."""
    with (
        influx_client(connection_of(server, server.token_file)) as client,
        client.write_api(write_options=SYNCHRONOUS) as api,
    ):
        api.write(server.bucket, record=f"kept value={value}i 1700000000000000000")


def read(server: LocalInflux) -> list[int]:
    """All values that were written, as a reader sees them."""
    with influx_client(connection_of(server, server.read_token_file)) as client:
        flux = f'from(bucket: "{server.bucket}") |> range(start: 0)'
        return [row.get_value() for table in client.query_api().query(flux) for row in table]


def listening_addresses(port: int) -> set[str]:
    """Local addresses, as the kernel writes them, of all sockets that listen on a port."""
    addresses = set()
    for table in ("tcp", "tcp6"):
        for line in Path("/proc/net", table).read_text(encoding="ascii").splitlines()[1:]:
            address, number = line.split()[1].split(":")
            if int(number, 16) == port and line.split()[3] == "0A":
                addresses.add(address)
    return addresses


def test_it_tells_where_it_is_and_keeps_its_tokens_to_its_owner(influx: LocalInflux) -> None:
    """S1-06: the historian's buckets, and a token per role."""
    address = json.loads((influx.folder / ADDRESS_FILE).read_text(encoding="utf-8"))
    assert address == {"url": influx.url, "org": "gridloom", "bucket": "gridloom"}
    for path in (influx.token_file, influx.read_token_file):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = [path for path in influx.folder.iterdir() if path.name.startswith("operator.")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret} == {0o600}
    assert len(secret) == 2


def test_it_listens_on_the_loopback_interface_only(influx: LocalInflux) -> None:
    port = int(influx.url.rpartition(":")[2])
    assert listening_addresses(port) == {"0100007F"}


def test_it_is_the_version_that_is_pinned(influx: LocalInflux) -> None:
    assert influx_version(influx.url) == f"v{INFLUXD_VERSION}"


def test_a_second_start_in_the_same_folder_is_refused(influx: LocalInflux) -> None:
    with pytest.raises(StackError, match=f"already runs in .* \\(process {influx.pid}\\)"):
        LocalInflux(influx.folder).start()
    influx.require_running()


def test_a_port_in_use_is_refused(influx: LocalInflux, tmp_path: Path) -> None:
    port = int(influx.url.rpartition(":")[2])
    with pytest.raises(StackError, match=f"InfluxDB cannot listen on port {port}"):
        LocalInflux(tmp_path, port=port).start()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StackError, match="InfluxDB cannot keep its data in"):
        LocalInflux(tmp_path / "file" / "influxdb").start()


def test_a_restart_keeps_port_tokens_and_data(tmp_path: Path, is_running: IsRunning) -> None:
    influx = LocalInflux(tmp_path / "a, b é")
    with influx:
        first_pid = influx.pid
        before = influx.url, influx.token_file.read_bytes(), influx.read_token_file.read_bytes()
        write(influx, 7)
    assert first_pid
    assert not is_running(first_pid)
    assert influx.pid is None
    with influx:
        after = influx.url, influx.token_file.read_bytes(), influx.read_token_file.read_bytes()
        assert after == before
        assert read(influx) == [7]


def test_a_server_that_was_killed_is_noticed(tmp_path: Path, eventually: Eventually) -> None:
    with LocalInflux(tmp_path) as influx:
        influx.require_running()
        assert influx.pid
        os.kill(influx.pid, signal.SIGKILL)
        eventually(lambda: influx.pid is None)
        with pytest.raises(StackError, match="InfluxDB does not run"):
            influx.require_running()
    with pytest.raises(StackError, match="InfluxDB does not run"):
        influx.require_running()


def test_a_server_dies_with_its_killed_parent_and_the_next_start_finds_its_data(
    tmp_path: Path, is_running: IsRunning, eventually: Eventually
) -> None:
    with parent_in(tmp_path) as parent:
        assert parent.stdout
        pid, url = parent.stdout.readline().split()
        write(LocalInflux(tmp_path, port=int(url.rpartition(":")[2])), 8)
        parent.kill()
    with LocalInflux(tmp_path) as influx:
        assert read(influx) == [8]
    eventually(lambda: not is_running(int(pid)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_server_in_order_and_silently(
    number: signal.Signals, tmp_path: Path, is_running: IsRunning
) -> None:
    with parent_in(tmp_path) as parent:
        pid = pid_of(parent)
        os.killpg(parent.pid, number)
        assert parent.communicate() == ("", "")
    assert parent.returncode == 128 + number
    assert not is_running(pid)


def test_a_server_that_ends_at_its_start_is_explained_by_its_log(tmp_path: Path) -> None:
    (tmp_path / "influxd.bolt").write_bytes(b"not a database" * 10_000)
    influx = LocalInflux(tmp_path)
    with pytest.raises(StackError, match="ended while it was being started") as caught:
        influx.start()
    assert influx.pid is None
    assert any("bolt" in line for line in caught.value.problems)
    assert str(tmp_path / "influxdb.log") in caught.value.hint


def test_a_start_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    influx = LocalInflux(tmp_path)
    with pytest.raises(StackError, match="did not start in time"):
        influx.start(timeout_s=0.0)
    assert influx.pid is None


def test_data_whose_operator_token_is_lost_are_not_touched(tmp_path: Path) -> None:
    with LocalInflux(tmp_path) as influx:
        write(influx, 9)
        (tmp_path / "operator.token").unlink()
    with pytest.raises(StackError, match=r"could not be set up: .* does not accept the token"):
        influx.start()
    assert influx.pid is None


def test_without_an_influxd_it_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cached_influxd() is None
    with pytest.raises(StackError, match="no InfluxDB on this machine") as caught:
        LocalInflux(tmp_path / "influxdb").start()
    assert "make influxd" in caught.value.hint


def test_settings_that_are_meant_for_another_server_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('tls-cert = "/nowhere"\ntls-key = "/nowhere"\n', encoding="utf-8")
    monkeypatch.setenv("INFLUXD_CONFIG_PATH", str(other))
    with LocalInflux(tmp_path / "influxdb") as influx:
        influx.require_running()


def test_the_address_is_unknown_before_the_first_start(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="before its start"):
        _ = LocalInflux(tmp_path).url
    assert LocalInflux(tmp_path, port=8086).url == "http://127.0.0.1:8086"


def test_a_stopped_server_is_away(tmp_path: Path) -> None:
    influx = LocalInflux(tmp_path)
    with influx:
        pass
    with pytest.raises(HistorianAwayError, match="No InfluxDB answers at"):
        influx_version(influx.url)
    with pytest.raises(HistorianAwayError, match="No InfluxDB answers at"):
        read(influx)
