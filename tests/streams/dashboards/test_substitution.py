"""Variables get their values as in Grafana."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.dashboards.questions import all_questions
from streams.dashboards.substitution import Choice, Span, flux_text, promql_text

HOUR = Span(from_ms=1_463_806_800_000, to_ms=1_463_810_400_000)
CHOICE = Choice(site="demo")


def test_flux_gets_times_bucket_period_and_choices() -> None:
    text = (
        'from(bucket: v.defaultBucket + "_1m") |> range(start: v.timeRangeStart,'
        " stop: v.timeRangeStop) |> x(every: v.windowPeriod, site: ${site:raw},"
        ' device: /^(${device:regex})$/, zone: "${__timezone}")'
    )
    assert flux_text(text, HOUR, CHOICE, "grid") == (
        'from(bucket: "grid" + "_1m") |> range(start: 2016-05-21T05:00:00Z,'
        " stop: 2016-05-21T06:00:00Z) |> x(every: 5s, site: demo,"
        ' device: /^(.*)$/, zone: "utc")'
    )


def test_promql_gets_intervals_no_shorter_than_four_scrapes() -> None:
    text = "rate(a[$__rate_interval]) + increase(b[$__range]) + rate(c[$__interval])"
    assert promql_text(text, HOUR) == "rate(a[8s]) + increase(b[3600s]) + rate(c[5s])"


def test_devices_are_written_into_a_regular_expression_as_text() -> None:
    assert Choice(site="s", devices=("a.b",)).device_pattern == r"a\.b"
    assert Choice(site="s", devices=("a.b", "c-1")).device_pattern == r"(a\.b|c\-1)"


def test_a_variable_that_nobody_replaces_is_not_sent() -> None:
    with pytest.raises(ValueError, match=r"no value for \$\{nobody\}"):
        flux_text('"${nobody}"', HOUR, CHOICE, "grid")
    with pytest.raises(ValueError, match=r"no value for \$__from"):
        promql_text("a[$__from]", HOUR)


def test_every_question_can_be_asked() -> None:
    for asked in all_questions():
        if asked.kind == "influxdb":
            assert flux_text(asked.text, HOUR, CHOICE, "grid") != asked.text
        else:
            promql_text(asked.text, HOUR)


@given(st.integers(1, 400 * 86_400))
def test_a_panel_asks_for_about_as_many_points_as_it_is_wide(length_s: int) -> None:
    span = Span(from_ms=0, to_ms=length_s * 1_000)
    assert span.step_s >= 5
    assert span.length_s / span.step_s <= 1_000
    assert span.last(5).length_s == 5
