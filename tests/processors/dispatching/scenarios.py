"""Sites, windows and a small plant for the tests of dispatch."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from processors.dispatching.dispatcher import Dispatcher
from schemas.dispatch_plan import DispatchPlan, OutputDecision
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import Completeness, RelayWindow, SiteWindow
from schemas.stage_state import DispatchState
from schemas.windows import WINDOW_MS

START_MS = 1_700_000_000_000
"""Start of window 0 [ms]."""

ALL_ON = (True, True, True, True)
LOADS_KW = (30.0, 20.0, 10.0, 10.0)
States = Sequence[bool | None]


def depot(**control: float) -> SiteModel:
    """The reference site: threshold 85 of 100 kW; 30 kW never shed, 20 mid, 10 and 10 low."""
    relays = [
        {"output": output, "load_kw": load_kw, "priority": priority, "sheddable": output != 1}
        for output, load_kw, priority in zip((1, 2, 3, 4), LOADS_KW, (1, 2, 3, 3), strict=True)
    ]
    board = {"id": "b1", "gateway": "g1", "simulated": True, "relays": relays}
    data = {"name": "depot", "mode": "control", "capacity_kw": 100.0, "relay_boards": [board]}
    return parse_site_model({**data, "control": control}, "test")


def window_of(
    model: SiteModel,
    net_kw: float,
    states: States,
    *,
    index: int = 0,
    completeness: Completeness = Completeness.COMPLETE,
    measured_kw: Sequence[float | None] = (),
) -> SiteWindow:
    """Window ``index`` of a site with this net load; states in the site model's order."""
    outputs = [(board.id, relay.output) for board in model.relay_boards for relay in board.relays]
    measured = (*measured_kw, *[None] * (len(outputs) - len(measured_kw)))
    relays = tuple(
        RelayWindow(device=device, output=output, on=on, load_kw=load_kw)
        for (device, output), on, load_kw in zip(outputs, states, measured, strict=True)
    )
    return SiteWindow(
        site=model.name,
        window_start_ms=START_MS + index * WINDOW_MS,
        revision=0,
        model_hash=model.model_hash,
        completeness=completeness,
        load_kw=net_kw,
        generation_kw=0.0,
        energy_import_kwh=None,
        measured=1,
        valid=0,
        missing=0,
        missing_rated_kw=0.0,
        missing_series=(),
        relays=relays,
        weather={},
    )


def decide(
    dispatcher: Dispatcher, window: SiteWindow, state: DispatchState | None = None
) -> tuple[DispatchPlan, DispatchState]:
    """The plan for a window that must have one, and the state after it."""
    plan, after = dispatcher.decide(state, window)
    assert plan is not None
    return plan, after


def planned(plan: DispatchPlan) -> list[bool | None]:
    """Planned states in the site model's order."""
    return [output.on for output in plan.outputs]


def output(plan: DispatchPlan, number: int) -> OutputDecision:
    """The decision about one output of the first board."""
    return plan.outputs[number - 1]


class Plant:
    """A site under its dispatcher: what is commanded shows ``delay`` windows later.

    Args:
        model: the site; none of its outputs is unknown.
        delay: windows from a plan until the boards have followed it, at least 1.
        deaf: outputs (from 1) that ignore every command.
    """

    def __init__(self, model: SiteModel, *, delay: int = 1, deaf: Iterable[int] = ()) -> None:
        self.model = model
        self.dispatcher = Dispatcher(model)
        self.relays = [relay for board in model.relay_boards for relay in board.relays]
        self.on = [True] * len(self.relays)
        self.plans: list[DispatchPlan] = []
        self.net_kw: list[float] = []
        self.estimates_kw: list[float] = []
        self.history: list[tuple[bool, ...]] = []
        self._state: DispatchState | None = None
        self._delay = delay
        self._deaf = frozenset(deaf)

    def step(self, base_kw: float, *, mixed: bool = False) -> DispatchPlan:
        """One window with this base load; ``mixed``: the mean still holds the last states."""
        before = list(self.on)
        if len(self.plans) >= self._delay:
            self._follow(self.plans[-self._delay])
        seen = before if mixed else self.on
        net_kw = base_kw + sum(
            relay.load_kw for relay, on in zip(self.relays, seen, strict=True) if on
        )
        window = window_of(self.model, net_kw, self.on, index=len(self.plans))
        plan, self._state = decide(self.dispatcher, window, self._state)
        self.plans.append(plan)
        self.net_kw.append(net_kw)
        self.estimates_kw.append(self._state.base_kw[-1])
        self.history.append(tuple(self.on))
        return plan

    def run(self, bases_kw: Iterable[float], *, mixed: bool = False) -> None:
        """One window for each base load."""
        for base_kw in bases_kw:
            self.step(base_kw, mixed=mixed)

    def switches(self, number: int) -> list[int]:
        """Windows at which an output (from 1) was seen in another state than before."""
        states = [states[number - 1] for states in self.history]
        return [at for at in range(1, len(states)) if states[at] != states[at - 1]]

    @property
    def base_kw(self) -> tuple[float, ...]:
        """Base load that dispatch remembers [kW]."""
        return self._state.base_kw if self._state else ()

    def restart(self) -> None:
        """A new dispatcher, compiled anew; it has nothing but the state."""
        self.dispatcher = Dispatcher(self.model)

    def _follow(self, plan: DispatchPlan) -> None:
        """Switch what the plan's targets say."""
        for target in plan.targets:
            for state in target.outputs:
                if state.output not in self._deaf:
                    self.on[state.output - 1] = state.on


def later(window: SiteWindow, windows: int) -> SiteWindow:
    """The same window ``windows`` later."""
    return replace(window, window_start_ms=window.window_start_ms + windows * WINDOW_MS)
