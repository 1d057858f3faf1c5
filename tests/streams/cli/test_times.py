"""Points in time on the command line."""

import time

import pytest
import typer

from streams.cli.times import past_ms, time_ms


@pytest.mark.parametrize(
    ("text", "expected_ms"),
    [
        ("1970-01-01T00:00:01Z", 1_000),
        ("1970-01-01T01:00:01+01:00", 1_000),
        ("1970-01-02", 86_400_000),
        ("1970-01-01T00:00:00.5", 500),
    ],
)
def test_a_time_is_utc_unless_it_says_otherwise(text: str, expected_ms: int) -> None:
    assert time_ms(text) == past_ms(text) == expected_ms


@pytest.mark.parametrize(
    ("text", "ago_ms"),
    [("90s", 90_000), ("30m", 1_800_000), ("2h", 7_200_000), ("7d", 604_800_000)],
)
def test_how_long_ago_is_a_time_too(text: str, ago_ms: int) -> None:
    before_ms = time.time_ns() // 1_000_000
    found_ms = past_ms(text) + ago_ms
    assert before_ms <= found_ms <= time.time_ns() // 1_000_000


@pytest.mark.parametrize("text", ["", "yesterday", "2h30m", "-1h", "1y", "9999999h"])
def test_what_is_no_time_is_told(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no time such as"):
        past_ms(text)
