"""Which letters a filter means, and what their reasons have in common."""

from dataclasses import replace

import pytest

from streams.letters.stored import Filter
from tests.support.letters import NOW_MS, stored

LETTER = stored(errors=("site: 'plant-8' has no model on site.models", "value: 2e+09 is not so"))


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(),
        Filter(numbers=frozenset({7, 8})),
        Filter(stage="align", origin="telemetry.meter", site="plant-7", partition=1),
        Filter(reason="NO MODEL"),
        Filter(since_ms=NOW_MS, until_ms=NOW_MS),
    ],
)
def test_a_filter_takes_what_it_names(wanted: Filter) -> None:
    assert wanted.takes(LETTER)
    assert wanted.is_open is (wanted == Filter())


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(numbers=frozenset({8})),
        Filter(stage="store"),
        Filter(origin="telemetry.relay"),
        Filter(site=""),
        Filter(partition=0),
        Filter(reason="horses"),
        Filter(since_ms=NOW_MS + 1),
        Filter(until_ms=NOW_MS - 1),
    ],
)
def test_a_filter_leaves_out_everything_else(wanted: Filter) -> None:
    assert not wanted.takes(LETTER)


def test_reasons_are_counted_without_what_is_particular_to_a_letter() -> None:
    other = stored(errors=('site: "it\'s" has no model on site.models', "value: 7.5 is not so"))
    assert LETTER.kinds_of_reason == other.kinds_of_reason
    assert LETTER.kinds_of_reason[0] == "site: … has no model on site.models"
    times = stored(errors=("event_time_ms: 2024-03-01T06:00:00Z is too far ahead",))
    assert times.kinds_of_reason == ("event_time_ms: … is too far ahead",)


def test_an_original_that_is_no_base64_is_empty() -> None:
    letter = replace(LETTER, letter=stored(original_base64="~~~").letter)
    assert letter.original == b""
