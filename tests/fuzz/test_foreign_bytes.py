"""Whatever bytes come, they are taken or refused with a reason: nothing that reads them fails.

``make fuzz`` goes on from here, guided by coverage; ``make soak`` tries more of the same.
"""

import logging
from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.fuzz_targets import Target, targets
from tests.support.mutating import HOSTILE, mutated, with_every_oddity

TARGETS = list(targets())
SOME, MANY = 100, 20_000
every_target = pytest.mark.parametrize("target", TARGETS, ids=lambda target: str(target.name))


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Refusals are logged; here there are too many."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@every_target
def test_the_seeds_are_taken(target: Target) -> None:
    """Mutations of what is refused anyway would find nothing."""
    assert all(target.try_on(seed) for seed in target.seeds)


@every_target
def test_deep_huge_and_broken_bytes_are_taken_or_refused(target: Target) -> None:
    """D-3: a malformed record is refused with its reason, and the pipeline goes on."""
    for data in HOSTILE:
        target.try_on(data)


@every_target
def test_every_field_may_hold_anything(target: Target) -> None:
    """One odd value at a time: what random mutations find only by and by."""
    for seed in target.seeds:
        for data in with_every_oddity(seed):
            target.try_on(data)


@every_target
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=SOME)
def test_mutations_are_taken_or_refused(target: Target, random: Random) -> None:
    target.try_on(mutated(random.choice(target.seeds), random))


@pytest.mark.soak
@every_target
def test_many_mutations_are_taken_or_refused(target: Target) -> None:
    random = Random(target.name)
    for _ in range(MANY):
        target.try_on(mutated(random.choice(target.seeds), random))
