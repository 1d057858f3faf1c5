"""Key figures from plans, verdicts and setpoints."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from processors.accounting.days import Day, day_of
from processors.accounting.figures import DayFigures, Savings, predicted_peak
from processors.accounting.ledger import DayLedger, Entry
from schemas.dispatch_plan import DispatchPlan, PlanStatus
from schemas.identity import decision_id, setpoint_seq
from schemas.setpoint import Setpoint
from schemas.site_window import Completeness
from schemas.verdict import Accepted, Observed, Refusal, Rejected, Renewed, Verdict
from schemas.windows import WINDOW_MS

SITE = "depot"
MODEL_HASH = "0123456789abcdef"
DAY = day_of(1_767_225_600_000, ZoneInfo("Europe/Berlin"))
NOON_MS = DAY.start_ms + 12 * 3_600_000
OUTCOMES = ("accepted", "renewed", "observed", "rejected", "none")


def plan(
    index: int,
    uncontrolled_kw: float | None = 95.0,
    expected_kw: float | None = 85.0,
    price: float | None = 0.36,
    currency: str | None = "EUR",
) -> DispatchPlan:
    """The plan of the ``index``-th window after noon."""
    start_ms = NOON_MS + index * WINDOW_MS
    return DispatchPlan(
        decision_id=decision_id(SITE, start_ms, MODEL_HASH),
        site=SITE,
        window_start_ms=start_ms,
        model_hash=MODEL_HASH,
        seq=setpoint_seq(start_ms),
        epoch=1,
        completeness=Completeness.COMPLETE,
        status=PlanStatus.OPTIMAL,
        load_kw=80.0,
        uncontrolled_kw=uncontrolled_kw,
        expected_kw=expected_kw,
        threshold_kw=85.0,
        capacity_kw=100.0,
        violation_kw=0.0,
        outputs=(),
        targets=(),
        price_per_kwh=price,
        currency=currency,
    )


def verdicts(of: DispatchPlan, outcome: str) -> list[Verdict]:
    """The verdict on a plan; none for the outcome ``none``."""
    start_ms, seq, identity = of.window_start_ms, of.seq, of.decision_id
    match outcome:
        case "accepted":
            return [Accepted(decision_id=identity, site=SITE, window_start_ms=start_ms, seq=seq,
                             epoch=1, decided_ms=start_ms, targets=())]  # fmt: skip
        case "renewed":
            return [Renewed(decision_id=identity, site=SITE, window_start_ms=start_ms, seq=seq,
                            epoch=1, decided_ms=start_ms, targets=(), accepted_decision_id="d",
                            alert="blind")]  # fmt: skip
        case "observed":
            return [Observed(decision_id=identity, site=SITE, window_start_ms=start_ms, seq=seq,
                             epoch=1, decided_ms=start_ms)]  # fmt: skip
        case "rejected":
            return [Rejected(decision_id=identity, site=SITE, window_start_ms=start_ms, seq=seq,
                             epoch=1, decided_ms=start_ms, refusals=(Refusal.STALE,),
                             sentences=("too old",))]  # fmt: skip
        case _:
            return []


def setpoint(index: int, device: str = "board-1", *, renewal: bool = False) -> Setpoint:
    """What a device is told in the ``index``-th window after noon."""
    start_ms = NOON_MS + index * WINDOW_MS
    return Setpoint(
        decision_id=decision_id(SITE, start_ms, MODEL_HASH),
        site=SITE,
        gateway="gw-1",
        device=device,
        seq=setpoint_seq(start_ms),
        epoch=1,
        issued_ms=start_ms + 7_000,
        valid_until_ms=start_ms + 67_000,
        renewal=renewal,
    )


def figures(events: Iterable[Entry], day: Day = DAY) -> DayFigures:
    """What a day's ledger says once these are entered."""
    ledger = DayLedger(SITE, day)
    for event in events:
        ledger.enter(event)
    return ledger.figures


def savings(events: Iterable[Entry], day: Day = DAY) -> Savings:
    """The savings of a day that has a plan."""
    found = figures(events, day).savings
    assert found is not None
    return found


powers = st.none() | st.floats(0, 1e4, allow_nan=False)


@st.composite
def decisions(draw: st.DrawFn, index: int) -> list[Entry]:
    """A plan, perhaps its verdict, perhaps a command or a renewal."""
    made = plan(index, draw(powers), draw(powers), draw(st.floats(0, 10)))
    told = [setpoint(index, renewal=draw(st.booleans()))] if draw(st.booleans()) else []
    return [made, *verdicts(made, draw(st.sampled_from(OUTCOMES))), *told]


@st.composite
def days(draw: st.DrawFn, most: int = 12) -> list[list[Entry]]:
    """The decisions of some windows in a row, one or more."""
    return [draw(decisions(index)) for index in range(draw(st.integers(1, most)))]


def flat(windows: Iterable[list[Entry]]) -> list[Entry]:
    """All events of some windows."""
    return [event for window in windows for event in window]


def test_a_plan_that_was_let_through_saves_its_avoided_energy_times_the_price() -> None:
    """S1-12, by hand: 10 kW avoided for 5 s at 0.36 per kWh is 0.005."""
    made = plan(0)
    for outcome in ("accepted", "renewed"):
        found = savings([made, *verdicts(made, outcome)])
        assert found.amount == pytest.approx(10.0 * 5 / 3600 * 0.36)
        assert found.amount == pytest.approx(0.005)
        assert found.avoided_kwh == pytest.approx(10.0 * 5 / 3600)
        assert (found.currency, found.decisions, found.without_forecast) == ("EUR", 1, 0)


def test_restoring_loads_costs_nothing_negative() -> None:
    """S1-12: where the plan draws more than the forecast, it saves 0, not less."""
    made = plan(0, uncontrolled_kw=70.0, expected_kw=75.0)
    assert savings([made, *verdicts(made, "accepted")]).amount == 0.0


@given(windows=days(), cut=st.integers(0, 12))
def test_savings_and_commands_are_additive_over_disjoint_spans(
    windows: list[list[Entry]], cut: int
) -> None:
    """S1-12: what two spans saved apart is what they saved together."""
    whole = figures(flat(windows))
    parts = [figures(flat(part)) for part in (windows[:cut], windows[cut:])]
    known = [part.savings for part in parts if part.savings is not None]
    assert whole.savings is not None
    assert whole.savings.amount == pytest.approx(sum(part.amount or 0.0 for part in known))
    assert whole.savings.avoided_kwh == pytest.approx(sum(part.avoided_kwh for part in known))
    assert whole.savings.decisions == sum(part.decisions for part in known)
    assert whole.commands == sum(part.commands for part in parts)


@given(windows=days(), data=st.data())
def test_neither_order_nor_repeats_change_a_figure(
    windows: list[list[Entry]], data: st.DataObject
) -> None:
    """S1-12, D-4: stored events may be read in any order and more than once."""
    events = flat(windows)
    again = events + data.draw(st.lists(st.sampled_from(events)))
    assert figures(data.draw(st.permutations(again))) == figures(events)


@given(windows=days(most=6), held_back=st.sampled_from(["observed", "rejected", "none"]))
def test_a_plan_that_was_held_back_never_counts(windows: list[list[Entry]], held_back: str) -> None:
    """S1-12: nothing is saved by what was only observed, rejected, or not judged at all."""
    extra = plan(100, uncontrolled_kw=1e4, expected_kw=0.0)
    before, after = savings(flat(windows)), savings([*flat(windows), extra])
    judged = savings([*flat(windows), extra, *verdicts(extra, held_back)])
    assert before.avoided_kwh == after.avoided_kwh == judged.avoided_kwh
    assert before.decisions == after.decisions == judged.decisions


def test_a_plan_with_two_verdicts_that_disagree_does_not_count() -> None:
    """S1-12: in doubt nothing was saved."""
    made = plan(0)
    both = [*verdicts(made, "accepted"), *verdicts(made, "rejected")]
    assert savings([made, *both]).decisions == 0
    assert savings([made, *reversed(both)]).decisions == 0


def test_an_unknown_price_makes_the_savings_unknown_and_never_zero() -> None:
    """S1-12: one plan without a price, and the day's sum is unknown; its energy is not."""
    priced, unpriced = plan(0), plan(1, price=None)
    events = [priced, unpriced, *verdicts(priced, "accepted"), *verdicts(unpriced, "accepted")]
    found = savings(events)
    assert (found.amount, found.currency) == (None, None)
    assert found.avoided_kwh == pytest.approx(20.0 * 5 / 3600)
    assert savings([priced, unpriced, *verdicts(priced, "accepted")]).amount is not None
    assert savings([unpriced]).amount is None


def test_two_currencies_are_not_added_up() -> None:
    """S1-12: the sum of two currencies is no amount of money."""
    euros, crowns = plan(0), plan(1, currency="DKK")
    events = [euros, crowns, *verdicts(euros, "accepted"), *verdicts(crowns, "accepted")]
    assert savings(events).amount is None


def test_a_day_on_which_nothing_was_let_through_saved_nothing() -> None:
    """S1-12: a site in mode observe saves 0 of its own money, which is known."""
    made = plan(0)
    found = savings([made, *verdicts(made, "observed")])
    assert (found.amount, found.currency, found.decisions) == (0.0, "EUR", 0)


def test_a_blind_plan_is_told_apart_from_one_that_saved_nothing() -> None:
    """S1-12: its forecast is missing, so it is left out and said to be."""
    blind, seeing = plan(0, uncontrolled_kw=None, expected_kw=None), plan(1)
    events = [blind, seeing, *verdicts(blind, "renewed"), *verdicts(seeing, "accepted")]
    found = savings(events)
    assert (found.decisions, found.without_forecast) == (1, 1)


def test_without_any_plan_the_savings_are_unknown() -> None:
    """S1-12: no plan, no figure."""
    assert figures([setpoint(0)]).savings is None


def test_renewals_are_no_commands_and_devices_count_apart() -> None:
    """S1-12: commands sent; a lease that is prolonged commands nothing new."""
    told = [setpoint(0), setpoint(0, "board-2"), setpoint(1, renewal=True), setpoint(2)]
    assert figures(told).commands == 3
    again = replace(setpoint(0), epoch=2)
    assert figures([*told, again]).commands == 4


def test_only_the_site_and_the_day_count() -> None:
    """S1-12: an event belongs to the day of its window; the first window of a day is in it."""
    half_hour = 360
    to_midnight = (DAY.end_ms - NOON_MS) // WINDOW_MS
    told = [setpoint(-half_hour), setpoint(to_midnight - 1), setpoint(to_midnight)]
    assert figures(told).commands == 2
    tomorrow = day_of(DAY.end_ms, ZoneInfo("Europe/Berlin"))
    assert figures(told, tomorrow).commands == 1
    assert figures([replace(setpoint(0), site="neighbour")]).commands == 0


def test_the_newest_plan_tells_the_predicted_peak() -> None:
    """S1-12: with its threshold and horizon; blind, both powers are unknown."""
    newest = replace(plan(2, uncontrolled_kw=97.5, expected_kw=84.0), lookahead_s=45.0)
    found = predicted_peak([plan(1), newest, plan(0)])
    assert found is not None
    assert (found.uncontrolled_kw, found.expected_kw, found.threshold_kw) == (97.5, 84.0, 85.0)
    assert (found.window_start_ms, found.horizon_s) == (newest.window_start_ms, 45.0)
    blind = predicted_peak([newest, plan(3, None, None)])
    assert blind is not None
    assert (blind.uncontrolled_kw, blind.expected_kw) == (None, None)
    assert predicted_peak([]) is None
