"""The reference page names every metric of the contract."""

import re
from pathlib import Path

from streams.metrics.page import groups, page

ROOT = Path(__file__).resolve().parents[3]
COMMITTED = ROOT / "docs" / "reference" / "metrics.md"

CONTRACT = {
    "gridloom_stage_info": ("version",),
    "gridloom_records_consumed_total": ("topic",),
    "gridloom_records_produced_total": ("topic",),
    "gridloom_consumer_lag_records": ("topic", "partition"),
    "gridloom_watermark_delay_seconds": ("partition",),
    "gridloom_readings_total": ("fate",),
    "gridloom_reading_delay_seconds": ("kind",),
    "gridloom_clock_skew_devices": ("direction",),
    "gridloom_clock_skew_seconds": ("direction",),
    "gridloom_windows_published_total": ("completeness", "revision"),
    "gridloom_dead_letters_total": (),
    "gridloom_transaction_seconds": (),
    "gridloom_transactions_total": ("outcome",),
    "gridloom_hop_latency_seconds": ("hop",),
    "gridloom_historian_write_seconds": (),
    "gridloom_historian_points_total": ("measurement",),
    "gridloom_historian_retries_total": ("reason",),
    "gridloom_historian_refused_points_total": (),
    "gridloom_dispatch_solve_seconds": (),
    "gridloom_plans_total": ("status",),
    "gridloom_verdicts_total": ("outcome",),
    "gridloom_commands_total": ("kind",),
    "gridloom_acks_total": ("result",),
    "gridloom_supervised_crashes_total": ("child",),
    "gridloom_supervised_running": ("child",),
}
"""Dashboards and alert rules rely on these names and labels."""


def test_the_metrics_are_those_that_dashboards_and_rules_rely_on() -> None:
    found = {spec.name: spec.labels for specs in groups().values() for spec in specs}
    assert found == CONTRACT


def test_rules_ask_for_metrics_that_exist() -> None:
    rules = (ROOT / "deploy" / "prometheus" / "rules.yml").read_text(encoding="utf-8")
    asked = set(re.findall(r"\bgridloom_\w+", rules))
    assert asked
    assert asked <= CONTRACT.keys()


def test_the_committed_page_is_what_the_code_says() -> None:
    """`python -m streams.reference_docs` writes it."""
    assert COMMITTED.read_text(encoding="utf-8") == page()
