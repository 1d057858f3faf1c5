"""The records of a site's decisions, made by the very code that makes them in the pipeline."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from processors.dispatching.dispatcher import Dispatcher
from processors.gating.judging import judge
from processors.leasing.confirming import record_ack
from processors.leasing.issuing import lease_targets
from schemas.clock import PipelineClock
from schemas.dispatch_plan import DispatchPlan
from schemas.identity import decision_id, partition_of
from schemas.messages import encode
from schemas.setpoint import Ack, Setpoint
from schemas.settings import Settings
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import Completeness, RelayWindow, SiteWindow
from schemas.stage_state import ActuateState, DispatchState, GateState
from schemas.topics import ACKS, PLANS, SITE_WINDOWS, VERDICTS, setpoint_topic
from schemas.verdict import Verdict
from schemas.windows import WINDOW_MS
from streams.field import Boards
from streams.kafka import producer
from streams.site_registry import declare_site

START_MS: Final = 1_700_000_000_000
"""Start of window 0 [ms of pipeline time]."""

CLOSES_MS: Final = 2_000
PLAN_MS, VERDICT_MS, SETPOINT_MS, ACK_MS = 14, 9, 8, 31
"""Delays of each step after the one before [ms of wall time]."""

SHED_WINDOW: Final = 20
WINDOWS: Final = 40

Message = SiteWindow | DispatchPlan | Verdict | Setpoint | Ack


def site(name: str = "depot", **changes: object) -> SiteModel:
    """A depot with a board of four loads; threshold 85 of 100 kW."""
    loads = zip((1, 2, 3, 4), (30, 20, 10, 10), (1, 2, 3, 3), strict=True)
    relays = [
        {"output": output, "load_kw": load_kw, "priority": priority, "sheddable": output > 1}
        for output, load_kw, priority in loads
    ]
    board = {"id": "board-1", "gateway": f"gw-{name}", "simulated": True, "relays": relays}
    data = {"name": name, "mode": "control", "capacity_kw": 100.0, "relay_boards": [board]}
    return parse_site_model(data | changes, "test")


def start_of(index: int) -> int:
    """Start of a window [ms of pipeline time]."""
    return START_MS + index * WINDOW_MS


def neighbour_of(name: str, partitions: int) -> str:
    """A site whose records share the partition of site ``name``."""
    wanted = partition_of(name, partitions)
    names = (f"site-{number}" for number in range(1_000))
    return next(each for each in names if partition_of(each, partitions) == wanted)


@dataclass(frozen=True)
class Sent:
    """A record: ``log_ms`` is its stamp [ms of wall time]."""

    log_ms: int
    topic: str
    key: str
    message: Message


@dataclass
class Chain:
    """A site from window to confirmed state, window by window.

    Args:
        model: the site.
        clock: the pipeline's.
        folder: where the simulated boards keep their memory.
    """

    model: SiteModel
    clock: PipelineClock
    folder: Path
    records: list[Sent] = field(default_factory=list)
    _dispatch: DispatchState | None = None
    _gate: GateState | None = None
    _actuate: ActuateState | None = None

    def __post_init__(self) -> None:
        self._dispatcher = Dispatcher(self.model)
        self._boards = Boards(self.model, self.folder, START_MS)

    def run(self, loads_kw: Iterable[float], first: int = 0) -> "Chain":
        """One window for each net load [kW]."""
        for index, load_kw in enumerate(loads_kw, first):
            self.step(self.window(index, load_kw))
        return self

    def window(self, index: int, load_kw: float) -> SiteWindow:
        """Revision 0 of a window, with the boards as they are now."""
        relays = [
            RelayWindow(device=board.device, output=state.output, on=state.on)
            for board in self._boards.boards
            for state in board.readback()
        ]
        return SiteWindow(
            site=self.model.name,
            window_start_ms=start_of(index),
            revision=0,
            model_hash=self.model.model_hash,
            completeness=Completeness.COMPLETE,
            load_kw=load_kw,
            generation_kw=0.0,
            energy_import_kwh=None,
            measured=5,
            valid=0,
            missing=0,
            missing_rated_kw=0.0,
            missing_series=(),
            relays=tuple(relays),
            weather={},
        )

    def step(self, window: SiteWindow, *, stopped: bool = False) -> None:
        """What every stage makes of one window."""
        log_ms = self.clock.append_time_of(window.window_start_ms + WINDOW_MS + CLOSES_MS)
        self._send(log_ms, SITE_WINDOWS.name, window)
        plan, self._dispatch = self._dispatcher.decide(self._dispatch, window)
        if plan is None:
            return
        log_ms += PLAN_MS
        self._send(log_ms, PLANS.name, plan)
        log_ms += VERDICT_MS
        now_ms = self.clock.at(log_ms)
        verdict, self._gate = judge(self.model, self._gate, plan, now_ms, stopped=stopped)
        self._send(log_ms, VERDICTS.name, verdict)
        log_ms += SETPOINT_MS
        now_ms = self.clock.at(log_ms)
        told, self._actuate = lease_targets(
            self.model, self._actuate, verdict, now_ms, stopped=stopped
        )
        for setpoint in told:
            self._send(log_ms, setpoint_topic(setpoint.gateway), setpoint, setpoint.device)
            self._carry_out(setpoint, log_ms + ACK_MS)

    def revise(self, window: SiteWindow, after_ms: int) -> None:
        """A late reading changes a window ``after_ms`` of pipeline time after its end."""
        log_ms = self.clock.append_time_of(window.window_start_ms + WINDOW_MS + after_ms)
        self._send(log_ms, SITE_WINDOWS.name, window)

    def decision(self, index: int) -> str:
        """Id of the decision about a window."""
        return decision_id(self.model.name, start_of(index), self.model.model_hash)

    def _carry_out(self, setpoint: Setpoint, log_ms: int) -> None:
        for board in self._boards.boards:
            board.poll(self.clock.at(log_ms))
        ack = self._boards.gateways[setpoint.gateway].carry_out(setpoint, self.clock.at(log_ms))
        self._send(log_ms, ACKS.name, ack)
        assert self._actuate is not None
        self._actuate = record_ack(self._actuate, ack)

    def _send(self, log_ms: int, topic: str, message: Message, key: str = "") -> None:
        self.records.append(Sent(log_ms, topic, key or self.model.name, message))


def calm_with_a_peak(chain: Chain) -> Chain:
    """40 windows of 80 kW; the 20th has 95 kW, and a late reading revises it."""
    loads_kw = [80.0] * WINDOWS
    loads_kw[SHED_WINDOW] = 95.0
    chain.run(loads_kw[:SHED_WINDOW])
    peak = chain.window(SHED_WINDOW, loads_kw[SHED_WINDOW])
    chain.step(peak)
    chain.revise(replace(peak, revision=1, load_kw=94.5), 10_000)
    return chain.run(loads_kw[SHED_WINDOW + 1 :], SHED_WINDOW + 1)


def publish(settings: Settings, chain: Chain, records: Sequence[Sent] | None = None) -> None:
    """Declare a chain's site and write its records, or these, with their stamps."""
    declare_site(settings.kafka, chain.model)
    refused: list[object] = []
    client = producer(settings.kafka, "test")
    for record in chain.records if records is None else records:
        client.produce(
            record.topic,
            key=record.key,
            value=encode(record.message),
            timestamp=record.log_ms,
            on_delivery=lambda error, _: refused.append(error) if error else None,
        )
        client.poll(0)
    assert client.flush(30) == 0
    assert refused == []
