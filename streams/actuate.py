"""Actuate's host: verdicts and acknowledgements in, setpoints out."""

import logging
from collections.abc import Iterator, Sequence

from processors.leasing.confirming import record_ack
from processors.leasing.issuing import lease_targets
from schemas.messages import Decoder, encode
from schemas.setpoint import Ack
from schemas.settings import Settings
from schemas.stage_state import ActuateState
from schemas.topics import ACKS, ACTUATE_STATE, SITES, STOP, VERDICTS, setpoint_topic
from schemas.verdict import Verdict
from streams.clocks import read_running_clock, wall_ms
from streams.kafka import require_topics
from streams.logs.decisions import tell_ack, tell_setpoint
from streams.metrics import Hop, StageMetrics
from streams.metrics.deciding import ActuateMetrics
from streams.site_registry import SiteRegistry
from streams.stop_switch import StopSwitch
from streams.transactions import Output

log = logging.getLogger(__name__)

_VERDICT: Decoder[Verdict] = Decoder(Verdict)
_ACK: Decoder[Ack] = Decoder(Ack)
_STATE: Decoder[ActuateState] = Decoder(ActuateState)


class ActuateDecider:
    """Keeps the leases of every commanded device."""

    name = "actuate"
    hop = Hop.COMMAND
    inputs = (VERDICTS, ACKS)
    state_topic = ACTUATE_STATE

    def __init__(self, settings: Settings, metrics: StageMetrics) -> None:
        self._metrics = metrics
        self._own_metrics = ActuateMetrics(metrics.registry)
        require_topics(settings.kafka, [SITES.name, STOP.name])
        self._clock = read_running_clock(settings.kafka, self.name)
        self._sites = SiteRegistry(settings.kafka, self.name)
        self._stop = StopSwitch(settings, self.name)

    def load_state(self, value: bytes) -> ActuateState:
        """A site's leases as they were written."""
        return _STATE.decode(value)

    def decide(
        self, topic: str, value: bytes | None, state: ActuateState | None
    ) -> tuple[Sequence[Output], ActuateState | None]:
        """Setpoints for a verdict; an acknowledgement is only remembered."""
        if topic == ACKS.name:
            return (), self._confirmed(_ACK.decode(value), state)
        verdict = _VERDICT.decode(value)
        model = self._sites.find(verdict.site)
        if model is None:
            return (), None
        setpoints, new_state = lease_targets(
            model, state, verdict, self._clock.now_ms(), stopped=self._stop.is_on()
        )
        for setpoint in setpoints:
            self._own_metrics.commanded(setpoint)
            tell_setpoint(log, setpoint)
        outputs = [
            Output(setpoint_topic(setpoint.gateway), setpoint.device, encode(setpoint))
            for setpoint in setpoints
        ]
        return outputs, new_state

    def _confirmed(self, ack: Ack, state: ActuateState | None) -> ActuateState | None:
        """The state after an acknowledgement; None where nothing was commanded yet."""
        self._own_metrics.acknowledged(ack)
        tell_ack(log, ack)
        if state is None:
            return None
        new_state = record_ack(state, ack)
        clock, now_ms = self._clock.clock, wall_ms()
        for issued_ms in _issue_of_confirmed(state, new_state):
            seconds = (now_ms - clock.append_time_of(issued_ms)) / 1000
            self._metrics.passed(Hop.CONFIRMATION, seconds)
        return new_state

    def close(self) -> None:
        """Leave the broker."""
        self._sites.close()
        self._stop.close()


def _issue_of_confirmed(before: ActuateState, after: ActuateState) -> Iterator[int]:
    """When the commands were issued that have just been confirmed [ms of pipeline time]."""
    confirmed = {lease.device: lease.acked_seq for lease in before.leases}
    for lease in after.leases:
        if confirmed.get(lease.device) != lease.acked_seq == lease.seq:
            yield lease.issued_ms
