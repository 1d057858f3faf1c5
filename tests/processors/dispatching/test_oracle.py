"""Plans compared with every other plan that there is."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from hypothesis import event, given, settings
from hypothesis import strategies as st

from processors.dispatching.dispatcher import Dispatcher
from processors.dispatching.lookahead import forecast_base, horizon_steps
from schemas.site_model import Relay, SiteModel, parse_site_model
from schemas.site_window import Completeness
from schemas.stage_state import DispatchState, OutputMemory
from schemas.windows import WINDOW_MS
from tests.processors.dispatching.scenarios import START_MS, decide, planned, window_of

NOW_MS = START_MS + WINDOW_MS
Cost = tuple[float | int, ...]


@dataclass(frozen=True)
class Situation:
    """What is known in one window: states, when each was seen to change, loads, history."""

    states: tuple[bool | None, ...]
    since_s: tuple[int | None, ...]
    base_kw: float
    past_kw: tuple[float, ...]
    completeness: Completeness


@st.composite
def sites(draw: st.DrawFn, *, step_kw: float) -> SiteModel:
    """Sites of up to 6 relays on two boards, loads in steps of ``step_kw``."""
    loads_kw = st.integers(1, 300).map(lambda steps: round(steps * step_kw, 3))
    relay = st.fixed_dictionaries(
        {
            "load_kw": loads_kw,
            "priority": st.integers(1, 4),
            "sheddable": st.sampled_from([True, True, True, False]),
        }
    )
    relays = [
        {"output": number, **each}
        for number, each in enumerate(draw(st.lists(relay, min_size=1, max_size=6)), start=1)
    ]
    cut = draw(st.integers(1, len(relays)))
    boards = [
        {"id": name, "gateway": "g", "relays": part}
        for name, part in (("b1", relays[:cut]), ("b2", relays[cut:]))
        if part
    ]
    control = {
        "hysteresis_kw": draw(st.sampled_from([0.0, 3.0])),
        "restores_per_window": draw(st.integers(1, 3)),
    }
    return parse_site_model(
        {
            "name": "site",
            "mode": "control",
            "capacity_kw": 100.0,
            "threshold_ratio": draw(st.sampled_from([0.5, 0.85, 1.0])),
            "relay_boards": boards,
            "control": control,
        },
        "test",
    )


def situations(site: SiteModel) -> st.SearchStrategy[Situation]:
    """Windows from "all fits" to "nothing helps"; base loads in tenths of a kW."""
    loads_kw = [relay.load_kw for relay in _relays(site)]
    outputs = len(loads_kw)
    all_fit_kw = round(site.threshold_kw - sum(loads_kw) - 20)
    nothing_helps_kw = round(site.capacity_kw + 20)
    tenths = st.integers(10 * all_fit_kw, 10 * nothing_helps_kw).map(lambda number: number / 10)
    state = st.sampled_from([True, True, False, None])
    since_s = st.sampled_from([None, 10, 25, 30, 60])
    return st.builds(
        Situation,
        st.tuples(*[state] * outputs),
        st.tuples(*[since_s] * outputs),
        tenths,
        st.lists(tenths, max_size=5).map(lambda past: tuple(sorted(past))),
        st.sampled_from([Completeness.COMPLETE] * 3 + [Completeness.DEGRADED]),
    )


@settings(max_examples=40)
@given(data=st.data(), site=st.one_of(sites(step_kw=0.1), sites(step_kw=2.5), sites(step_kw=0.001)))
def test_no_other_plan_is_better(data: st.DataObject, site: SiteModel) -> None:
    """S1-4: equals brute force, over all states of up to 6 relays, level by level, exactly."""
    dispatcher = Dispatcher(site)
    for situation in data.draw(st.lists(situations(site), min_size=10, max_size=10)):
        chosen = _decide(dispatcher, site, situation)
        best = min(_cost(site, situation, on) for on in _admissible(site, situation))
        assert chosen in _admissible(site, situation)
        assert _cost(site, situation, chosen) == best
        event(f"above capacity: {best[0] > 0}, dwell broken: {any(best[1:5])}")
        event(f"above threshold: {best[5] > 0}, unserved: {any(best[6:-1])}")
        event(f"switches: {best[-1]}")


def _decide(dispatcher: Dispatcher, site: SiteModel, situation: Situation) -> tuple[bool, ...]:
    """The dispatcher's plan; fixed outputs count as on."""
    relays = _relays(site)
    drawn = sum(relay.load_kw for relay, on in zip(relays, situation.states, strict=True) if on)
    keys = [(board.id, relay.output) for board in site.relay_boards for relay in board.relays]
    memory = tuple(
        OutputMemory(
            device=device,
            output=output,
            on=on,
            since_ms=None if since_s is None else NOW_MS - 1000 * since_s,
        )
        for (device, output), on, since_s in zip(
            keys, situation.states, situation.since_s, strict=True
        )
    )
    state = DispatchState(
        site=site.name, last_window_ms=0, base_kw=situation.past_kw, outputs=memory
    )
    window = window_of(
        site,
        situation.base_kw + drawn,
        situation.states,
        completeness=situation.completeness,
    )
    plan, _ = decide(dispatcher, window, state)
    return tuple(
        bool(on) if _is_free(site, situation, index) else True
        for index, on in enumerate(planned(plan))
    )


def _admissible(site: SiteModel, situation: Situation) -> list[tuple[bool, ...]]:
    """Every plan that keeps dwell times of loads that are off, and the limit on restores."""
    choices = [_choices(site, situation, index) for index in range(len(situation.states))]
    return [
        on
        for on in product(*choices)
        if len(_returning(site, situation, on)) <= site.control.restores_per_window
    ]


def _choices(site: SiteModel, situation: Situation, index: int) -> tuple[bool, ...]:
    """The states that an output may be planned to have."""
    if not _is_free(site, situation, index):
        return (True,)
    complete = situation.completeness is Completeness.COMPLETE
    stays_off = _is_held(situation, index) or not complete
    return (False,) if stays_off and not situation.states[index] else (False, True)


def _is_free(site: SiteModel, situation: Situation, index: int) -> bool:
    """Whether an output is dispatch's to command."""
    return _relays(site)[index].sheddable and situation.states[index] is not None


def _is_held(situation: Situation, index: int) -> bool:
    """Whether an output switched less than 30 s ago."""
    since_s = situation.since_s[index]
    return since_s is not None and since_s < 30


def _returning(site: SiteModel, situation: Situation, on: tuple[bool, ...]) -> list[int]:
    """Outputs that a plan switches on."""
    return [
        index
        for index, state in enumerate(on)
        if state and _is_free(site, situation, index) and not situation.states[index]
    ]


def _cost(site: SiteModel, situation: Situation, on: tuple[bool, ...]) -> Cost:
    """The levels in their order: kW x steps to the milliwatt, loads in W, switches."""
    shed = [index for index, state in enumerate(on) if not state]
    broken = [index for index in shed if situation.states[index] and _is_held(situation, index)]
    free = [index for index in range(len(on)) if _is_free(site, situation, index)]
    switches = sum(on[index] != situation.states[index] for index in free)
    loads_kw = _loads(site, situation, on)
    return (
        _excess(loads_kw, site.capacity_kw),
        *_unserved(site, broken),
        _excess(loads_kw, site.threshold_kw),
        *_unserved(site, shed),
        switches,
    )


def _loads(site: SiteModel, situation: Situation, on: tuple[bool, ...]) -> list[float]:
    """Load of each step as the limits count it [kW]; unknown outputs draw nothing here."""
    forecast = forecast_base(
        (*situation.past_kw, situation.base_kw), horizon_steps(site.control.lookahead_s)
    )
    caution_kw = max(0.0, forecast.recent_peak_kw - forecast.peak_kw)
    relays = zip(_relays(site), situation.states, on, strict=True)
    drawn_kw = sum(relay.load_kw for relay, was, state in relays if state and was is not None)
    margin_kw = site.control.hysteresis_kw + caution_kw
    fixed_kw = drawn_kw + margin_kw * len(_returning(site, situation, on))
    return [float(base_kw) + fixed_kw for base_kw in forecast.base_kw]


def _excess(loads_kw: list[float], limit_kw: float) -> float:
    """Energy above a limit."""
    return round(sum(max(0.0, load_kw - limit_kw) for load_kw in loads_kw), 5)


def _unserved(site: SiteModel, indices: list[int]) -> Iterator[int]:
    """Load of these outputs in each priority class, the most important first [W]."""
    relays = [_relays(site)[index] for index in indices]
    for priority in range(1, 5):
        yield sum(round(1000 * each.load_kw) for each in relays if each.priority == priority)


def _relays(site: SiteModel) -> list[Relay]:
    """All relays in order."""
    return [relay for board in site.relay_boards for relay in board.relays]
