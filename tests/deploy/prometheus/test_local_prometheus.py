"""A real Prometheus in a folder of its own."""

import http.server
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local_prometheus import LocalPrometheus, prometheus_program
from schemas.errors import StackError
from tests.support.prometheus import Asking

pytestmark = pytest.mark.prometheus


class Page(http.server.BaseHTTPRequestHandler):
    """Shows one metric that says itself which stage it is of."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(b'things{stage="align",slot="1"} 42\n')

    def log_message(self, *arguments: object) -> None:
        """Silent."""


@pytest.fixture
def targets(tmp_path: Path) -> Iterator[Path]:
    """A file that names a server with one metric, and a place where nothing listens."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        file = tmp_path / "targets.json"
        up = {"targets": [f"127.0.0.1:{server.server_port}"], "labels": {"stage": "align"}}
        down = {"targets": ["127.0.0.1:1"], "labels": {"stage": "gate"}}
        file.write_text(json.dumps([up, down]))
        yield file
        server.shutdown()


def test_it_scrapes_what_the_file_names_and_keeps_its_data(tmp_path: Path, targets: Path) -> None:
    server = LocalPrometheus(tmp_path / "prometheus", targets, interval_s=0.2)
    with server:
        asking, first_url = Asking(server.url), server.url
        asking.until("sum(things)", lambda value: value == 42)
        assert asking.values("things", "stage", "slot", "exported_stage") == {
            ("align", "1", ""): 42.0
        }
        asking.until("count(up)", lambda value: value == 2)
        assert asking.values("up", "stage") == {("align",): 1.0, ("gate",): 0.0}
    assert server.pid is None
    targets.write_text("[]")
    with server:
        assert server.url == first_url
        assert Asking(server.url).value("max(max_over_time(things[5m]))") == 42


def test_the_rules_of_the_containers_hold_here_too(tmp_path: Path, targets: Path) -> None:
    with LocalPrometheus(tmp_path / "prometheus", targets, interval_s=0.2) as server:
        pending = 'count(ALERTS{alertname="StageDown", stage="gate"})'
        Asking(server.url).until(pending, lambda value: value == 1)


def test_a_second_server_in_the_folder_is_refused(tmp_path: Path, targets: Path) -> None:
    with (
        LocalPrometheus(tmp_path / "prometheus", targets),
        pytest.raises(StackError, match="Prometheus already runs in"),
    ):
        LocalPrometheus(tmp_path / "prometheus", targets).start()


def test_a_port_in_use_is_an_error_and_leaves_the_folder_free(
    tmp_path: Path, targets: Path
) -> None:
    with LocalPrometheus(tmp_path / "one", targets) as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(StackError, match=f"Prometheus cannot listen on port {port}"):
            LocalPrometheus(tmp_path / "other", targets, port=port).start()
    with LocalPrometheus(tmp_path / "other", targets, port=port) as other:
        assert other.pid is not None


def test_a_server_that_cannot_start_tells_why(tmp_path: Path, targets: Path) -> None:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    (folder / "data").write_text("a file where a folder should be")
    with pytest.raises(StackError, match="Prometheus ended while it was being started") as caught:
        LocalPrometheus(folder, targets).start()
    assert any("data" in line for line in caught.value.problems)


def test_without_the_program_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StackError, match="There is no Prometheus") as caught:
        prometheus_program()
    assert caught.value.hint == "apt install prometheus"


def test_leaving_it_leaves_no_process(
    tmp_path: Path, targets: Path, is_running: Callable[[int], bool]
) -> None:
    with LocalPrometheus(tmp_path / "prometheus", targets) as server:
        pid = server.pid
        assert pid is not None
        assert is_running(pid)
    assert not is_running(pid)
