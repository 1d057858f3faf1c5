"""Ten thousand windows, and never a command for the load that is never shed."""

from random import Random

from msgspec.structs import replace

from processors.dispatching.dispatcher import Dispatcher
from schemas.dispatch_plan import PlanStatus
from schemas.site_window import Completeness, SiteWindow
from schemas.stage_state import DispatchState
from tests.processors.dispatching.scenarios import depot, window_of

DEPOT = depot(dwell_s=10.0)
CASES = 10_000
STATES = (True, True, True, False, None)
COMPLETENESS = (*[Completeness.COMPLETE] * 6, Completeness.DEGRADED, Completeness.BLIND)


def _any_window(random: Random, index: int) -> SiteWindow:
    """A window with any states and any load: one in five beyond what R1 leaves room for."""
    states = [random.choice(STATES) for _ in range(4)]
    net_kw = random.choice((40.0, 60.0, 80.0, 110.0, 1e7)) * random.uniform(-0.5, 1.0)
    measured = [random.choice((None, None, random.uniform(0.0, 30.0))) for _ in range(4)]
    return replace(
        window_of(
            DEPOT,
            net_kw,
            states,
            index=index,
            completeness=random.choice(COMPLETENESS),
            measured_kw=measured,
        ),
        generation_kw=min(0.0, random.gauss(0.0, 10.0)),
    )


def test_the_first_relay_is_never_commanded_in_ten_thousand_windows() -> None:
    """S1-7: R1 is never commanded off across 10,000 fuzz cases, nor planned off while on."""
    random, dispatcher = Random(17), Dispatcher(DEPOT)
    state: DispatchState | None = None
    seen = dict.fromkeys(PlanStatus, 0)
    shed = 0
    for index in range(CASES):
        before = None if random.random() < 0.1 else state
        plan, state = dispatcher.decide(before, _any_window(random, index))
        assert plan is not None
        commanded = {each.output: each.on for target in plan.targets for each in target.outputs}
        assert 1 not in commanded
        assert all(each.on == each.was_on for each in plan.outputs[:1])
        seen[plan.status] += 1
        shed += sum(not on for on in commanded.values())
    assert shed > CASES // 10
    assert min(seen[each] for each in PlanStatus if each is not PlanStatus.FAILED) > CASES // 20
