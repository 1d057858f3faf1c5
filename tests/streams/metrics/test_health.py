"""Alive and ready, as whoever asks over HTTP sees it."""

import http.client
import json
import os

from schemas.settings import Settings
from streams.metrics import StageMetrics, free_base_port, serve
from streams.metrics.health import STALL_S, Health


def get(port: int, path: str) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path)
    response = connection.getresponse()
    answer = response.status, json.loads(response.read())
    connection.close()
    return answer


def test_a_stage_is_ready_only_while_nothing_is_missing() -> None:
    """Issue 5, build 4: health and readiness."""
    health = Health("align", 0)
    missing: list[str] = []
    health.require(lambda: missing[0] if missing else None)
    assert health.ready().problems == ("it is starting",)
    health.turned()
    assert health.ready().problems == ()
    missing.append("it has no partitions yet")
    assert health.ready().problems == ("it has no partitions yet",)
    assert health.alive().problems == ()


def test_a_loop_that_stands_still_is_neither_alive_nor_ready() -> None:
    now_s = [0.0]
    health = Health("align", 0, lambda: now_s[0])
    health.turned()
    now_s[0] = STALL_S
    assert health.alive().problems == ()
    now_s[0] = STALL_S + 1
    assert (
        health.alive().problems == health.ready().problems == ("its loop has not turned for 61 s",)
    )
    health.turned()
    assert health.ready().problems == ()


def test_both_are_served_beside_the_metrics() -> None:
    base = free_base_port()
    metrics = serve(Settings.model_validate({"metrics": {"port": base}}), "align")
    says = {"stage": "align", "slot": 0, "pid": os.getpid()}
    assert get(base, "/healthz") == (200, says | {"problems": []})
    assert get(base, "/readyz") == (503, says | {"problems": ["it is starting"]})
    metrics.health.turned()
    assert get(base, "/readyz") == (200, says | {"problems": []})


def test_a_consumer_without_any_broker_is_not_ready() -> None:
    metrics = StageMetrics("gate")
    metrics.health.turned()
    metrics.take_statistics('{"brokers": {"a": {"state": "DOWN"}, "b": {"state": "UP"}}}')
    assert metrics.health.ready().problems == ()
    metrics.take_statistics('{"brokers": {"a": {"state": "DOWN"}, "b": {"state": "CONNECT"}}}')
    assert metrics.health.ready().problems == ("no broker is connected",)
