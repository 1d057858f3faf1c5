"""Joined levels: one unit of an upper one outweighs all of the lower ones."""

from hypothesis import given
from hypothesis import strategies as st

from processors.dispatching.objective import (
    CLASS_UNITS,
    LARGEST_LEVEL,
    Level,
    join_levels,
    unserved_levels,
)
from schemas.site_model import Relay

OUTPUTS = 4
SHED = st.tuples(*[st.integers(0, 300)] * OUTPUTS)
LEVELS = st.lists(st.builds(Level, SHED, st.integers(0, 1)), min_size=1, max_size=5)
FLAGS = st.tuples(*[st.booleans()] * OUTPUTS)


def _relays(loads_kw: list[float], priority: int = 1) -> tuple[Relay, ...]:
    """Relays of one class."""
    return tuple(
        Relay(output=number, load_kw=load_kw, priority=priority)
        for number, load_kw in enumerate(loads_kw, start=1)
    )


def _cost(level: Level, was_on: tuple[bool, ...], on: tuple[bool, ...]) -> int:
    """A level's value as its definition says."""
    shed = sum(units for units, state in zip(level.shed, on, strict=True) if not state)
    return shed + level.switch * sum(a != b for a, b in zip(was_on, on, strict=True))


@given(LEVELS, FLAGS, FLAGS, FLAGS)
def test_joined_levels_order_plans_as_the_levels_one_by_one(
    levels: list[Level],
    was_on: tuple[bool, ...],
    one: tuple[bool, ...],
    other: tuple[bool, ...],
) -> None:
    """DESIGN decision 6: a level is never traded for one below it."""
    joined = join_levels(levels)
    assert all(level.largest <= LARGEST_LEVEL for level in joined)
    tuples = [tuple(_cost(level, was_on, on) for level in levels) for on in (one, other)]
    sums = [tuple(_cost(level, was_on, on) for level in joined) for on in (one, other)]
    assert (sums[0] < sums[1]) == (tuples[0] < tuples[1])
    assert (sums[0] == sums[1]) == (tuples[0] == tuples[1])


def test_the_depot_needs_one_stage_for_service_and_switches() -> None:
    """Small numbers join: R2 is 1 unit of 20 kW, R3 and R4 are 2 of 10 kW."""
    classes = [Level((0, 1, 0, 0)), Level((0, 0, 1, 1)), Level((0, 0, 0, 0), switch=1)]
    (joined,) = join_levels(classes)
    assert joined == Level((0, 15, 5, 5), switch=1)


def test_levels_that_would_grow_too_large_stay_stages_of_their_own() -> None:
    """No site is refused: what does not join is solved one after the other."""
    levels = [Level((900, 99)), Level((500, 500)), Level((1, 1))]
    assert len(join_levels(levels)) == 2


def test_a_class_is_counted_in_its_greatest_common_unit() -> None:
    """7.5, 10 and 12.5 kW are 3, 4 and 5 units of 2.5 kW."""
    (level,) = unserved_levels(_relays([7.5, 10.0, 12.5]))
    assert level.shed == (3, 4, 5)


def test_a_class_with_odd_loads_is_counted_in_ten_thousandths() -> None:
    """To the watt it would have a million units; no load counts nothing."""
    (level,) = unserved_levels(_relays([500.001, 500.0, 0.003]))
    assert level.shed == (4951, 4950, 1)
    assert sum(level.shed) <= CLASS_UNITS + 2


def test_never_shed_loads_have_no_level() -> None:
    """They cannot be unserved."""
    relays = (*_relays([5.0]), Relay(output=2, load_kw=9.0, priority=2, sheddable=False))
    assert [level.shed for level in unserved_levels(relays)] == [(1, 0)]
