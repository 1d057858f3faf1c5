"""Results of a peer beside those of align: nothing wrong, missing or doubled goes by."""

import math
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.site_window import MeterWindows, SeriesName, SeriesStatus
from streams.benchmarking.align_means import last_means
from streams.benchmarking.peers.means import Differences, Means, WindowMean, differences

WINDOW_MS = 5_000
EQUAL = Differences(missing=0, unexpected=0, wrong=0, doubled=0)
RESULTS = tuple(
    WindowMean(device=device, window_start_ms=window * WINDOW_MS, mean=1.5 + window, count=1)
    for device in ("a", "b")
    for window in range(3)
)


def means(results: Iterable[WindowMean]) -> Means:
    """Results as they come from a topic."""
    found = Means()
    for each in results:
        found.add(each)
    return found


@given(st.permutations(RESULTS))
def test_equal_results_are_equal_in_any_order(results: list[WindowMean]) -> None:
    assert differences(means(results), means(RESULTS)) == EQUAL
    assert EQUAL.is_equal


@given(st.sampled_from(RESULTS), st.sampled_from([-1.0, -0.001, 0.000002, math.inf, math.nan]))
def test_a_wrong_mean_is_a_difference(one: WindowMean, error: float) -> None:
    wrong = msgspec.structs.replace(one, mean=one.mean + error)
    found = differences(means([wrong if each is one else each for each in RESULTS]), means(RESULTS))
    assert found.wrong == 1
    assert not found.is_equal


def test_rounding_is_no_difference() -> None:
    """Align counts in millionths of a kilowatt, peers in floating point."""
    found = means([msgspec.structs.replace(each, mean=each.mean + 4e-7) for each in RESULTS])
    assert differences(found, means(RESULTS)).is_equal


@given(st.sampled_from(RESULTS))
def test_another_count_of_readings_is_a_difference(one: WindowMean) -> None:
    """A reading that was taken twice leaves the mean as it is."""
    twice = msgspec.structs.replace(one, count=2)
    found = differences(means([twice if each is one else each for each in RESULTS]), means(RESULTS))
    assert (found.wrong, found.is_equal) == (1, False)


@given(st.sampled_from(RESULTS))
def test_a_missing_window_is_a_difference(one: WindowMean) -> None:
    found = differences(means(each for each in RESULTS if each is not one), means(RESULTS))
    assert (found.missing, found.is_equal) == (1, False)


@given(st.sampled_from(RESULTS))
def test_a_window_that_comes_twice_is_a_difference(one: WindowMean) -> None:
    found = differences(means([*RESULTS, one]), means(RESULTS))
    assert (found.doubled, found.is_equal) == (1, False)


def test_a_window_that_nobody_asked_for_is_a_difference() -> None:
    stranger = WindowMean(device="c", window_start_ms=0, mean=1.0, count=1)
    found = differences(means([*RESULTS, stranger]), means(RESULTS))
    assert (found.unexpected, found.is_equal) == (1, False)


def test_nothing_is_not_equal_to_something() -> None:
    assert differences(Means(), means(RESULTS)).missing == len(RESULTS)


def test_a_peer_that_got_the_first_readings_is_compared_with_their_windows() -> None:
    first = [each for each in RESULTS if each.window_start_ms < 2 * WINDOW_MS]
    expected = means(RESULTS).before(2 * WINDOW_MS)
    assert differences(means(first), expected).is_equal
    assert not differences(means(RESULTS), expected).is_equal


def chunk(values: tuple[float | None, ...], status: str, revision: int = 0) -> MeterWindows:
    """What align publishes of two meters and one window."""
    series = tuple(SeriesName(device=device, quantity="active_power") for device in "ab")
    return MeterWindows(
        site="s",
        window_start_ms=0,
        revision=revision,
        chunk=0,
        series=series,
        values=values,
        status=status,
    )


def test_of_align_the_last_revision_counts() -> None:
    found = last_means([chunk((1.0, 2.0), "mm"), chunk((1.5, 2.0), "mm", revision=1)])
    assert found.known == {("a", 0): (1.5, 1), ("b", 0): (2.0, 1)}
    assert found.doubled == 0


@pytest.mark.parametrize(
    ("value", "status"), [(None, SeriesStatus.MISSING), (2.0, SeriesStatus.VALID)]
)
def test_what_align_did_not_measure_is_equal_to_no_peer(
    value: float | None, status: SeriesStatus
) -> None:
    """A value that is missing, or held over, has no reading in the window."""
    peer = [WindowMean(device=each, window_start_ms=0, mean=2.0, count=1) for each in "ab"]
    expected = last_means([chunk((2.0, value), f"m{status}")])
    assert differences(means(peer), expected).wrong == 1
