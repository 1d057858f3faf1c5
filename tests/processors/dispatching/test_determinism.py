"""The same input gives the same bytes, and what is written can be read again."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processors.dispatching.alerts import plan_alerts
from processors.dispatching.case import pose_case
from processors.dispatching.dispatcher import Dispatcher
from processors.dispatching.lookahead import forecast_base
from processors.dispatching.outcome import Outcome
from processors.dispatching.solving import as_states
from schemas.dispatch_plan import DispatchPlan
from schemas.messages import Decoder, encode
from schemas.site_model import SiteModel, parse_site_model
from schemas.site_window import Completeness, SiteWindow
from schemas.stage_state import DispatchState
from tests.processors.dispatching.scenarios import decide, depot, output, planned, window_of

DEPOT = depot()
DISPATCHER = Dispatcher(DEPOT)
WINDOWS = st.builds(
    lambda net_kw, states, completeness: window_of(
        DEPOT, net_kw, states, completeness=completeness
    ),
    st.floats(-200.0, 300.0),
    st.tuples(*[st.sampled_from([True, True, False, None])] * 4),
    st.sampled_from(Completeness),
)


@settings(max_examples=50)
@given(st.lists(WINDOWS, min_size=2, max_size=6))
def test_a_decision_is_a_function_of_model_state_and_window(windows: list[SiteWindow]) -> None:
    """DESIGN decision 6: neither the clock nor what was solved before has a say."""
    first = [encode(message) for window in windows for message in decide(DISPATCHER, window)]
    again = [encode(message) for window in windows[::-1] for message in decide(DISPATCHER, window)]
    pairs = [first[at : at + 2] for at in range(0, len(first), 2)]
    assert pairs[::-1] == [again[at : at + 2] for at in range(0, len(again), 2)]


@settings(max_examples=50)
@given(WINDOWS)
def test_plan_and_state_survive_their_way_through_kafka(window: SiteWindow) -> None:
    """DESIGN decision 4: JSON on the wire, and the decision after it is the same."""
    plan, state = decide(DISPATCHER, window)
    read = Decoder[DispatchState](DispatchState).decode(encode(state))
    assert Decoder[DispatchPlan](DispatchPlan).decode(encode(plan)) == plan
    assert read == state
    after = window_of(DEPOT, 95.0, (True, False, True, None), index=1)
    assert encode(decide(DISPATCHER, after, read)[0]) == encode(decide(DISPATCHER, after, state)[0])


def test_binaries_are_rounded_and_not_truncated() -> None:
    """S1-D5: a truncated 0.9999999 would shed a load that the plan keeps."""
    values = np.array([0.9999999, 1.0000001, 1e-7, -1e-7])
    assert as_states(values).tolist() == [True, True, False, False]


def test_equal_loads_are_shed_from_the_end_of_the_site_model() -> None:
    """Which of two equal plans is chosen does not hang on the solver's way."""
    relays = [{"output": number, "load_kw": 5.0, "priority": 1} for number in range(1, 9)]
    board = {"id": "b1", "gateway": "g1", "relays": relays}
    site = parse_site_model({"name": "s", "capacity_kw": 100.0, "relay_boards": [board]}, "test")
    plan, _ = decide(Dispatcher(site), window_of(site, 100.0, (True,) * 8))
    assert planned(plan) == [True] * 5 + [False] * 3


def _large_site(seed: int) -> SiteModel:
    """Forty loads, odd to the watt, in three classes: more than a search can exhaust."""
    random = Random(seed)
    relays = [
        {
            "output": number % 4 + 1,
            "load_kw": round(random.uniform(0.5, 20.0), 3),
            "priority": random.randint(1, 3),
        }
        for number in range(40)
    ]
    boards = [
        {"id": f"b{at}", "gateway": "g", "relays": relays[4 * at : 4 * at + 4]} for at in range(10)
    ]
    data = {"name": "large", "capacity_kw": 400.0, "relay_boards": boards}
    return parse_site_model(data, "test")


@pytest.mark.parametrize("seed", [0, 1])
def test_a_large_site_is_held_with_the_same_bytes_each_time(seed: int) -> None:
    """A long search is cut by nodes and never by time; what it leaves still holds the limits."""
    site = _large_site(seed)
    window = window_of(site, 550.0, (True,) * 40)
    plans = [decide(Dispatcher(site), window)[0] for _ in range(2)]
    assert encode(plans[0]) == encode(plans[1])
    expected_kw = plans[0].expected_kw
    assert expected_kw is not None
    assert expected_kw <= site.threshold_kw + 1e-6
    assert output(plans[0], 1).was_on is True


def test_a_search_that_was_cut_short_says_so() -> None:
    """Its plan holds the limits, but may shed more than it must."""
    case = pose_case(DEPOT.control, Completeness.COMPLETE, (), forecast_base((50.0,), 2))
    outcome = Outcome.of(DEPOT, Completeness.COMPLETE, case, case.highest)
    assert list(plan_alerts((), outcome, proven=True)) == []
    (alert,) = plan_alerts((), outcome, proven=False)
    assert alert == "the search was cut short: a plan with fewer loads shed may exist"
