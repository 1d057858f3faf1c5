"""What the hosts of dispatch, gate and actuate count of what processors return."""

import msgspec
from prometheus_client.registry import CollectorRegistry

from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.setpoint import Ack, Setpoint
from schemas.site_window import Completeness
from schemas.verdict import Accepted, Observed, Rejected, Renewed
from streams.metrics.deciding import ActuateMetrics, DispatchMetrics, GateMetrics
from streams.metrics.registry import StageRegistry


def counted(registry: CollectorRegistry, name: str, label: str) -> dict[str, float]:
    """A counter by one of its labels."""
    return {
        sample.labels[label]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == f"gridloom_{name}"
    }


def plan(status: PlanStatus) -> DispatchPlan:
    return DispatchPlan(
        decision_id="d",
        site="s",
        window_start_ms=5_000,
        model_hash="h",
        seq=16,
        epoch=0,
        completeness=Completeness.COMPLETE,
        status=status,
        load_kw=1.0,
        uncontrolled_kw=None,
        expected_kw=None,
        threshold_kw=1.0,
        capacity_kw=1.0,
        violation_kw=0.0,
        outputs=(),
        targets=(),
    )


def test_plans_are_counted_by_status_and_blind_ones_were_not_solved() -> None:
    registry = StageRegistry("dispatch", 0)
    metrics = DispatchMetrics(registry)
    for status in (PlanStatus.OPTIMAL, PlanStatus.BLIND, PlanStatus.FAILED):
        metrics.planned(plan(status), 0.25)
    assert counted(registry, "plans_total", "status") == {
        "optimal": 1,
        "best-effort": 0,
        "blind": 1,
        "failed": 1,
    }
    labels = {"stage": "dispatch", "slot": "0"}
    assert registry.get_sample_value("gridloom_dispatch_solve_seconds_count", labels) == 2
    assert registry.get_sample_value("gridloom_dispatch_solve_seconds_sum", labels) == 0.5


def test_verdicts_are_counted_by_outcome() -> None:
    registry = StageRegistry("gate", 0)
    metrics = GateMetrics(registry)
    common = dict.fromkeys(("seq", "epoch", "window_start_ms", "decided_ms"), 16)
    named = {"decision_id": "d", "site": "s", "targets": (), "refusals": (), "sentences": ()}
    renewal = {"accepted_decision_id": "a", "alert": "blind"}
    for outcome in ("accepted", "accepted", "rejected", "observed", "renewed"):
        fields = {**common, **named, **renewal, "outcome": outcome}
        metrics.judged(msgspec.convert(fields, Accepted | Renewed | Observed | Rejected))
    assert counted(registry, "verdicts_total", "outcome") == {
        "accepted": 2,
        "renewed": 1,
        "observed": 1,
        "rejected": 1,
    }


def test_setpoints_are_counted_by_kind_and_acknowledgements_by_result() -> None:
    registry = StageRegistry("actuate", 0)
    metrics = ActuateMetrics(registry)
    common = {"decision_id": "d", "site": "s", "gateway": "g", "device": "b", "event_id": "e"}
    numbers = dict.fromkeys(("seq", "epoch", "issued_ms", "valid_until_ms", "acked_ms"), 16)
    for renewal in (False, True, True):
        fields = {**common, **numbers, "renewal": renewal}
        metrics.commanded(msgspec.convert(fields, Setpoint))
    metrics.acknowledged(msgspec.convert({**common, **numbers, "result": "partial"}, Ack))
    assert counted(registry, "commands_total", "kind") == {"command": 1, "renewal": 2}
    results = {"applied": 0, "partial": 1, "refused": 0}
    assert counted(registry, "acks_total", "result") == results
