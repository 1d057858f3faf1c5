"""A run of a few minutes for the dashboards: everything that they ask for occurs in it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.site_window import Completeness, MeterWindows, SeriesName, SiteWindow
from schemas.verdict import Accepted, Refusal, Rejected
from streams.historians.mapping import StoredMessage, to_point
from streams.historians.points import Point
from tests.support.page_history import History, make_history

METERS: Final = ("house-1", "house-2", "pv.roof")
COUNTED_KWH: Final = 0.02
"""What the energy counters add up to in every window."""

BLIND: Final = 3
"""How many windows before the last one are blind, and their plans rejected."""

STALE: Final = "house-2"
"""A meter whose first window was measured, and turned out to be missing later."""


@dataclass(frozen=True)
class GrafanaRun:
    """The messages of a run, in the order of the log.

    Attributes:
        history: what was decided.
        windows: of the site; the last ones are blind.
        chunks: of its series.
    """

    history: History
    windows: list[SiteWindow]
    chunks: list[MeterWindows]
    events: list[StoredMessage]

    @property
    def site(self) -> str:
        return self.windows[0].site

    @property
    def start_ms(self) -> int:
        return self.windows[0].window_start_ms

    @property
    def newest_ms(self) -> int:
        return self.windows[-1].window_start_ms

    @property
    def points(self) -> list[Point]:
        """Everything, as a historian is given it."""
        return [to_point(each) for each in (*self.windows, *self.chunks, *self.events)]


def make_run(folder: Path) -> GrafanaRun:
    """The run; ``folder`` keeps the memory of its simulated boards."""
    history = make_history(folder)
    made = history.of(SiteWindow)
    first_blind = len(made) - BLIND
    windows = [_window(each, blind=index >= first_blind) for index, each in enumerate(made)]
    blind = {window.window_start_ms for window in windows[first_blind:]}
    chunks = [_chunk(each, index) for index, each in enumerate(windows)]
    chunks.append(_turned_out_missing(chunks[0]))
    return GrafanaRun(history, windows, chunks, [_event(each, blind) for each in history.events])


def _window(window: SiteWindow, *, blind: bool) -> SiteWindow:
    """The window with an energy counter, and at the end too little known."""
    completeness = Completeness.BLIND if blind else Completeness.COMPLETE
    return replace(window, energy_import_kwh=COUNTED_KWH, completeness=completeness)


def _chunk(window: SiteWindow, index: int) -> MeterWindows:
    """Meters, the state of every relay that is known, and the weather."""
    meters = [
        (SeriesName(device=name, quantity="active_power"), float(n))
        for n, name in enumerate(METERS)
    ]
    relays = [
        (SeriesName(device=relay.device, quantity=f"relay_{relay.output}"), float(relay.on))
        for relay in window.relays
        if relay.on is not None
    ]
    weather = (SeriesName(device="roof", quantity="air_temperature"), None if index % 5 else 11.0)
    series: list[tuple[SeriesName, float | None]] = [*meters, *relays, weather]
    return MeterWindows(
        site=window.site,
        window_start_ms=window.window_start_ms,
        revision=0,
        chunk=0,
        series=tuple(name for name, _ in series),
        values=tuple(value for _, value in series),
        status="".join("x" if value is None else "m" for _, value in series),
    )


def _turned_out_missing(chunk: MeterWindows) -> MeterWindows:
    """A later revision, in which one series of the chunk is missing."""
    return replace(
        chunk,
        revision=1,
        series=(SeriesName(device=STALE, quantity="active_power"),),
        values=(None,),
        status="x",
    )


def _event(event: StoredMessage, blind: set[int]) -> StoredMessage:
    """The event; of a blind window, the plan foresees nothing and is rejected."""
    if isinstance(event, DispatchPlan) and event.window_start_ms in blind:
        status = PlanStatus.BLIND
        return replace(event, status=status, uncontrolled_kw=None, expected_kw=None)
    if isinstance(event, Accepted) and event.window_start_ms in blind:
        return Rejected(
            decision_id=event.decision_id,
            site=event.site,
            window_start_ms=event.window_start_ms,
            seq=event.seq,
            epoch=event.epoch,
            decided_ms=event.decided_ms,
            refusals=(Refusal.BLIND,),
            sentences=("too little is known",),
        )
    return event
