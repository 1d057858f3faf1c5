"""Queries ask for what there is, by its name, and leave no variable to chance."""

import re

import pytest

from dashboards.grafana import promql
from streams.dashboards.questions import Asked, all_questions
from streams.historians.points import EventPoint, Measurement, SitePoint
from streams.metrics.page import groups

QUESTIONS = all_questions()
FLUX = [pytest.param(q, id=f"{q.place}-{q.ref_id}") for q in QUESTIONS if q.kind == "influxdb"]
PROMQL = [pytest.param(q, id=f"{q.place}-{q.ref_id}") for q in QUESTIONS if q.kind == "prometheus"]

MEANS = {"count", "net_kw_max"}
FIELDS = {
    "site_window": {*SitePoint.__struct_fields__, "net_kw", "energy_known", *MEANS},
    "meter_window": {"revision", "status", "value", "count"},
    "event": {*EventPoint.__struct_fields__},
}
TAGS = {
    "site_window": {"site"},
    "meter_window": {"site", "device", "quantity"},
    "event": {"site", "kind", "device"},
}
METRICS = {
    spec.name.removeprefix("gridloom_") + ("_bucket" if spec.kind == "histogram" else "")
    for group in groups().values()
    for spec in group
}
VARIABLES = {
    "v.timeRangeStart",
    "v.timeRangeStop",
    "v.windowPeriod",
    "v.defaultBucket",
    "${site:raw}",
    "${device:regex}",
    "${__timezone}",
    "$__rate_interval",
    "$__range",
}


@pytest.mark.parametrize("question", FLUX)
def test_a_flux_query_names_only_points_that_are_stored(question: Asked) -> None:
    filters = [line for line in question.text.splitlines() if "r._measurement ==" in line]
    assert filters
    for line in filters:
        measurement = re.findall(r'r\._measurement == "(\w+)"', line)[0]
        assert measurement in set(Measurement)
        assert set(re.findall(r'r\._field == "(\w+)"', line)) <= FIELDS[measurement]
        tags = set(re.findall(r"r\.([a-z]\w*) (?:==|=~)", line))
        assert tags <= TAGS[measurement]


@pytest.mark.parametrize("question", PROMQL)
def test_a_promql_query_names_only_metrics_that_stages_show(question: Asked) -> None:
    asked = set(re.findall(r"gridloom_(\w+)", question.text))
    assert asked
    assert asked <= METRICS


def test_every_metric_of_the_stages_is_on_a_dashboard() -> None:
    asked = {name for q in QUESTIONS for name in re.findall(r"gridloom_(\w+)", q.text)}
    assert asked >= METRICS


@pytest.mark.parametrize("question", [*FLUX, *PROMQL])
def test_a_query_has_only_variables_that_grafana_knows(question: Asked) -> None:
    found = re.findall(r"\$\{[^}]*\}|\$__\w+|\bv\.[A-Za-z]+", question.text)
    assert set(found) <= VARIABLES
    if question.look_back_s is not None:
        assert "$" not in question.text, "a rule's file would take it for the environment's"


def test_a_month_never_reads_5_second_points_of_a_series() -> None:
    """Long ranges read the means; what has none is cut to its last hours."""
    for question in QUESTIONS:
        per_series = "window" in question.text and "event" not in question.text
        reduces_in_storage = re.search(r"\|> last\(\)\n|tagValues", question.text)
        if question.kind == "influxdb" and per_series and not reduces_in_storage:
            bounded = "bucket: bucket" in question.text or "start: since" in question.text
            assert bounded or question.look_back_s is not None, question.place


def test_a_quantile_is_taken_over_all_processes_of_a_stage() -> None:
    assert promql.quantile(0.99, "transaction", "stage") == (
        "histogram_quantile(0.99, sum by (le, stage)"
        " (rate(gridloom_transaction_seconds_bucket[$__rate_interval])))"
    )
