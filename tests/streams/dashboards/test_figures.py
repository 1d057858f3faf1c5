"""The key figures that Flux reckons are those that Python reckons from the same events."""

from collections.abc import Iterable
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from dashboards.grafana import (
    alert_queries,
    energy_queries,
    figure_queries,
    series_queries,
    window_queries,
)
from processors.accounting.days import day_of
from processors.accounting.ledger import DayLedger
from schemas.dispatch_plan import DispatchPlan
from schemas.identity import SEQ_PER_WINDOW
from schemas.setpoint import Ack, Setpoint
from schemas.site_window import Completeness
from schemas.verdict import Accepted, Rejected
from schemas.windows import WINDOW_MS
from streams.dashboards.asking import asks_influx
from streams.dashboards.substitution import Choice, Span, flux_text
from streams.historians.mapping import StoredMessage, to_point
from tests.streams.dashboards.conftest import settings_of, store
from tests.support.grafana_run import BLIND, COUNTED_KWH, STALE, GrafanaRun
from tests.support.influx import InfluxBucket

pytestmark = pytest.mark.influxdb

ZONES = ["utc", "Europe/Berlin", "Asia/Kathmandu"]
"""The run is at 22:13 UTC, 23:13 in Berlin, and 03:58 of the next day in Kathmandu."""

EARLIER_MS = 5 * 3_600_000
"""Then it is the same day in UTC and Berlin, and the day before in Kathmandu."""

Values = list[dict[str, object]]


def _store(bucket: InfluxBucket, *messages: StoredMessage) -> None:
    store(bucket, [to_point(each) for each in messages])


def _ask(bucket: InfluxBucket, run: GrafanaRun, query: str, zone: str = "utc") -> Values:
    """What a query of a dashboard that shows the run answers."""
    influx = asks_influx(settings_of(bucket))
    span = Span(from_ms=run.start_ms, to_ms=run.newest_ms + WINDOW_MS)
    choice = Choice(site=run.site, timezone=zone)
    return influx.records(flux_text(query, span, choice, influx.bucket))


def _ledger(run: GrafanaRun, events: Iterable[StoredMessage], zone: str) -> DayLedger:
    """The account of the newest window's day."""
    ledger = DayLedger(run.site, day_of(run.newest_ms, ZoneInfo(zone.replace("utc", "UTC"))))
    for event in events:
        if not isinstance(event, Ack):
            ledger.enter(event)  # type: ignore[arg-type]  # a run's events hold no windows
    return ledger


def _earlier(event: StoredMessage) -> StoredMessage:
    """The same, five hours before."""
    windows = EARLIER_MS // WINDOW_MS
    if isinstance(event, Setpoint | Ack):
        return replace(event, seq=event.seq - windows * SEQ_PER_WINDOW)
    assert isinstance(event, DispatchPlan | Accepted | Rejected)
    start_ms = event.window_start_ms - EARLIER_MS
    return replace(event, decision_id=_moved(event.decision_id, windows), window_start_ms=start_ms)


def _moved(decision_id: str, windows: int) -> str:
    site, index, model = decision_id.split(".")
    return f"{site}.{int(index) - windows}.{model}"


def test_the_predicted_peak_is_the_newest_plans(
    influx_bucket: InfluxBucket, run: GrafanaRun
) -> None:
    """S1-12: a blind plan foresees nothing, and what an older one foresaw does not stand in."""
    sighted = [each for each in run.events if isinstance(each, DispatchPlan)][:-BLIND]
    _store(influx_bucket, *run.windows, *sighted)
    (row,) = _ask(influx_bucket, run, figure_queries.predicted_peak())
    assert row["uncontrolled_kw"] == sighted[-1].uncontrolled_kw
    assert row["expected_kw"] == sighted[-1].expected_kw
    assert row["threshold_kw"] == sighted[-1].threshold_kw


def test_a_blind_plan_foresees_nothing(filled: InfluxBucket, run: GrafanaRun) -> None:
    (row,) = _ask(filled, run, figure_queries.predicted_peak())
    assert row["threshold_kw"] == 85.0
    assert row.get("uncontrolled_kw") is None
    assert row.get("expected_kw") is None


@pytest.mark.parametrize("zone", ZONES)
def test_figures_of_the_day_are_those_of_the_ledger(
    influx_bucket: InfluxBucket, run: GrafanaRun, zone: str
) -> None:
    """S1-12: recomputed from stored events they agree, whatever the dashboard's range is."""
    events = [*run.events, *(_earlier(event) for event in run.events)]
    _store(influx_bucket, *run.windows, *events)
    expected = _ledger(run, events, zone).figures
    assert expected.savings is not None
    (commands,) = _ask(influx_bucket, run, figure_queries.commands_today(), zone)
    (savings,) = _ask(influx_bucket, run, figure_queries.savings_today(), zone)
    assert commands["_value"] == expected.commands > 0
    assert savings["_value"] == pytest.approx(expected.savings.amount, rel=1e-12)
    assert savings["_field"] == expected.savings.currency == "EUR"
    of_the_run = _ledger(run, run.events, zone).figures.commands
    assert (expected.commands == of_the_run) == (zone == "Asia/Kathmandu")


def test_a_day_without_commands_has_none_and_no_day_has_no_figure(
    influx_bucket: InfluxBucket, run: GrafanaRun
) -> None:
    assert _ask(influx_bucket, run, figure_queries.commands_today()) == []
    _store(influx_bucket, *run.windows)
    (commands,) = _ask(influx_bucket, run, figure_queries.commands_today())
    assert commands["_value"] == 0
    assert _ask(influx_bucket, run, figure_queries.savings_today()) == []


def _priced(event: StoredMessage, number: int, kind: str) -> StoredMessage:
    """The event where prices are as ``kind`` says."""
    if not isinstance(event, DispatchPlan):
        return event
    if kind == "no price" or (kind == "one without" and number == 0):
        return replace(event, price_per_kwh=None, currency=None)
    if kind == "two currencies" and number == 0:
        return replace(event, currency="CHF")
    return event


@pytest.mark.parametrize("kind", ["no price", "one without", "two currencies"])
def test_savings_are_unknown_where_a_price_is(
    influx_bucket: InfluxBucket, run: GrafanaRun, kind: str
) -> None:
    """Unknown is None and no row, never zero."""
    events = [_priced(event, number, kind) for number, event in enumerate(run.events)]
    _store(influx_bucket, *run.windows, *events)
    expected = _ledger(run, events, "utc").figures.savings
    assert expected is not None
    assert expected.amount is None
    assert _ask(influx_bucket, run, figure_queries.savings_today()) == []


def test_savings_are_zero_where_nothing_was_let_through(
    influx_bucket: InfluxBucket, run: GrafanaRun
) -> None:
    events = [each for each in run.events if isinstance(each, DispatchPlan | Rejected)]
    _store(influx_bucket, *run.windows, *events)
    expected = _ledger(run, events, "utc").figures.savings
    assert expected is not None
    (savings,) = _ask(influx_bucket, run, figure_queries.savings_today())
    assert savings["_value"] == expected.amount == 0.0
    assert savings["_field"] == expected.currency == "EUR"


def test_energy_and_its_cost_are_those_of_the_windows(
    filled: InfluxBucket, run: GrafanaRun
) -> None:
    kwh = sum(max(0.0, window.net_kw) for window in run.windows) * 5 / 3600
    energy = _ask(filled, run, energy_queries.imported_energy())
    cost = _ask(filled, run, energy_queries.imported_cost())
    metered = _ask(filled, run, energy_queries.metered_energy())
    assert _sum(energy) == pytest.approx(kwh)
    assert _sum(cost) == pytest.approx(kwh * 0.30)
    assert {row["_field"] for row in cost} == {"EUR"}
    assert _sum(metered) == pytest.approx(COUNTED_KWH * len(run.windows))


def _sum(rows: Values) -> float:
    values = [row["_value"] for row in rows]
    assert all(isinstance(value, float) for value in values)
    return sum(value for value in values if isinstance(value, float))


def test_a_point_that_turned_out_missing_is_a_gap(filled: InfluxBucket, run: GrafanaRun) -> None:
    """The value of its older revision stays in InfluxDB, and is not shown."""
    rows = _ask(filled, run, series_queries.powers_by_device())
    shown = [row["_value"] for row in rows if row["_field"] == STALE]
    assert shown == [None, *[1.0] * (len(run.windows) - 1)]


def test_windows_are_as_complete_as_the_worst(filled: InfluxBucket, run: GrafanaRun) -> None:
    rows = _ask(filled, run, window_queries.completeness())
    sighted = len(run.windows) - BLIND
    assert [row["_value"] for row in rows] == [0] * sighted + [2] * BLIND


def test_a_site_is_over_its_threshold_if_all_of_its_last_windows_are(
    influx_bucket: InfluxBucket, run: GrafanaRun
) -> None:
    windows = [replace(each, load_kw=90.0 + index / 100) for index, each in enumerate(run.windows)]
    plans = [each for each in run.events if isinstance(each, DispatchPlan)]
    _store(influx_bucket, *windows, *plans)
    (over,) = _ask(influx_bucket, run, alert_queries.over_threshold())
    last = windows[-alert_queries.WINDOWS :]
    assert over["_value"] == pytest.approx(min(each.net_kw for each in last) - 85.0)
    assert over["site"] == run.site


def test_a_site_is_blind_if_all_of_its_last_windows_are(
    filled: InfluxBucket, run: GrafanaRun
) -> None:
    (row,) = _ask(filled, run, alert_queries.blindness())
    assert row["_value"] == 0.0, "three blind windows are fewer than six"


def test_a_site_that_sees_nothing_any_more_is_blind(
    influx_bucket: InfluxBucket, run: GrafanaRun
) -> None:
    blind = [replace(each, completeness=Completeness.BLIND) for each in run.windows]
    _store(influx_bucket, *blind)
    (row,) = _ask(influx_bucket, run, alert_queries.blindness())
    assert row["_value"] == 2.0


def test_setpoints_that_nobody_answers_are_counted(
    influx_bucket: InfluxBucket, run: GrafanaRun
) -> None:
    told = [each for each in run.events if isinstance(each, Setpoint)]
    answered = [each for each in run.events if isinstance(each, Ack)][:1]
    _store(influx_bucket, *run.windows, *told, *answered)
    patient_ms = run.newest_ms + WINDOW_MS - 30_000
    old = [each for each in told if each.seq // SEQ_PER_WINDOW * WINDOW_MS < patient_ms]
    (row,) = _ask(influx_bucket, run, alert_queries.unconfirmed_commands())
    assert row["_value"] == len(old) - 1 > 0


def test_every_setpoint_of_the_run_is_answered(filled: InfluxBucket, run: GrafanaRun) -> None:
    (row,) = _ask(filled, run, alert_queries.unconfirmed_commands())
    assert row["_value"] == 0.0
