"""The static rule of document 001, at its boundaries and against all possibilities."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processors.dispatching.static_rule import StaticRule
from schemas.site_model import Relay
from tests.processors.dispatching.scenarios import ALL_ON, depot

RELAYS = tuple(relay for board in depot().relay_boards for relay in board.relays)
RULE = StaticRule(RELAYS, 85.0)
RETURNING = StaticRule(RELAYS, 85.0, returns=True)
NOTHING: tuple[int, ...] = ()


def shed(load_kw: float, on: tuple[bool, ...] = ALL_ON) -> tuple[int, ...]:
    """Outputs that the rule switches off."""
    after = RULE.decide(load_kw, on)
    return tuple(
        n + 1 for n, (was, now) in enumerate(zip(on, after, strict=True)) if was and not now
    )


@pytest.mark.parametrize(
    ("load_kw", "outputs"),
    [
        (84.9, NOTHING),
        (85.0, NOTHING),
        (85.1, (3,)),
        (95.0, (3,)),
        (95.1, (3, 4)),
        (105.0, (3, 4)),
        (105.1, (2, 3)),
        (115.0, (2, 3)),
        (125.0, (2, 3, 4)),
        (125.1, NOTHING),
    ],
)
def test_the_rule_sheds_as_document_001_says(load_kw: float, outputs: tuple[int, ...]) -> None:
    """S1-8, S1-D5: 85 kW exactly sheds nothing. S1-6, S1-13: what cannot be shed is no action."""
    assert shed(load_kw) == outputs


def test_what_is_off_never_returns() -> None:
    """S1-D7: nothing restores relays."""
    assert RULE.decide(30.0, (True, False, False, False)) == (True, False, False, False)


def test_a_relay_that_is_off_cannot_be_shed_again() -> None:
    """S1-8: x_i = 0 if the relay is already off."""
    assert shed(90.0, (True, True, False, True)) == (4,)
    assert shed(90.0, (True, True, False, False)) == (2,)
    assert shed(90.0, (True, False, False, False)) == NOTHING


def test_the_returning_rule_brings_back_what_fits_the_most_important_first() -> None:
    off = (True, False, False, False)
    assert RETURNING.decide(65.0, off) == (True, True, False, False)
    assert RETURNING.decide(66.0, off) == (True, False, True, False)
    assert RETURNING.decide(45.0, off) == ALL_ON


loads = st.floats(0.5, 40).map(lambda kw: round(kw, 1))
relays = st.lists(st.tuples(loads, st.integers(1, 3), st.booleans()), min_size=1, max_size=5)


@given(relays, st.floats(60, 200), st.data())
def test_no_other_choice_sheds_fewer_important_loads(
    described: list[tuple[float, int, bool]], load_kw: float, data: st.DataObject
) -> None:
    """S1-4: the lowest priority first, then the fewest switches; against all of them."""
    site = tuple(
        Relay(output=n + 1, load_kw=kw, priority=priority, sheddable=free)
        for n, (kw, priority, free) in enumerate(described)
    )
    on = tuple(data.draw(st.booleans()) for _ in site)
    after = StaticRule(site, 85.0).decide(load_kw, on)

    def cost(states: tuple[bool, ...]) -> list[int]:
        return [
            sum(was and not now and relay.priority == level
                for was, now, relay in zip(on, states, site, strict=True))
            for level in (1, 2, 3)
        ]  # fmt: skip

    def allowed(states: tuple[bool, ...]) -> bool:
        kept = [(was or not now) and (was == now or relay.sheddable)
                for was, now, relay in zip(on, states, site, strict=True)]  # fmt: skip
        gone_kw = sum(r.load_kw for was, now, r in zip(on, states, site, strict=True) if was != now)
        return all(kept) and load_kw - gone_kw <= 85.0 + 1e-6

    possible = [states for states in product((False, True), repeat=len(site)) if allowed(states)]
    if not possible:
        assert after == on
    else:
        assert allowed(after)
        assert cost(after) == min(map(cost, possible))
