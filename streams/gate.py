"""Gate's host: plans in, verdicts out. From here on the clock counts."""

import logging
from collections.abc import Sequence

from processors.gating.judging import judge
from schemas.dispatch_plan import DispatchPlan
from schemas.messages import Decoder, encode
from schemas.settings import Settings
from schemas.stage_state import GateState
from schemas.topics import GATE_STATE, PLANS, SITES, STOP, VERDICTS
from streams.clocks import read_running_clock
from streams.kafka import require_topics
from streams.logs.decisions import tell_verdict
from streams.metrics import Hop, StageMetrics
from streams.metrics.deciding import GateMetrics
from streams.site_registry import SiteRegistry
from streams.stop_switch import StopSwitch
from streams.transactions import Output

log = logging.getLogger(__name__)

_PLAN: Decoder[DispatchPlan] = Decoder(DispatchPlan)
_STATE: Decoder[GateState] = Decoder(GateState)


class GateDecider:
    """Gives every plan its verdict."""

    name = "gate"
    hop = Hop.VERDICT
    inputs = (PLANS,)
    state_topic = GATE_STATE

    def __init__(self, settings: Settings, metrics: StageMetrics) -> None:
        self._metrics = GateMetrics(metrics.registry)
        require_topics(settings.kafka, [SITES.name, STOP.name, VERDICTS.name])
        self._clock = read_running_clock(settings.kafka, self.name)
        self._sites = SiteRegistry(settings.kafka, self.name)
        self._stop = StopSwitch(settings, self.name)

    def load_state(self, value: bytes) -> GateState:
        """A site's memory as it was written."""
        return _STATE.decode(value)

    def decide(
        self, topic: str, value: bytes | None, state: GateState | None
    ) -> tuple[Sequence[Output], GateState | None]:
        """The verdict on a plan."""
        del topic
        plan = _PLAN.decode(value)
        verdict, new_state = judge(
            self._sites.find(plan.site),
            state,
            plan,
            self._clock.now_ms(),
            stopped=self._stop.is_on(),
        )
        self._metrics.judged(verdict)
        tell_verdict(log, verdict)
        return (Output(VERDICTS.name, plan.site, encode(verdict)),), new_state

    def close(self) -> None:
        """Leave the broker."""
        self._sites.close()
        self._stop.close()
