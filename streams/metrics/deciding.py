"""What dispatch, gate and actuate count besides: their decisions."""

from typing import Final

from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.setpoint import Ack, AckResult, Setpoint
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from streams.metrics.registry import StageRegistry

SOLVE_BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Upper bounds of the buckets of solving [s]; a window is 5 s."""

_KINDS: Final = {False: "command", True: "renewal"}
_OUTCOMES: Final = {
    kind: str(kind.__struct_config__.tag) for kind in (Accepted, Renewed, Observed, Rejected)
}


class DispatchMetrics:
    """Plans, and how long they took."""

    def __init__(self, registry: StageRegistry) -> None:
        self._solving = registry.histogram(
            "gridloom_dispatch_solve_seconds",
            "Time from an aligned window to its plan; blind windows, where nothing is solved, do"
            " not count.",
            SOLVE_BUCKETS_S,
        )
        self._plans = registry.counter(
            "gridloom_plans_total", "Plans by status.", "plans", {"status": tuple(PlanStatus)}
        )

    def planned(self, plan: DispatchPlan, seconds: float) -> None:
        """Count a plan that took so long [s]."""
        self._plans.labels(plan.status).inc()
        if plan.status is not PlanStatus.BLIND:
            self._solving.observe(seconds)


class GateMetrics:
    """Verdicts."""

    def __init__(self, registry: StageRegistry) -> None:
        self._verdicts = registry.counter(
            "gridloom_verdicts_total",
            "Verdicts of the gate by outcome.",
            "verdicts",
            {"outcome": tuple(_OUTCOMES.values())},
        )

    def judged(self, verdict: Verdict) -> None:
        """Count a verdict."""
        self._verdicts.labels(_OUTCOMES[type(verdict)]).inc()


class ActuateMetrics:
    """Commands, and what devices answer."""

    def __init__(self, registry: StageRegistry) -> None:
        self._commands = registry.counter(
            "gridloom_commands_total",
            "Setpoints issued: a command switches something, a renewal prolongs a lease.",
            "setpoints",
            {"kind": tuple(_KINDS.values())},
        )
        self._acks = registry.counter(
            "gridloom_acks_total",
            "Acknowledgements of devices by result, as actuate reads them.",
            "acknowledgements",
            {"result": tuple(AckResult)},
        )

    def commanded(self, setpoint: Setpoint) -> None:
        """Count a setpoint."""
        self._commands.labels(_KINDS[setpoint.renewal]).inc()

    def acknowledged(self, ack: Ack) -> None:
        """Count an acknowledgement."""
        self._acks.labels(ack.result).inc()
