"""Every PromQL query of every dashboard and rule, on a real Prometheus."""

import http.server
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from dashboards.grafana.datasources import PROMETHEUS
from streams.clocks import wall_ms
from streams.dashboards.asking import AskPrometheus, PrometheusError
from streams.dashboards.checking import Row, check
from streams.dashboards.questions import all_questions
from streams.dashboards.substitution import Span
from streams.metrics.page import groups
from streams.metrics.registry import CONSTANT_LABELS, MetricSpec
from tests.streams.dashboards.conftest import settings_of
from tests.support.influx import InfluxBucket
from tests.support.prometheus import Start

MINUTE = Span(from_ms=0, to_ms=60_000)
PATIENCE_S = 60.0
ASKED_OF_PROMETHEUS = [asked for asked in all_questions() if asked.kind == PROMETHEUS]


class Stage:
    """Shows every metric that any stage has, and lets all of them rise."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        specs = [spec for group in groups().values() for spec in group]
        self._metrics = [self._metric(spec) for spec in specs]

    def rise(self) -> None:
        """Something happens to everything."""
        for metric in self._metrics:
            if isinstance(metric, Counter):
                metric.inc()
            elif isinstance(metric, Gauge):
                metric.set(1.0)
            else:
                metric.observe(0.1)

    def _metric(self, spec: MetricSpec) -> Counter | Gauge | Histogram:
        names = (*CONSTANT_LABELS, *spec.labels)
        values = ["x" for _ in names]
        if spec.kind == "counter":
            return Counter(spec.name, "m", names, registry=self.registry).labels(*values)
        if spec.kind == "gauge":
            return Gauge(spec.name, "m", names, registry=self.registry).labels(*values)
        return Histogram(spec.name, "m", names, registry=self.registry).labels(*values)


@contextmanager
def shown(stage: Stage) -> Iterator[str]:
    """Where the stage's metrics are for a while."""
    server, thread = start_http_server(0, addr="127.0.0.1", registry=stage.registry)
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.influxdb
@pytest.mark.prometheus
def test_every_query_returns_rows(filled: InfluxBucket, prometheus: Start, tmp_path: Path) -> None:
    """Issue 4: every panel's query runs against a real Prometheus and returns rows."""
    stage = Stage()
    with shown(stage) as address:
        targets = tmp_path / "targets.json"
        targets.write_text(json.dumps([{"targets": [address]}]), encoding="utf-8")
        url = prometheus(targets).url
        deadline_s = time.monotonic() + PATIENCE_S
        while empty := _without_rows(filled, url):
            assert time.monotonic() < deadline_s, empty
            stage.rise()
            time.sleep(1.0)


def _without_rows(filled: InfluxBucket, url: str) -> list[Row]:
    """What Prometheus was asked and has no rows for yet."""
    now_ms = wall_ms()
    checked = check(settings_of(filled), url, None, now_ms=now_ms)
    assert not checked.failed, [row for row in checked.rows if row.failed]
    asked = [row for row in checked.rows if row.kind == "prometheus"]
    assert len(asked) == len(ASKED_OF_PROMETHEUS) > 0
    return [row for row in asked if not row.rows]


@pytest.mark.prometheus
def test_nothing_to_scrape_is_no_rows_and_nonsense_is_told(
    prometheus: Start, tmp_path: Path
) -> None:
    asks = AskPrometheus(prometheus(tmp_path / "nobody.json").url)
    now_ms = wall_ms()
    span = Span(from_ms=now_ms - 60_000, to_ms=now_ms)
    assert asks.rows("gridloom_stage_info", span, instant=True) == 0
    assert asks.rows("rate(gridloom_plans_total[1m])", span, instant=False) == 0
    with pytest.raises(PrometheusError, match=r"refuses the question: .*parse error"):
        asks.rows("sum by (", span, instant=True)


def test_nobody_there_is_told() -> None:
    with pytest.raises(PrometheusError, match="cannot be reached"):
        AskPrometheus("http://127.0.0.1:1").rows("up", MINUTE, instant=True)


@pytest.mark.parametrize("url", ["", "prometheus:9090", "http://"])
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(PrometheusError, match="is not the address of a Prometheus"):
        AskPrometheus(url)


@pytest.mark.parametrize("said", [b"<html>", b"{}", b"[]", b'{"data": {"result": 1}}'])
def test_what_is_no_prometheus_is_told(said: bytes) -> None:
    with _answering(said) as url, pytest.raises(PrometheusError, match="is not a Prometheus"):
        AskPrometheus(url).rows("up", MINUTE, instant=True)


@contextmanager
def _answering(said: bytes) -> Iterator[str]:
    """A server that always says the same."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class's
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
