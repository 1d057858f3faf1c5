"""The order in which cases are measured, and where benchmarks are found."""

from importlib import import_module

import pytest

from schemas.errors import ConfigurationError
from streams.benchmarking.registry import ALL, BENCHMARKS, benchmarks_named
from streams.benchmarking.rounds import Bench, interleaved
from tests.streams.benchmarking.conftest import Steps


def test_every_round_has_every_case_and_every_other_one_goes_backwards(bench: Bench) -> None:
    """Rounds are interleaved (DESIGN, "Speed to reach")."""
    order: list[str] = []
    cases = {name: lambda name=name: order.append(name) for name in "abc"}
    interleaved(cases, bench, warm_ups=3)
    assert "".join(order) == "cbaabccbaabc"


def test_a_warm_up_does_not_count(bench: Bench) -> None:
    values = iter([99.0, 1.0])
    assert interleaved({"a": lambda: next(values)}, bench, warm_ups=1) == {"a": [1.0]}


def test_every_run_of_a_case_is_a_step_that_says_what_it_is(bench: Bench, steps: Steps) -> None:
    interleaved({"a": int, "b": int}, bench, warm_ups=1)
    assert steps.done == ["warm-up: b", "warm-up: a", "round 1 of 1: a", "round 1 of 1: b"]


def test_all_means_every_benchmark() -> None:
    assert benchmarks_named(ALL) == list(BENCHMARKS)


def test_a_name_means_itself() -> None:
    assert [benchmarks_named(name) for name in BENCHMARKS] == [[name] for name in BENCHMARKS]


def test_an_unknown_name_is_told_which_ones_there_are() -> None:
    with pytest.raises(ConfigurationError) as caught:
        benchmarks_named("speed")
    assert "'speed'" in caught.value.message
    assert all(name in caught.value.hint for name in (*BENCHMARKS, ALL))


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_that_is_listed_can_be_run(name: str) -> None:
    assert callable(import_module(f"streams.benchmarking.{name}_bench").run)
