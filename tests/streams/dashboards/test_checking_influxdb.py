"""Every Flux query of every dashboard and rule, on a real InfluxDB that holds a run."""

import pytest
from msgspec.structs import replace

from deploy.influx_downsampling import downsample
from schemas.errors import HistorianError
from schemas.settings import InfluxSettings, Settings
from streams.dashboards.asking import asks_influx
from streams.dashboards.checking import Checked, check
from streams.dashboards.substitution import Span
from tests.streams.dashboards.conftest import settings_of, store
from tests.support.grafana_run import GrafanaRun
from tests.support.influx import InfluxBucket

pytestmark = pytest.mark.influxdb

DAY_MS = 86_400_000
NOW_MS = 1_800_000_000_000
LONG_RANGES = {
    "Net load, threshold and look-ahead",
    "Relay states",
    "Energy from the grid",
    "Energy by counters",
    "Cost of energy from the grid",
    "Active power by device",
}
"""Panels that show means of long ranges."""


def _asked(checked: Checked) -> dict[tuple[str, str, str], int | None]:
    """Rows by dashboard, place and query, of what was asked of InfluxDB."""
    return {
        (row.dashboard, row.place, row.ref_id): row.rows
        for row in checked.rows
        if row.kind == "influxdb"
    }


def test_every_query_returns_rows(filled: InfluxBucket, run: GrafanaRun) -> None:
    """D-6, issue 4: by default of the last hour that the historian holds."""
    checked = check(settings_of(filled), None, None, now_ms=NOW_MS)
    assert not checked.failed, [row for row in checked.rows if row.failed]
    assert checked.site == run.site
    assert checked.span == Span(
        from_ms=run.newest_ms + 5_000 - 3_600_000, to_ms=run.newest_ms + 5_000
    )
    rows = _asked(checked)
    assert len(rows) == 27
    assert [place for place, count in rows.items() if not count] == []


def test_what_is_asked_of_prometheus_is_not_asked_without_one(filled: InfluxBucket) -> None:
    checked = check(settings_of(filled), None, None, now_ms=NOW_MS)
    others = [row for row in checked.rows if row.kind == "prometheus"]
    assert others
    assert {row.rows for row in others} == {None}
    assert {row.note for row in others} == {"not asked: no Prometheus is given"}


def test_a_range_without_data_gives_no_rows_and_a_reason(filled: InfluxBucket) -> None:
    """Bad input: a dashboard query on a range without data is an empty panel with a reason."""
    span = Span(from_ms=DAY_MS, to_ms=2 * DAY_MS)
    checked = check(settings_of(filled), None, span, now_ms=NOW_MS)
    assert not checked.failed, [row for row in checked.rows if row.failed]
    assert set(_asked(checked).values()) == {0}
    assert all(row.note for row in checked.rows)


def test_a_site_that_is_not_there_gives_no_rows(filled: InfluxBucket, run: GrafanaRun) -> None:
    span = Span(from_ms=run.start_ms, to_ms=run.newest_ms)
    checked = check(settings_of(filled), None, span, now_ms=NOW_MS, site="nowhere")
    assert not checked.failed
    shown = {key: rows for key, rows in _asked(checked).items() if key[0] != "alert rules"}
    assert {rows for (_, place, _), rows in shown.items() if place != "variable site"} == {0}


@pytest.mark.parametrize("days", [1, 31])
def test_long_ranges_are_drawn_from_means(
    influx_bucket: InfluxBucket, run: GrafanaRun, days: int
) -> None:
    """A month does not read the points of 5 s: without its means it shows nothing."""
    store(influx_bucket, run.points)
    span = Span(from_ms=run.start_ms - 3_600_000, to_ms=run.start_ms + days * DAY_MS)
    settings = settings_of(influx_bucket)
    before = _asked(check(settings, None, span, now_ms=NOW_MS))
    writer = replace(influx_bucket.operator, token=influx_bucket.tokens.store)
    downsample(writer, run.start_ms, run.newest_ms)
    checked = check(settings, None, span, now_ms=NOW_MS)
    assert not checked.failed
    after = {place: rows for (_, place, ref), rows in _asked(checked).items() if ref == "A"}
    for (_, place, ref), rows in before.items():
        if place in LONG_RANGES and ref == "A":
            assert rows == 0, place
            assert after[place], place


def test_an_empty_historian_is_told(influx_bucket: InfluxBucket) -> None:
    with pytest.raises(HistorianError, match="holds no windows yet") as caught:
        check(settings_of(influx_bucket), None, None, now_ms=NOW_MS)
    assert "gridloom demo" in caught.value.hint


def test_a_wrong_token_is_told(filled: InfluxBucket) -> None:
    own = filled.settings.model_dump() | {"read_token": "wrong"}
    settings = Settings(influxdb=InfluxSettings.model_validate(own))
    with pytest.raises(HistorianError, match="does not accept the token"):
        check(settings, None, None, now_ms=NOW_MS)


def test_a_query_that_influxdb_refuses_is_told(filled: InfluxBucket) -> None:
    with pytest.raises(HistorianError, match="refuses a request"):
        asks_influx(settings_of(filled)).rows("from(bucket:")


def test_without_an_influxdb_there_is_nothing_to_ask() -> None:
    with pytest.raises(HistorianError, match="the historian that is configured is none"):
        check(Settings(), None, None, now_ms=NOW_MS)
