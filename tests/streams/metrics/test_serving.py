"""Metrics over HTTP; and a stage that cannot show them works all the same."""

import http.client
import logging
import socket

import pytest

from schemas.errors import ConfigurationError
from schemas.settings import Settings
from streams.metrics import StageMetrics, free_base_port, serve


def settings(host: str, port: int) -> Settings:
    return Settings.model_validate({"metrics": {"host": host, "port": port}})


def get(port: int, path: str = "/metrics") -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, response.read().decode()
    connection.close()
    return answer


def test_a_process_shows_its_metrics_while_they_change() -> None:
    base = free_base_port()
    metrics = serve(settings("127.0.0.1", base), "store")
    metrics.consumed("windows.site", 7)
    status, text = get(base + 1)
    assert status == 200
    line = 'gridloom_records_consumed_total{slot="0",stage="store",topic="windows.site"} 7.0'
    assert line in text.splitlines()
    assert 'gridloom_stage_info{slot="0",stage="store",version="' in text
    metrics.consumed("windows.site", 1)
    assert line.replace("7.0", "8.0") in get(base + 1)[1].splitlines()


def test_nothing_else_is_served() -> None:
    base = free_base_port()
    serve(settings("127.0.0.1", base), "align")
    assert get(base, "/")[0] == get(base, "/metricsandmore")[0] == 404
    assert get(base, "/metrics?name[]=gridloom_stage_info")[0] == 200


@pytest.mark.parametrize("host", ["203.0.113.1", "no.such.host.invalid", "a" * 70])
def test_a_host_that_is_not_ours_is_a_warning(host: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        metrics = serve(settings(host, 9400), "align")
    assert isinstance(metrics, StageMetrics)
    assert [record.getMessage() for record in caplog.records if host in record.getMessage()]


def test_a_port_in_use_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, caplog.at_level(logging.WARNING):
        port = taken.getsockname()[1]
        serve(settings("127.0.0.1", port), "align")
    (record,) = caplog.records
    assert str(port) in record.getMessage()
    assert "in use" in record.getMessage()


def test_a_port_beyond_all_ports_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        serve(settings("127.0.0.1", 65_000), "align", slot=63)
    assert "66260" in caplog.text


def test_port_0_shows_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        serve(settings("no.such.host.invalid", 0), "align")
    assert caplog.text == ""


def test_an_unknown_stage_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="unknown stage aline"):
        serve(settings("127.0.0.1", 0), "aline")
