"""Every query of every dashboard, on the servers of a real demo run."""

import time

import pytest

from deploy.local_prometheus import LocalPrometheus
from streams.dashboards.checking import Checked, check
from tests.support.demo_run import demo_runner

pytestmark = [pytest.mark.kafka, pytest.mark.influxdb, pytest.mark.prometheus]

WINDOWS = 40
NOTHING_TO_SHOW = {
    "Energy by counters": "the demo's meters have no energy registers",
    "Retries and refused points": "the historian was never away",
    "Event time falls behind": "it did not; most alert queries keep only what is bad",
}
"""Places that are rightly empty after a run without troubles, and why."""


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Checked:
    """The answers after a short run that a Prometheus has scraped."""
    folder = tmp_path_factory.mktemp("dashboards")
    runner = demo_runner(folder / "home", WINDOWS)
    with (
        runner.pipeline,
        LocalPrometheus(folder / "prometheus", runner.pipeline.targets_path, interval_s=1.0) as p8s,
    ):
        runner.start()
        runner.watch()
        runner.drain()
        now_ms = time.time_ns() // 1_000_000
        return check(runner.pipeline.settings, p8s.url, None, now_ms=now_ms)


def test_no_query_fails(checked: Checked) -> None:
    """D-6: every panel's query runs against the servers of a demo run."""
    assert [row for row in checked.rows if row.failed] == []


def test_every_query_returns_rows(checked: Checked) -> None:
    """D-6: every panel query returns rows, but where a run without troubles has none."""
    empty = {(row.dashboard, row.place, row.note) for row in checked.rows if not row.rows}
    assert {place for _, place, _ in empty} <= NOTHING_TO_SHOW.keys(), sorted(empty)
    assert all(note for _, _, note in empty)
