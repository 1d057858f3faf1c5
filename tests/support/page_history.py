"""The history of a site as a historian keeps it, and its key figures, reckoned apart.

Every message is made by the code that makes it in the pipeline; what is switched is felt by the
next window's load.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from schemas.clock import PipelineClock
from schemas.dispatch_plan import DispatchPlan
from schemas.setpoint import Ack, Setpoint
from schemas.site_window import RelayWindow, SiteWindow
from schemas.verdict import Accepted, Renewed
from streams.historians.mapping import EventMessage, to_point
from streams.historians.sqlite import SqliteHistorian
from tests.streams.cli.chain import START_MS, Chain, site

BERLIN: Final = ZoneInfo("Europe/Berlin")
TARIFF: Final = {"currency": "EUR", "import_price_per_kwh": 0.30}
RELAY_KW: Final = {1: 30.0, 2: 20.0, 3: 10.0, 4: 10.0}

CALM, PEAK, FADING = [8.0] * 12, [16.0, 22.0, *[26.0] * 14], [14.0] * 16
"""What the site draws beside its relays [kW], by window."""

UNKNOWN: Final = 1
"""The output whose state the newest window does not know."""

MessageT = TypeVar("MessageT")


@dataclass(frozen=True)
class History:
    """A calm, a peak that sheds loads, and its fading, in which some of them come back."""

    chain: Chain

    def of(self, kind: type[MessageT]) -> list[MessageT]:
        """All messages of a kind, in their order."""
        return [each.message for each in self.chain.records if isinstance(each.message, kind)]

    @property
    def events(self) -> list[EventMessage]:
        """Every step of every decision."""
        messages = [each.message for each in self.chain.records]
        return [message for message in messages if not isinstance(message, SiteWindow)]

    @property
    def newest(self) -> SiteWindow:
        """The last window."""
        return self.of(SiteWindow)[-1]

    def write(self, path: Path) -> None:
        """Keep all of it in an SQLite historian."""
        historian = SqliteHistorian(path)
        historian.write([to_point(record.message) for record in self.chain.records])
        historian.close()

    def commands_today(self, zone: ZoneInfo) -> int:
        """Setpoints of the newest window's day that are no renewals, by their window."""
        today = _date(self.newest.window_start_ms, zone)
        windows = {plan.seq: plan.window_start_ms for plan in self.of(DispatchPlan)}
        told = [each for each in self.of(Setpoint) if not each.renewal]
        return sum(_date(windows[each.seq], zone) == today for each in told)

    def savings_today(self, zone: ZoneInfo) -> float:
        """Avoided power of the day's plans that were let through, for 5 s each, at the price."""
        today = _date(self.newest.window_start_ms, zone)
        through = {each.decision_id for each in (*self.of(Accepted), *self.of(Renewed))}
        total = 0.0
        for plan in self.of(DispatchPlan):
            if plan.decision_id in through and _date(plan.window_start_ms, zone) == today:
                assert plan.uncontrolled_kw is not None
                assert plan.expected_kw is not None
                total += max(0.0, plan.uncontrolled_kw - plan.expected_kw) / 720 * 0.30
        return total

    def switched(self) -> list[tuple[int, bool]]:
        """Outputs that boards switched, and to what, in the order of time."""
        return [
            (state.output, state.on)
            for ack in self.of(Ack)
            for state in ack.outputs
            if state.output in ack.changed
        ]


def make_history(folder: Path, base_kw: list[float] | None = None, name: str = "depot") -> History:
    """A history of a few minutes; ``folder`` keeps the memory of its simulated boards."""
    clock = PipelineClock(event_origin_ms=START_MS, append_origin_ms=START_MS, speed=1.0)
    history = History(Chain(site(name, tariff=TARIFF), clock, folder))
    bases = [*CALM, *PEAK, *FADING] if base_kw is None else base_kw
    for index, each_kw in enumerate(bases):
        extend(history, index, each_kw, unknown=index == len(bases) - 1)
    return history


def extend(history: History, index: int, base_kw: float, *, unknown: bool = False) -> None:
    """One more window, and what came of it."""
    window = history.chain.window(index, 0.0)
    relays = [_metered(relay) for relay in window.relays]
    load_kw = base_kw + sum(relay.load_kw or 0.0 for relay in relays)
    if unknown:
        relays = [replace(r, on=None, load_kw=None) if r.output == UNKNOWN else r for r in relays]
    history.chain.step(replace(window, load_kw=load_kw, relays=tuple(relays)))


def _metered(relay: RelayWindow) -> RelayWindow:
    return replace(relay, load_kw=RELAY_KW[relay.output] if relay.on else 0.0)


def _date(time_ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(time_ms / 1000, zone).date().isoformat()
