"""Windows for dispatch: the demo's load, and boards that follow their plans one window later."""

from collections.abc import Iterator
from dataclasses import dataclass

from hardware.base_load import Playback
from hardware.demo_site import demo_site
from hardware.simbench_slice import load_slice
from processors.dispatching.dispatcher import Dispatcher
from schemas.dispatch_plan import DispatchPlan
from schemas.site_model import SiteModel
from schemas.site_window import Completeness, RelayWindow, SiteWindow
from schemas.stage_state import DispatchState
from schemas.windows import WINDOW_MS

START_MS = 1_700_000_000_000
"""Start of the first window [ms]."""

BOARD_RELAYS = 4
"""Relays of the demo's board."""

_Output = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Question:
    """What dispatch is asked: it answers the same however often it is asked."""

    state: DispatchState | None
    window: SiteWindow


def site_with(boards: int) -> SiteModel:
    """The demo's site with so many of its boards, and as many times its capacity."""
    demo = demo_site(load_slice()).model
    one = demo.relay_boards[0]
    # Their loads have no meters of their own: the ratings count, as with most relay boards.
    relays = tuple(relay.model_copy(update={"meter": None}) for relay in one.relays)
    update = {"relays": relays}
    copies = [one.model_copy(update={**update, "id": f"board-{n + 1}"}) for n in range(boards)]
    changes = {"relay_boards": tuple(copies), "capacity_kw": demo.capacity_kw * boards}
    return SiteModel.model_validate(demo.model_copy(update=changes).model_dump())


def questions(dispatcher: Dispatcher, model: SiteModel, windows: int) -> Iterator[Question]:
    """Consecutive windows of the site in a closed loop with ``dispatcher``.

    The base load is the demo's, as many times as there are boards.
    """
    loads = Playback(demo_site(load_slice()).base, START_MS)
    on = {(b.id, r.output): True for b in model.relay_boards for r in b.relays}
    state: DispatchState | None = None
    for number in range(windows):
        start_ms = START_MS + number * WINDOW_MS
        base_kw = float(loads.mean_kw(start_ms, start_ms + WINDOW_MS).sum())
        window = _window(model, start_ms, base_kw * len(model.relay_boards), on)
        yield Question(state, window)
        plan, state = dispatcher.decide(state, window)
        if plan is not None:
            _follow(plan, on)


def _window(model: SiteModel, start_ms: int, base_kw: float, on: dict[_Output, bool]) -> SiteWindow:
    """A complete window with this base load and these states."""
    relays = [(b.id, r) for b in model.relay_boards for r in b.relays]
    drawn_kw = sum(relay.load_kw for board, relay in relays if on[board, relay.output])
    return SiteWindow(
        site=model.name,
        window_start_ms=start_ms,
        revision=0,
        model_hash=model.model_hash,
        completeness=Completeness.COMPLETE,
        load_kw=base_kw + drawn_kw,
        generation_kw=0.0,
        energy_import_kwh=None,
        measured=len(model.meters),
        valid=0,
        missing=0,
        missing_rated_kw=0.0,
        missing_series=(),
        relays=tuple(
            RelayWindow(device=board, output=relay.output, on=on[board, relay.output])
            for board, relay in relays
        ),
        weather={},
    )


def _follow(plan: DispatchPlan, on: dict[_Output, bool]) -> None:
    """Switch what the plan's targets say."""
    for target in plan.targets:
        for state in target.outputs:
            on[target.device, state.output] = state.on
