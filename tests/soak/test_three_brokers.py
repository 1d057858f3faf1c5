"""Three brokers, of which the leading one is killed in mid-stream; only `make soak` runs it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local_cluster import NODES, LocalCluster
from schemas.topics import telemetry_topic
from schemas.units import TelemetryKind
from streams.chaos.plan import BROKER, Fault, FaultKind
from streams.chaos.runner import ChaosRunner, run_chaos
from streams.kafka import admin
from tests.support.demo_run import SilentView, demo_runner

pytestmark = [pytest.mark.soak, pytest.mark.kafka, pytest.mark.timeout(900)]

SECONDS = 60.0
PLAN = (
    Fault(8.0, FaultKind.BROKER, BROKER, 8.0),
    Fault(30.0, FaultKind.KILL, "align"),
    Fault(38.0, FaultKind.BROKER, BROKER, 6.0),
)


class LeaderView(SilentView):
    """Notes who leads the meters' partitions when a fault begins and when it is over."""

    def __init__(self) -> None:
        super().__init__()
        self.led: list[list[int]] = []
        self.look: Callable[[], list[int]] = list

    def begun(self, fault: Fault, number: int, total: int) -> None:
        """A broker is about to be killed."""
        del number, total
        if fault.kind is FaultKind.BROKER:
            self.led.append(self.look())

    def ended(self, fault: Fault) -> None:
        """It is back."""
        if fault.kind is FaultKind.BROKER:
            self.led.append(self.look())


def test_the_loop_survives_a_change_of_leaders_and_the_results_are_equal(tmp_path: Path) -> None:
    """DESIGN decision 1, issue 5: a partition leader change among three local brokers."""
    runner = demo_runner(tmp_path, windows=100, cluster=True)
    assert isinstance(runner.pipeline.kafka, LocalCluster)
    view = LeaderView()

    def leaders() -> list[int]:
        topic = telemetry_topic(TelemetryKind.METER)
        found = admin(runner.pipeline.settings.kafka).list_topics(topic, 20).topics[topic]
        copies = {len(each.replicas) for each in found.partitions.values()}
        assert copies == {NODES}
        return [each.leader for each in found.partitions.values()]

    view.look = leaders
    chaos = ChaosRunner(runner, PLAN, SECONDS, view)
    report = run_chaos(chaos, seed=0)
    assert report.problems == ()
    assert report.is_clean
    assert [fault.kind for fault in report.faults] == [str(fault.kind) for fault in PLAN]
    first, after_first, second, after_second = view.led
    assert first != after_first
    assert second != after_second
