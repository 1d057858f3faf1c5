"""A day's events of one site, entered once each, and what they add up to.

Entering is cheap and may be repeated: a page enters the newest events every few seconds and
never those of the whole day.
"""

from collections.abc import Collection, Iterable
from math import fsum
from typing import Final, NamedTuple, assert_never

from processors.accounting.days import Day
from processors.accounting.figures import DayFigures, Savings
from schemas.dispatch_plan import DispatchPlan
from schemas.identity import SEQ_PER_WINDOW
from schemas.setpoint import Setpoint
from schemas.verdict import Accepted, Observed, Rejected, Renewed, Verdict
from schemas.windows import WINDOW_MS

HOURS_PER_WINDOW: Final = WINDOW_MS / 3_600_000
"""Length of a window [h]."""

Entry = DispatchPlan | Verdict | Setpoint
"""What can be entered."""


class _Foresight(NamedTuple):
    """What a plan says of its worth: energy avoided [kWh] and its price [currency/kWh]."""

    window_start_ms: int
    avoided_kwh: float | None
    price_per_kwh: float | None
    currency: str | None


class DayLedger:
    """The events of one site on one day; neither their order nor repeats change a figure.

    An event belongs to the day of the window that it is about. Events of other sites or days
    are passed over.

    Args:
        site: the site's name.
        day: the day.
    """

    def __init__(self, site: str, day: Day) -> None:
        self.site = site
        self.day = day
        self._plans: dict[str, _Foresight] = {}
        self._let_through: set[str] = set()
        self._held_back: set[str] = set()
        self._commands: set[tuple[str, str, int, int]] = set()

    def enter(self, event: Entry) -> None:
        """Take one event into account."""
        if event.site != self.site or _window_ms(event) not in self.day:
            return
        match event:
            case DispatchPlan():
                self._plans[event.decision_id] = _foresight(event)
            case Accepted() | Renewed():
                self._let_through.add(event.decision_id)
            case Observed() | Rejected():
                self._held_back.add(event.decision_id)
            case Setpoint():
                self._enter_setpoint(event)
            case _:
                assert_never(event)

    def _enter_setpoint(self, setpoint: Setpoint) -> None:
        """A command counts once for its device, epoch and number; a renewal is none."""
        if not setpoint.renewal:
            place = (setpoint.gateway, setpoint.device, setpoint.epoch, setpoint.seq)
            self._commands.add(place)

    @property
    def figures(self) -> DayFigures:
        """What the day adds up to so far."""
        return DayFigures(day=self.day, commands=len(self._commands), savings=self._savings())

    def _savings(self) -> Savings | None:
        """The sum over the plans that the gate let through, as far as they foresaw anything."""
        if not self._plans:
            return None
        counted = self._plans.keys() & (self._let_through - self._held_back)
        plans = [self._plans[identity] for identity in counted]
        foreseen = [plan for plan in plans if plan.avoided_kwh is not None]
        # A day on which nothing was let through saved nothing, in the newest plan's money.
        currency = _common_currency(foreseen or [_newest(self._plans.values())])
        return Savings(
            amount=None if currency is None else _cost(foreseen),
            currency=currency,
            avoided_kwh=fsum(plan.avoided_kwh or 0.0 for plan in foreseen),
            decisions=len(foreseen),
            without_forecast=len(plans) - len(foreseen),
        )


def _window_ms(event: Entry) -> int:
    """Start of the window that an event is about [ms since the epoch]."""
    if isinstance(event, Setpoint):
        return event.seq // SEQ_PER_WINDOW * WINDOW_MS
    return event.window_start_ms


def _foresight(plan: DispatchPlan) -> _Foresight:
    """``max(0, uncontrolled_kw - expected_kw) x 5/3600 h``, and its price."""
    avoided_kwh = None
    if plan.uncontrolled_kw is not None and plan.expected_kw is not None:
        avoided_kw = max(0.0, plan.uncontrolled_kw - plan.expected_kw)
        avoided_kwh = avoided_kw * HOURS_PER_WINDOW
    return _Foresight(plan.window_start_ms, avoided_kwh, plan.price_per_kwh, plan.currency)


def _newest(plans: Iterable[_Foresight]) -> _Foresight:
    """The plan about the last window."""
    return max(plans, key=lambda plan: plan.window_start_ms)


def _common_currency(plans: Collection[_Foresight]) -> str | None:
    """The one currency in which all plans are priced; None where one has no price."""
    if any(plan.price_per_kwh is None for plan in plans):
        return None
    currencies = {plan.currency for plan in plans}
    return currencies.pop() if len(currencies) == 1 else None


def _cost(plans: Collection[_Foresight]) -> float:
    """What the avoided energy would have cost [currency].

    ``fsum`` rounds once, at the end, so the order of the plans does not show.
    """
    return fsum((plan.avoided_kwh or 0.0) * (plan.price_per_kwh or 0.0) for plan in plans)
